/**
 * One slice of `gen`, or all of it: records by an absolute schedule, in slices of 10 ms, to a producer of its own.
 * Invariant: open loop: a slow service does not slow the schedule down. A record that cannot be put within a second of its time
 * is dropped from the schedule and counted as `behind`.
 */
import type { KinesisProducer, ProducerOptions, ProducerStats } from '../../index.ts'
import { producerFor, producerOptions } from '../connection.ts'
import type { ErrorLines } from '../output/error-lines.ts'
import { type Totals, totalsOf } from '../put/totals.ts'
import { frameFor } from '../schema/given-schema.ts'
import type { Session } from '../session.ts'
import type { GenFlags } from './gen-flags.ts'
import { generatorOf } from './generator.ts'
import type { HistogramData } from './latency-histogram.ts'
import { Load, type LoadFigures } from './load.ts'
import type { LoadSecond } from './load-seconds.ts'
import { asFastAsTaken, bySchedule, inSimulatedTime, type Run, type Simulated } from './pace.ts'
import { scheduleOf, simulationOf } from './plan.ts'
import type { Schedule } from './schedule.ts'
import { type Slice, slicedSchedule, sliceOf } from './slice.ts'

export interface SliceOptions {
  readonly session: Session
  readonly flags: GenFlags
  readonly stream: string
  readonly slice: Slice
  readonly errors: Pick<ErrorLines, 'tell'>
  onSecond(second: LoadSecond): void
  /** Called once, before the first record: how to see what the slice has done so far. */
  onStart(seen: () => SliceProgress): void
}

export interface SliceProgress {
  readonly put: number
  readonly bytes: number
  readonly unsettled: number
  readonly dropped: number
  readonly throttled: number
}

/** The result of the slice. */
export interface SliceEnd {
  readonly figures: LoadFigures
  readonly totals: Totals
  readonly latencies: HistogramData
  /** Whether the service takes nothing from us. */
  readonly isRefused: boolean
}

export async function runSlice({ session, flags: given, slice, ...options }: SliceOptions): Promise<SliceEnd> {
  const flags = given.count === undefined ? given : { ...given, count: sliceOf(given.count, slice) }
  const simulated = simulationOf(session, flags)
  const schema = await frameFor(session, flags, options.stream)
  const generate = await generatorOf(session, flags, simulated?.startMs, { slice, schema })
  const schedule = scheduleOf(session, flags, simulated?.startMs)
  const producerOptionsOfStream: ProducerOptions = { ...producerOptions(session), streamName: options.stream }
  const producer = producerFor(session, producerOptionsOfStream)
  const load = new Load({ clock: session.host.clock, producer, errors: options.errors, onSecond: options.onSecond })
  options.onStart(() => progressOf(load, producer.stats()))
  const run: Run = { session, flags, generate, load, producer }
  const due = await put(run, schedule === 'max' ? schedule : slicedSchedule(schedule, slice), simulated)
  load.endSchedule()
  await close(session, producer)
  load.finish(due)
  return {
    figures: load.figures,
    totals: totalsOf(producer.stats()),
    latencies: load.total.data,
    isRefused: load.refusal !== undefined
  }
}

function put(run: Run, schedule: Schedule | 'max', simulated: Simulated | undefined): Promise<number> {
  if (schedule === 'max') return asFastAsTaken(run)
  return simulated === undefined ? bySchedule(run, schedule) : inSimulatedTime(run, schedule, simulated)
}

function progressOf({ put, bytes, unsettled, dropped }: Load, stats: ProducerStats): SliceProgress {
  return { put, bytes, unsettled, dropped, throttled: totalsOf(stats).throttled }
}

async function close(session: Session, producer: KinesisProducer): Promise<void> {
  const timeoutMs = session.flags.drain
  const shorten = () => void producer.close({ timeoutMs })
  session.stop.addEventListener('abort', shorten, { once: true })
  await producer.close(session.stop.aborted ? { timeoutMs } : {})
  session.stop.removeEventListener('abort', shorten)
}

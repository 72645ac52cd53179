/**
 * The three ways of `gen` to put records: by a schedule in real time, as fast as the producer takes them, and in simulated time.
 * Invariant: by a schedule a full producer does not move what is due: a debt of more than a second is dropped and counted.
 */
import type { KinesisProducer, UserRecord } from '../../index.ts'
import { isRefusal } from '../errors.ts'
import { sleepUntil } from '../put/pacing.ts'
import type { Session } from '../session.ts'
import { DueTimes } from './due-times.ts'
import type { GenFlags } from './gen-flags.ts'
import type { Generator } from './generator.ts'
import type { Load } from './load.ts'
import type { Schedule } from './schedule.ts'

export interface Run {
  readonly session: Session
  readonly flags: GenFlags
  readonly generate: Generator
  readonly load: Load
  readonly producer: KinesisProducer
}

export interface Simulated {
  readonly startMs: number
  readonly endMs: number
}

const SLICE_MS = 10
const MOST_BEHIND_MS = 1000
/** Puts between two turns of the event loop. */
const MAX_AT_ONCE = 2000

/** Puts what is due every 10 ms; returns how many records were due. */
export async function bySchedule({ session, flags, generate, load }: Run, schedule: Schedule): Promise<number> {
  const { clock } = session.host
  const most = flags.count ?? Number.POSITIVE_INFINITY
  const endMs = flags.duration ?? Number.POSITIVE_INFINITY
  const startMs = clock.nowMs() - load.elapsedMs
  const times = new DueTimes()
  let due = 0
  let pending: UserRecord | undefined
  while (!session.stop.aborted && load.refusal === undefined) {
    const elapsedMs = load.elapsedMs
    due = Math.min(most, schedule.dueAt(Math.min(elapsedMs, endMs)))
    times.add(due, Math.min(elapsedMs, endMs))
    while (load.put + load.dropped < due) {
      const nowMs = session.host.wallMs()
      pending ??= generate(nowMs, nowMs)
      if (!load.tryPut(pending, times.of(load.put + load.dropped), isRefusal)) break
      pending = undefined
    }
    load.sample(due)
    const lateMs = load.elapsedMs - times.of(load.put + load.dropped)
    const isBehind = load.put + load.dropped < due && lateMs > MOST_BEHIND_MS
    if (isBehind) load.dropped += due - load.put - load.dropped
    const isOver = load.put + load.dropped >= due && (due >= most || elapsedMs >= endMs)
    if (isOver) break
    await sleepUntil(clock, startMs + (Math.floor(load.elapsedMs / SLICE_MS) + 1) * SLICE_MS, session.stop)
  }
  return due
}

/** Puts whenever there is room; a record is due when it is made. */
export async function asFastAsTaken({ session, flags, generate, load, producer }: Run): Promise<number> {
  const { clock } = session.host
  const most = flags.count ?? Number.POSITIVE_INFINITY
  const endMs = flags.duration ?? Number.POSITIVE_INFINITY
  const isOver = () => session.stop.aborted || load.refusal !== undefined || load.put >= most || load.elapsedMs >= endMs
  while (!isOver()) {
    const nowMs = session.host.wallMs()
    const until = Math.min(most, load.put + MAX_AT_ONCE)
    while (load.put < until) {
      const record = generate(nowMs, nowMs)
      const dueMs = load.elapsedMs
      while (!load.tryPut(record, dueMs, isRefusal)) await producer.ready()
    }
    load.sample(load.put)
    await sleepUntil(clock, clock.nowMs(), session.stop)
  }
  return load.put
}

/** A tick of simulated time at once, then a pause. */
export async function inSimulatedTime(
  { session, flags, generate, load, producer }: Run,
  schedule: Schedule,
  { startMs, endMs }: Simulated
): Promise<number> {
  const { clock } = session.host
  const most = flags.count ?? Number.POSITIVE_INFINITY
  const isOver = () => session.stop.aborted || load.refusal !== undefined || load.put >= most
  for (let atMs = startMs; atMs < endMs && !isOver(); atMs += flags.simTick) {
    const untilMs = Math.min(endMs, atMs + flags.simTick)
    const first = load.put
    const due = Math.min(most, schedule.dueAt(untilMs - startMs))
    for (let n = first; n < due && !isOver(); n++) {
      const simMs = atMs + ((n - first) / (due - first)) * (untilMs - atMs)
      const record = generate(session.host.wallMs(), simMs)
      const dueMs = load.elapsedMs
      while (!load.tryPut(record, dueMs, isRefusal)) await producer.ready()
    }
    load.sample(load.put)
    if (untilMs < endMs) await sleepUntil(clock, clock.nowMs() + flags.simWait, session.stop)
  }
  return load.put
}

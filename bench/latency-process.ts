/**
 * The producer of the latency bench, in a process of its own, with the clock that says when records are due.
 * Invariant: every record of a run is put, however late, and counts from when it was due; slots of `SLOT_MS` share the
 * time at which they begin, which makes latencies longer by up to that, never shorter.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { build, type Histogram } from 'hdr-histogram-js'
import type { KinesisProducer } from '../src/index.ts'
import { CHANNELS, type RequestEvent } from '../src/stats/diagnostics.ts'
import { type LoadRecord, makePool, type PoolOptions } from './harness/load.ts'
import { meter } from './harness/meter.ts'
import { pump, source } from './harness/pump.ts'
import { sinkProducer } from './sink/producer.ts'

export interface LatencyRun {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  /** Of 99 % of the records at most so long between their request's start and its answer. */
  readonly requestP99Ms: number
  readonly loopP99Ms: number
  readonly loopMaxMs: number
  readonly cores: number
  /** Share of records, and the milliseconds that they took at most. */
  readonly curve: readonly (readonly [share: number, ms: number])[]
}

const SLOT_MS = 0.1
const TICK_MS = 1
const MICROSECONDS = 1000
const NANOSECONDS = 1e6
const MAX_MICROSECONDS = 600_000_000
const SHARES = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999]

let producer: KinesisProducer
let pool: LoadRecord[] = []

export function open(endpoint: string, options: PoolOptions, recordMaxBufferedTimeMs: number): void {
  pool = makePool(options)
  producer = sinkProducer(endpoint, { recordMaxBufferedTimeMs })
}

/** Puts the first `count` records of the pool, in turn. */
export function putAll(count: number): Promise<void> {
  return pump(producer, 'tryPut', source(pool), count)
}

export async function close(): Promise<void> {
  await producer.close()
}

/** One run of `durationMs` at `ratePerSecond`. */
export async function load(ratePerSecond: number, durationMs: number): Promise<LatencyRun> {
  const histogram = newHistogram()
  const requests = newHistogram()
  const note = (event: unknown) => {
    const { startMs, endMs, userRecords } = event as RequestEvent
    requests.recordValueWithCount(Math.round((endMs - startMs) * MICROSECONDS), userRecords)
  }
  subscribe(CHANNELS.request, note)
  const loop = monitorEventLoopDelay({ resolution: TICK_MS })
  const count = Math.floor((ratePerSecond * durationMs) / 1000)
  const { wallMs, cpuMs } = await meter(async () => {
    loop.enable()
    await putOnTime(count, ratePerSecond, histogram)
    loop.disable()
  })
  unsubscribe(CHANNELS.request, note)
  if (histogram.totalCount !== count) throw new Error(`${histogram.totalCount} of ${count} records were acknowledged`)
  const msOf = (from: Histogram, share: number) => from.getValueAtPercentile(share * 100) / MICROSECONDS
  const ms = (share: number) => msOf(histogram, share)
  return {
    p50Ms: ms(0.5),
    p99Ms: ms(0.99),
    p999Ms: ms(0.999),
    maxMs: ms(1),
    requestP99Ms: msOf(requests, 0.99),
    loopP99Ms: Math.max(0, loop.percentile(99) / NANOSECONDS - TICK_MS),
    loopMaxMs: Math.max(0, loop.max / NANOSECONDS - TICK_MS),
    cores: cpuMs / wallMs,
    curve: SHARES.map(share => [share, ms(share)])
  }
}

function newHistogram(): Histogram {
  return build({ numberOfSignificantValueDigits: 3, highestTrackableValue: MAX_MICROSECONDS })
}

/** Resolves when all are acknowledged. What is due at the end is not flushed: the last records wait as the others do. */
function putOnTime(count: number, ratePerSecond: number, histogram: Histogram): Promise<void> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const perSlot = Math.max(1, Math.round((ratePerSecond * SLOT_MS) / 1000))
    let put = 0
    let settled = 0
    let settle = settleFrom(startMs)
    function settleFrom(dueMs: number) {
      return (error: unknown) => {
        if (error !== undefined) reject(error)
        histogram.recordValue(Math.round((performance.now() - dueMs) * MICROSECONDS))
        settled++
        if (settled === count) resolve()
      }
    }
    const tick = () => {
      const dueCount = Math.min(count, Math.floor(((performance.now() - startMs) * ratePerSecond) / 1000))
      while (put < dueCount) {
        if (put % perSlot === 0) settle = settleFrom(startMs + (put * 1000) / ratePerSecond)
        const { partitionKey, data } = pool[put % pool.length]!
        // A full buffer: the record stays due, and is late.
        if (!producer.tryPut({ partitionKey, data }, settle)) break
        put++
      }
      if (put < count) setTimeout(tick, TICK_MS)
    }
    tick()
  })
}

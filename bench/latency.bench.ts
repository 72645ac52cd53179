/**
 * From the moment a record should be put to its acknowledgement, over HTTPS to the discarding sink, at fixed rates.
 * The load is open: records are due by a clock that does not wait for the producer, and a record that is put late counts
 * from when it was due, so that a stall is seen by all records that it held up (no coordinated omission).
 * Verified before it is timed: the sink takes every user record apart and finds each of them once.
 */
import type { Child } from './harness/child.ts'
import type { PoolOptions } from './harness/load.ts'
import { type Cell, type Line, metric, metricOf, type Report } from './harness/report.ts'
import { ROUNDS, scaled, thinned } from './harness/settings.ts'
import type { LatencyRun } from './latency-process.ts'
import { type SinkPlace, verifyArrival, withSink } from './sink/place.ts'

const SHARDS = 64
const POOL: PoolOptions = { recordBytes: 100, keys: 4096 }
const RATES = [10_000, 100_000, 500_000]
const TARGETED_RATE = 100_000
const TARGET_OVERHEAD_MS = 5
const BUFFERED_MS = 100
const WARM_UP_MS = scaled(1000, 200)
const RUN_MS = scaled(3000, 400)
const VERIFIED_RECORDS = scaled(20_480, 6000)

type LatencyProcess = typeof import('./latency-process.ts')

export async function run(): Promise<Report> {
  const rows: Cell[][] = []
  const lines: Line[] = []
  for (const rate of thinned(RATES)) {
    const runs = await runsAt(rate)
    rows.push(rowOf(rate, runs))
    lines.push({ label: `${rate.toLocaleString('en-US')} records/s`, points: runs.at(-1)!.curve })
  }
  const title = `put to acknowledgement, open load, ${SHARDS} shards, recordMaxBufferedTimeMs ${BUFFERED_MS}`
  const columns = ['records/s', 'p50', 'p99', 'p99.9', 'max', 'p99 over buffering', 'loop p99', 'loop max', 'CPU used']
  const notes = [
    'Over buffering: what p99 is above recordMaxBufferedTimeMs; it includes the round trip and the tick of the load (1 ms).',
    'Loop: how late a timer of 1 ms fires in the producer (monitorEventLoopDelay less its resolution).'
  ]
  const plot = {
    kind: 'lines',
    title,
    xTitle: 'share of records',
    yTitle: 'ms',
    xScale: 'percentile',
    lines
  } as const
  return { title: 'Latency', tables: [{ title, columns, rows, notes }], plots: [plot] }
}

function runsAt(rate: number): Promise<LatencyRun[]> {
  const module = new URL('./latency-process.js', import.meta.url)
  return withSink<LatencyProcess, LatencyRun[]>(SHARDS, module, (child, place) => measure(child, place, rate))
}

async function measure(
  child: Child<LatencyProcess>,
  { endpoint, sink }: SinkPlace,
  rate: number
): Promise<LatencyRun[]> {
  await child.call('open', endpoint, POOL, BUFFERED_MS)
  await verifyArrival(sink, POOL, VERIFIED_RECORDS, count => child.call('putAll', count))
  await child.call('load', rate, WARM_UP_MS)
  const runs: LatencyRun[] = []
  for (let round = 0; round < ROUNDS; round++) runs.push(await child.call('load', rate, RUN_MS))
  await child.call('close')
  return runs
}

function rowOf(rate: number, runs: readonly LatencyRun[]): Cell[] {
  const all = (read: (run: LatencyRun) => number) => runs.map(read)
  const over = all(({ p99Ms }) => p99Ms - BUFFERED_MS)
  return [
    rate.toLocaleString('en-US'),
    metricOf('ms', runs, ({ p50Ms }) => p50Ms),
    metricOf('ms', runs, ({ p99Ms }) => p99Ms),
    metricOf('ms', runs, ({ p999Ms }) => p999Ms),
    metricOf('ms', runs, ({ maxMs }) => maxMs),
    metric('ms', over, rate === TARGETED_RATE ? TARGET_OVERHEAD_MS : undefined),
    metricOf('ms', runs, ({ loopP99Ms }) => loopP99Ms),
    metricOf('ms', runs, ({ loopMaxMs }) => loopMaxMs),
    metricOf('cores', runs, ({ cores }) => cores)
  ]
}

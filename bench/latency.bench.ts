/**
 * From the moment a record should be put to its acknowledgement, over HTTPS to the discarding sink, at fixed rates.
 * The load is open: records are due by a clock that does not wait for the producer, and a record that is put late counts
 * from when it was due, so that a stall is seen by all records that it held up (no coordinated omission).
 * Verified before it is timed: the sink takes every user record apart and finds each of them once.
 */
import type { Child } from './harness/child.ts'
import type { PoolOptions } from './harness/load.ts'
import { type Cell, type Line, metricOf, type Report } from './harness/report.ts'
import { ROUNDS, scaled, thinned } from './harness/settings.ts'
import type { LatencyRun } from './latency-process.ts'
import { type SinkPlace, verifyArrival, withSink } from './sink/place.ts'

const SHARDS = 64
const KEYS = 4096
/** The last is 100 MB/s. */
const LOADS: readonly Load[] = [
  { rate: 10_000, recordBytes: 100 },
  { rate: 100_000, recordBytes: 100 },
  { rate: 500_000, recordBytes: 100 },
  { rate: 100_000, recordBytes: 1000 }
]
const BUFFERED_MS = 100
const WARM_UP_MS = scaled(1000, 200)
const RUN_MS = scaled(3000, 400)
const VERIFIED_RECORDS = scaled(20_480, 6000)

interface Load {
  readonly rate: number
  readonly recordBytes: number
}

type LatencyProcess = typeof import('./latency-process.ts')

export async function run(): Promise<Report> {
  const rows: Cell[][] = []
  const lines: Line[] = []
  for (const load of thinned(LOADS)) {
    const runs = await runsOf(load)
    rows.push(rowOf(load, runs))
    const label = `${load.rate.toLocaleString('en-US')} records/s of ${load.recordBytes} bytes`
    lines.push({ label, side: 'ours', points: runs.at(-1)!.curve })
  }
  const title = `put to acknowledgement, open load, ${SHARDS} shards, recordMaxBufferedTimeMs ${BUFFERED_MS}`
  const columns = [
    'records/s',
    'bytes',
    'p50',
    'p99',
    'p99.9',
    'max',
    'request p99',
    'p99 over both',
    'loop p99',
    'loop max',
    'CPU used'
  ]
  const notes = [
    'Request p99: from a request to its answer, the work on its body and the wait for the sink included, by user records.',
    'Over both: what p99 is above recordMaxBufferedTimeMs and the request p99; the tick of the load (1 ms) is in it.',
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

function runsOf(load: Load): Promise<LatencyRun[]> {
  const module = new URL('./latency-process.js', import.meta.url)
  return withSink<LatencyProcess, LatencyRun[]>(SHARDS, module, (child, place) => measure(child, place, load))
}

async function measure(
  child: Child<LatencyProcess>,
  { endpoint, sink }: SinkPlace,
  { rate, recordBytes }: Load
): Promise<LatencyRun[]> {
  const pool: PoolOptions = { recordBytes, keys: KEYS }
  await child.call('open', endpoint, pool, BUFFERED_MS)
  await verifyArrival(sink, pool, VERIFIED_RECORDS, count => child.call('putAll', count))
  await child.call('load', rate, WARM_UP_MS)
  const runs: LatencyRun[] = []
  for (let round = 0; round < ROUNDS; round++) runs.push(await child.call('load', rate, RUN_MS))
  await child.call('close')
  return runs
}

function rowOf(load: Load, runs: readonly LatencyRun[]): Cell[] {
  return [
    load.rate.toLocaleString('en-US'),
    `${load.recordBytes}`,
    metricOf('ms', runs, ({ p50Ms }) => p50Ms),
    metricOf('ms', runs, ({ p99Ms }) => p99Ms),
    metricOf('ms', runs, ({ p999Ms }) => p999Ms),
    metricOf('ms', runs, ({ maxMs }) => maxMs),
    metricOf('ms', runs, ({ requestP99Ms }) => requestP99Ms),
    metricOf('ms', runs, ({ p99Ms, requestP99Ms }) => p99Ms - BUFFERED_MS - requestP99Ms),
    metricOf('ms', runs, ({ loopP99Ms }) => loopP99Ms),
    metricOf('ms', runs, ({ loopMaxMs }) => loopMaxMs),
    metricOf('cores', runs, ({ cores }) => cores)
  ]
}

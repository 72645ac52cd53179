/**
 * Whether memory stays flat at full speed: resident set and live heap over the run, to a discarding sink over HTTPS.
 * Verified: the sink takes the first records apart and finds each of them; at the end every record was acknowledged.
 * BENCH_MINUTES sets how long; the recorded run is of ten minutes.
 */
import type { KinesisProducer } from '../src/index.ts'
import { type LoadRecord, makePool, type PoolOptions } from './harness/load.ts'
import { meter, perSecond } from './harness/meter.ts'
import { pump, source } from './harness/pump.ts'
import { type Cell, metricOf, type Report } from './harness/report.ts'
import { scaled } from './harness/settings.ts'
import { median } from './harness/statistics.ts'
import { verifyArrival, withSink } from './sink/place.ts'
import { sinkProducer } from './sink/producer.ts'

const SHARDS = 8
const POOL: PoolOptions = { recordBytes: 100, keys: 4096 }
const VERIFIED_RECORDS = scaled(20_480, 6000)
const SLICE_RECORDS = scaled(500_000, 20_000)
const MS_PER_MINUTE = 60_000
const DEFAULT_MINUTES = scaled(0.5, 0.02)
/** Parts of the run that are compared. */
const PARTS = 5

interface Slice {
  readonly rssBytes: number
  readonly heapBytes: number
  readonly perCpuSecond: number
}

export async function run(): Promise<Report> {
  const minutes = Number(process.env['BENCH_MINUTES'] ?? DEFAULT_MINUTES)
  const slices = await slicesOf(minutes * MS_PER_MINUTE)
  const rows = Array.from({ length: PARTS }, (_, part): Cell[] => {
    const start = Math.floor((part * slices.length) / PARTS)
    const end = Math.max(start + 1, Math.floor(((part + 1) * slices.length) / PARTS))
    const those = slices.slice(start, end)
    return [
      `${part + 1} of ${PARTS}`,
      metricOf('bytes', those, ({ rssBytes }) => rssBytes),
      metricOf('bytes', those, ({ heapBytes }) => heapBytes),
      metricOf('records/CPU s', those, ({ perCpuSecond }) => perCpuSecond)
    ]
  })
  const growth = median(rssOf(slices.slice(-quarterOf(slices)))) / median(rssOf(slices.slice(1, 1 + quarterOf(slices))))
  const notes = [
    `${minutes} minutes, ${slices.length * SLICE_RECORDS} records; resident set of the last quarter ${growth.toFixed(2)} times that of the first.`
  ]
  const columns = ['part of the run', 'resident set', 'heap after collection', 'user records by CPU time']
  return { title: 'Memory over time', tables: [{ title: 'at full speed, 100-byte records', columns, rows, notes }] }
}

function quarterOf(slices: readonly Slice[]): number {
  return Math.max(1, Math.floor(slices.length / 4))
}

function rssOf(slices: readonly Slice[]): number[] {
  return slices.map(({ rssBytes }) => rssBytes)
}

function slicesOf(durationMs: number): Promise<Slice[]> {
  const module = new URL('./steady.bench.js', import.meta.url)
  return withSink<Own, Slice[]>(SHARDS, module, async (child, { endpoint, sink }) => {
    await child.call('open', endpoint)
    await verifyArrival(sink, POOL, VERIFIED_RECORDS, count => child.call('drive', count))
    const slices: Slice[] = []
    const untilMs = performance.now() + durationMs
    do slices.push(await child.call('drive', SLICE_RECORDS))
    while (performance.now() < untilMs)
    await child.call('close', VERIFIED_RECORDS + slices.length * SLICE_RECORDS)
    return slices
  })
}

interface Own {
  open: typeof open
  drive: typeof drive
  close: typeof close
}

let producer: KinesisProducer
let pool: LoadRecord[] = []

/** In a process of its own, as the two below. */
export function open(endpoint: string): void {
  pool = makePool(POOL)
  producer = sinkProducer(endpoint)
}

export async function drive(count: number): Promise<Slice> {
  // It collects garbage before it starts; resident memory is looked at before that.
  const { rss: rssBytes } = process.memoryUsage()
  globalThis.gc?.()
  const { heapUsed: heapBytes } = process.memoryUsage()
  const { cpuMs } = await meter(() => pump(producer, 'tryPut', source(pool), count))
  return { rssBytes, heapBytes, perCpuSecond: perSecond(count, cpuMs) }
}

export async function close(expectedCount: number): Promise<void> {
  const { delivered, failed } = producer.stats()
  if (delivered !== expectedCount || failed !== 0) throw new Error(`${delivered} delivered, ${failed} failed`)
  await producer.close()
}

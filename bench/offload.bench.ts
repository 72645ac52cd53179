/**
 * What a transport in a worker thread would save the event loop: `offload: true` was to come if that were half of its time.
 * The same records go to a discarding sink over HTTPS, with the transport on the producer's thread and with it in a worker.
 * Verified before it is timed: the sink takes every user record apart and finds each of them once.
 */
import { readFileSync } from 'node:fs'
import type { KinesisProducer } from '../src/index.ts'
import { type LoadRecord, makePool, type PoolOptions } from './harness/load.ts'
import { meter } from './harness/meter.ts'
import { pump, source } from './harness/pump.ts'
import { type Cell, metricOf, type Report } from './harness/report.ts'
import { ROUNDS, scaled, thinned } from './harness/settings.ts'
import { median } from './harness/statistics.ts'
import { OffloadTransport } from './offload/transport.ts'
import { verifyArrival, withSink } from './sink/place.ts'
import { sinkOptions, sinkProducer } from './sink/producer.ts'

type WireFormat = 'json' | 'cbor'

interface OffloadCase {
  readonly recordBytes: number
  readonly wireFormat: WireFormat
}

interface Cost {
  /** CPU time of the main thread, for each megabyte of user data. */
  readonly mainMs: number
  readonly processMs: number
}

const CASES: readonly OffloadCase[] = thinned(
  [100, 1000, 10_000].flatMap(recordBytes => [
    { recordBytes, wireFormat: 'json' as const },
    { recordBytes, wireFormat: 'cbor' as const }
  ])
)
const SHARDS = 8
const KEYS = 4096
const ROUND_BYTES = scaled(150_000_000, 2_000_000)
const MAX_ROUND_RECORDS = 800_000
/** Few enough for the sink to look at in time: a request that it answers late is sent again. */
const VERIFIED_BYTES = scaled(20_000_000, 600_000)
const BYTES_PER_MEGABYTE = 1_000_000
const TICK_MS = 10
const USER_TICKS = 11
const SYSTEM_TICKS = 12

export async function run(): Promise<Report> {
  const rows: Cell[][] = []
  for (const offloadCase of CASES) {
    const inside = await costsOf(offloadCase, false)
    const outside = await costsOf(offloadCase, true)
    const part = median(outside.map(({ mainMs }) => mainMs)) / median(inside.map(({ mainMs }) => mainMs))
    for (const [where, costs] of [['main thread', inside] as const, ['worker', outside] as const]) {
      rows.push([
        `${offloadCase.recordBytes}`,
        offloadCase.wireFormat,
        where,
        metricOf('CPU ms', costs, ({ mainMs }) => mainMs),
        metricOf('CPU ms', costs, ({ processMs }) => processMs),
        where === 'worker' ? `${Math.round((1 - part) * 100)} % less` : ''
      ])
    }
  }
  const title = 'for each megabyte of user data, put to acknowledged over HTTPS'
  const columns = ['record bytes', 'format', 'transport in', 'main thread', 'whole process', 'main thread is']
  const notes = [
    'Main thread: its own CPU time where the system tells it (Linux), else the time its event loop was active.'
  ]
  return { title: 'Transport in a worker thread', tables: [{ title, columns, rows, notes }] }
}

function costsOf({ recordBytes, wireFormat }: OffloadCase, isOffloaded: boolean): Promise<Cost[]> {
  const pool = { recordBytes, keys: KEYS }
  const recordsIn = (bytes: number) => Math.min(MAX_ROUND_RECORDS, Math.ceil(bytes / recordBytes))
  const module = new URL('./offload.bench.js', import.meta.url)
  return withSink<Own, Cost[]>(SHARDS, module, async (child, { endpoint, sink }) => {
    await child.call('open', endpoint, pool, wireFormat, isOffloaded)
    await verifyArrival(sink, pool, recordsIn(VERIFIED_BYTES), count => child.call('drive', count))
    const count = recordsIn(ROUND_BYTES)
    await child.call('drive', count)
    const costs: Cost[] = []
    for (let round = 0; round < ROUNDS; round++) costs.push(await child.call('drive', count))
    await child.call('close')
    return costs
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
export function open(endpoint: string, poolOptions: PoolOptions, wireFormat: WireFormat, isOffloaded: boolean): void {
  pool = makePool(poolOptions)
  const ports = isOffloaded ? { transport: new OffloadTransport({ ...sinkOptions(endpoint), wireFormat }) } : {}
  producer = sinkProducer(endpoint, { wireFormat }, ports)
}

export async function drive(count: number): Promise<Cost> {
  const startMs = mainThreadMs()
  const { cpuMs } = await meter(() => pump(producer, 'tryPut', source(pool), count))
  const megabytes = (count * pool[0]!.data.length) / BYTES_PER_MEGABYTE
  return { mainMs: (mainThreadMs() - startMs) / megabytes, processMs: cpuMs / megabytes }
}

export async function close(): Promise<void> {
  await producer.close()
}

function mainThreadMs(): number {
  if (process.platform !== 'linux') return performance.eventLoopUtilization().active
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8')
  // After the name, which is in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_MS
}

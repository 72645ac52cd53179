/**
 * The cost of one `tryPut` against record size, number of shards, number of keys and number of records that are buffered
 * already, one changed at a time.
 * Verified before it is timed by the put path's bench; here every record must be acknowledged.
 */
import type { KinesisProducer, UserRecord } from '../src/index.ts'
import { sampled } from './harness/child.ts'
import { makePool } from './harness/load.ts'
import { meter } from './harness/meter.ts'
import { nullProducer, type PutCase, timePuts } from './harness/null-producer.ts'
import { source } from './harness/pump.ts'
import { type Cell, type LinePlot, metric, type Report, type Table } from './harness/report.ts'
import { ROUNDS, scaled, thinned } from './harness/settings.ts'
import { median } from './harness/statistics.ts'
import { StuckTransport } from './harness/stuck-transport.ts'

const BASE: PutCase = { call: 'tryPut', recordBytes: 100, shards: 10, keys: 4096 }
const SIZES = [10, 100, 1000, 10_000, 50_000]
const SHARDS = [1, 10, 100, 1000, 10_000]
const KEYS = [1, 100, 4096, 16_384, 100_000, 1_000_000]
const BUFFERED = [1000, 10_000, 100_000, 1_000_000]
/** Records of a pool; more keys than that are made as they are needed. */
const MAX_POOL_RECORDS = 16_384
const RECORDS_PER_ROUND = scaled(300_000, 10_000)
const BYTES_PER_ROUND = scaled(300_000_000, 5_000_000)
const MAX_ROUNDS = 3
const NS_PER_SECOND = 1e9
const NS_PER_MS = 1e6
const BUFFERED_RECORDS_PER_ROUND = scaled(1_000_000, 10_000)
const BURST = 1000

/** How many records wait before the service answers again. */
interface BufferedCase {
  readonly buffered: number
}

export async function run(): Promise<Report> {
  const sizes = await sweep('record size in bytes', SIZES, recordBytes => ({ ...BASE, recordBytes }))
  const shards = await sweep('shards', SHARDS, count => ({ ...BASE, shards: count }))
  const keys = await sweep('partition keys', KEYS, count => ({ ...BASE, keys: count }))
  const buffered = await sweep('records buffered while nothing is answered', BUFFERED, count => ({ buffered: count }))
  const all = [sizes, shards, keys, buffered]
  return {
    title: 'Cost of a put against size, shards, keys and what is buffered',
    tables: all.map(({ table }) => table),
    plots: all.map(({ plot }) => plot)
  }
}

async function sweep(
  what: string,
  values: readonly number[],
  caseOf: (value: number) => PutCase | BufferedCase
): Promise<{ table: Table; plot: LinePlot }> {
  const rows: Cell[][] = []
  const points: [number, number][] = []
  for (const value of thinned(values)) {
    const costs = await costsOf(caseOf(value))
    rows.push([value.toLocaleString('en-US'), metric('ns', costs)])
    points.push([value, median(costs)])
  }
  const title = `tryPut against ${what} (otherwise 100 bytes, 10 shards, 4,096 keys)`
  const axes = { xTitle: what, yTitle: 'CPU ns a record', xScale: 'log' } as const
  return {
    table: { title, columns: [what, 'CPU time a record'], rows },
    plot: { kind: 'lines', title, ...axes, lines: [{ label: 'tryPut', side: 'ours', points }] }
  }
}

function costsOf(putCase: PutCase | BufferedCase): Promise<number[]> {
  const module = new URL('./scaling.bench.js', import.meta.url)
  const rounds = Math.min(MAX_ROUNDS, ROUNDS)
  return sampled<{ cost: typeof cost }, number>(module, child => child.call('cost', putCase), { rounds })
}

/** In a process of its own: CPU nanoseconds a record. */
export async function cost(putCase: PutCase | BufferedCase): Promise<number> {
  if ('buffered' in putCase) return bufferedCost(putCase.buffered)
  const { recordBytes, keys } = putCase
  const keyCount = typeof keys === 'number' ? Math.min(keys, MAX_POOL_RECORDS) : 1
  const pool = makePool({ recordBytes, keys: keyCount, records: Math.max(keyCount, 1000) })
  const count = Math.max(2000, Math.min(RECORDS_PER_ROUND, Math.ceil(BYTES_PER_ROUND / recordBytes)))
  const { perCpuSecond } = await timePuts(putCase, pool, count, count)
  return NS_PER_SECOND / perCpuSecond
}

/**
 * From the put to the acknowledgement, with that many records waiting in between. Few records are put again and again, so
 * that every case does as much.
 */
async function bufferedCost(buffered: number): Promise<number> {
  const pool = makePool({ recordBytes: BASE.recordBytes, keys: 4096 })
  const transport = new StuckTransport(BASE.shards)
  const producer = nullProducer(transport)
  const next = source(pool)
  const rounds = Math.max(1, Math.ceil(BUFFERED_RECORDS_PER_ROUND / buffered))
  const fillAndDrain = async (): Promise<void> => {
    transport.stick()
    await fill(producer, next, buffered)
    transport.release()
    await producer.flush()
  }
  await fillAndDrain()
  const { cpuMs } = await meter(async () => {
    for (let round = 0; round < rounds; round++) await fillAndDrain()
  })
  const { delivered, failed } = producer.stats()
  if (delivered !== (rounds + 1) * buffered || failed !== 0) throw new Error(`${delivered} delivered, ${failed} failed`)
  await producer.close()
  return (cpuMs * NS_PER_MS) / (rounds * buffered)
}

async function fill(producer: KinesisProducer, next: () => UserRecord, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (!producer.tryPut(next())) throw new Error('the buffer is full')
    if (i % BURST === 0) await new Promise(resolve => setImmediate(resolve))
  }
}

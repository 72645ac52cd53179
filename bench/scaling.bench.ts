/**
 * What one `tryPut` costs against record size, number of shards and number of keys, one changed at a time.
 * Verified before it is timed by the put path's bench; here every record must be acknowledged.
 */
import { sampled } from './harness/child.ts'
import { makePool } from './harness/load.ts'
import { type PutCase, timePuts } from './harness/null-producer.ts'
import { type Cell, type LinePlot, metric, type Report, type Table } from './harness/report.ts'
import { ROUNDS, scaled, thinned } from './harness/settings.ts'
import { median } from './harness/statistics.ts'

const BASE: PutCase = { call: 'tryPut', recordBytes: 100, shards: 10, keys: 4096 }
const SIZES = [10, 100, 1000, 10_000, 50_000]
const SHARDS = [1, 10, 100, 1000, 10_000]
const KEYS = [1, 100, 4096, 16_384, 100_000]
const RECORDS_PER_ROUND = scaled(300_000, 10_000)
const BYTES_PER_ROUND = scaled(300_000_000, 5_000_000)
const MAX_ROUNDS = 3
const NS_PER_SECOND = 1e9

export async function run(): Promise<Report> {
  const sizes = await sweep('record size in bytes', SIZES, recordBytes => ({ ...BASE, recordBytes }))
  const shards = await sweep('shards', SHARDS, count => ({ ...BASE, shards: count }))
  const keys = await sweep('partition keys', KEYS, count => ({ ...BASE, keys: count }))
  const all = [sizes, shards, keys]
  return {
    title: 'Cost of a put against size, shards and keys',
    tables: all.map(({ table }) => table),
    plots: all.map(({ plot }) => plot)
  }
}

async function sweep(
  what: string,
  values: readonly number[],
  caseOf: (value: number) => PutCase
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
    plot: { kind: 'lines', title, ...axes, lines: [{ label: 'tryPut', points }] }
  }
}

function costsOf(putCase: PutCase): Promise<number[]> {
  const module = new URL('./scaling.bench.js', import.meta.url)
  const rounds = Math.min(MAX_ROUNDS, ROUNDS)
  return sampled<{ cost: typeof cost }, number>(module, child => child.call('cost', putCase), { rounds })
}

/** In a process of its own: CPU nanoseconds a record. */
export async function cost(putCase: PutCase): Promise<number> {
  const { recordBytes, keys } = putCase
  const keyCount = typeof keys === 'number' ? keys : 1
  const pool = makePool({ recordBytes, keys: keyCount, records: Math.max(keyCount, 1000) })
  const count = Math.max(2000, Math.min(RECORDS_PER_ROUND, Math.ceil(BYTES_PER_ROUND / recordBytes)))
  const { perCpuSecond } = await timePuts(putCase, pool, count, count)
  return NS_PER_SECOND / perCpuSecond
}

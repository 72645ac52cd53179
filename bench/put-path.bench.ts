/**
 * The put path alone, into a transport that discards: calls, record sizes, shards, and keys that repeat or never do.
 * Verified before it is timed: what left, de-aggregated, is what came, each record once. Every row runs in a process of
 * its own, so that no row is compiled for what another does.
 */

import { subscribe } from 'node:diagnostics_channel'
import { CHANNELS } from '../src/stats/diagnostics.ts'
import { EnvelopeWriter } from '../src/wire/encode.ts'
import { sampled } from './harness/child.ts'
import { Ledger, makePool } from './harness/load.ts'
import { meterSync, perSecond } from './harness/meter.ts'
import { CheckingTransport, framed, nullProducer, type PutCase, type Rates, timePuts } from './harness/null-producer.ts'
import { pump, source } from './harness/pump.ts'
import { barsOf, type Cell, metric, metricOf, type Report } from './harness/report.ts'
import { scaled } from './harness/settings.ts'

const KEYS = 4096
const MEGABYTES = 1_000_000
const BYTES_PER_ROUND = scaled(250 * MEGABYTES, 8 * MEGABYTES)
const RECORDS_PER_ROUND = scaled(600_000, 30_000)
const VERIFIED_RECORDS = scaled(20_000, 5000)
const AGGREGATE_BYTES = 51_200
const TARGETS: Readonly<Record<string, number>> = { tryPut: 2_000_000, put: 1_200_000 }
const TARGET_BYTES = 300 * MEGABYTES

/** Whether somebody subscribes to every channel: what that costs, and what it costs when nobody does. */
type WatchedCase = PutCase & { readonly isWatched?: boolean }

const CASES: readonly WatchedCase[] = scaled([100, 1000, 10_000], [100]).flatMap(recordBytes =>
  [1, 100].flatMap(shards => [
    ...(['tryPut', 'put', 'putMany', 'putAll', 'writable'] as const).map(call => ({
      call,
      recordBytes,
      shards,
      keys: KEYS
    })),
    ...(recordBytes === 100 ? [{ call: 'tryPut' as const, recordBytes, shards, keys: 'unique' as const }] : []),
    ...(recordBytes === 100 ? [{ call: 'tryPut' as const, recordBytes, shards, keys: KEYS, isWatched: true }] : []),
    ...(recordBytes === 100 ? [{ call: 'tryPut' as const, recordBytes, shards, keys: KEYS, isFramed: true }] : [])
  ])
)

export async function run(): Promise<Report> {
  const floor = await sampled<Own, Rates>(OWN, child => child.call('floor', 100))
  const rows: Cell[][] = [['floor: encoding and MD5 alone', '100', '-', `${KEYS}`, ...cells(floor, 100)]]
  for (const putCase of CASES) {
    const { call, recordBytes, shards, keys, isWatched = false, isFramed = false } = putCase
    const isTargeted = recordBytes === 100 && keys !== 'unique' && !isWatched && !isFramed
    const rates = await sampled<Own, Rates>(OWN, child => child.call('measure', putCase))
    const figures = cells(rates, recordBytes, isTargeted ? TARGETS[call] : undefined)
    const what = isWatched ? `${call}, channels subscribed` : isFramed ? `${call}, with a schema` : call
    rows.push([what, `${recordBytes}`, `${shards}`, `${keys}`, ...figures])
  }
  const title = 'put path: one process, transport that discards'
  const columns = [
    'call',
    'record bytes',
    'shards',
    'keys',
    'user records by CPU time',
    'data',
    'user records by wall time'
  ]
  return {
    title: 'Put path',
    tables: [{ title, columns, rows }],
    plots: [
      {
        kind: 'bars',
        title: 'user records a CPU second (call, record bytes, shards, keys)',
        unit: 'records/CPU s',
        bars: barsOf(rows, 4, 4)
      }
    ]
  }
}

interface Own {
  floor: typeof floor
  measure: typeof measure
}

const OWN = new URL('./put-path.bench.js', import.meta.url)

/** Targets are for CPU time: wall time is the same on an idle machine, and tells of the others on a busy one. */
function cells(rates: readonly Rates[], recordBytes: number, target?: number): Cell[] {
  const perCpuSecond = rates.map(rate => rate.perCpuSecond)
  const bytes = perCpuSecond.map(rate => rate * recordBytes)
  return [
    metric('records/CPU s', perCpuSecond, target),
    metric('bytes/CPU s', bytes, recordBytes === 1000 ? TARGET_BYTES : undefined),
    metricOf('records/s', rates, rate => rate.perSecond)
  ]
}

let isVerified = false
let eventCount = 0

/** In a process of its own. */
export async function measure(putCase: WatchedCase): Promise<Rates> {
  const { call, recordBytes, shards, keys, isWatched, isFramed = false } = putCase
  if (isWatched) for (const name of Object.values(CHANNELS)) subscribe(name, () => void eventCount++)
  const pool = makePool({ recordBytes, keys: KEYS })
  if (!isVerified) {
    const ledger = new Ledger(pool)
    const producer = nullProducer(new CheckingTransport(shards, ledger))
    await pump(producer, call, isFramed ? framed(source(pool)) : source(pool), VERIFIED_RECORDS)
    await producer.close()
    ledger.assertArrived(VERIFIED_RECORDS)
    isVerified = true
  }
  const count = Math.min(RECORDS_PER_ROUND, Math.ceil(BYTES_PER_ROUND / recordBytes))
  return timePuts({ call, recordBytes, shards, keys, isFramed }, pool, Math.ceil(count * 0.3), count)
}

/** In a process of its own: what no producer of this format can do without, the members written and the MD5. */
export function floor(recordBytes: number): Rates {
  const writer = new EnvelopeWriter()
  const pool = makePool({ recordBytes, keys: KEYS })
  const slots = pool.map(() => ({ table: 0, index: 0 }))
  let sealedBytes = 0
  const add = (n: number): boolean => {
    const { partitionKey, data } = pool[n]!
    return writer.addWithin(AGGREGATE_BYTES, partitionKey, partitionKey.length, undefined, data, recordBytes, slots[n])
  }
  const { wallMs, cpuMs } = meterSync(() => {
    for (let i = 0; i < RECORDS_PER_ROUND; i++) {
      const n = i % pool.length
      if (add(n)) continue
      sealedBytes += writer.seal().length
      add(n)
    }
  })
  if (sealedBytes + AGGREGATE_BYTES < RECORDS_PER_ROUND * recordBytes) throw new Error('bytes are missing')
  return { perSecond: perSecond(RECORDS_PER_ROUND, wallMs), perCpuSecond: perSecond(RECORDS_PER_ROUND, cpuMs) }
}

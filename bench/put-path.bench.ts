/**
 * The put path alone, into a transport that discards: calls, record sizes, shards, texts, and keys that repeat or never do.
 * Each row is a ratio to the floor, which no producer of this format can do without: the members written, and one MD5 of
 * node:crypto for each envelope. The floor is measured before every sample, so that a busy machine changes both.
 * Verified before it is timed: what left, de-aggregated, is what came, each record once. Every row runs in a process of
 * its own, so that no row is compiled for what another does.
 */
import { hash } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { CHANNELS } from '../src/stats/diagnostics.ts'
import { EnvelopeWriter } from '../src/wire/encode.ts'
import { DIGEST_BYTES, MAGIC_BYTES } from '../src/wire/format.ts'
import { type Child, withChild } from './harness/child.ts'
import { Ledger, makePool } from './harness/load.ts'
import { meterSync, perSecond } from './harness/meter.ts'
import { CheckingTransport, framed, nullProducer, type PutCase, type Rates, timePuts } from './harness/null-producer.ts'
import { type Call, pump, source } from './harness/pump.ts'
import { type Bar, type BarPlot, type Cell, metricOf, type Report, ratio, type Table } from './harness/report.ts'
import { ROUNDS, scaled } from './harness/settings.ts'

const KEYS = 4096
const SIZES = scaled([100, 1000, 10_000], [100])
const SHARD_COUNTS = [1, 100]
const CALLS = ['tryPut', 'put', 'putMany', 'putAll', 'writable'] as const
const BYTES_PER_ROUND = scaled(250_000_000, 8_000_000)
const RECORDS_PER_ROUND = scaled(600_000, 30_000)
const VERIFIED_RECORDS = scaled(20_000, 5000)
const AGGREGATE_BYTES = 51_200
/** The size for which there are targets, and which the plot shows. */
const TYPICAL_BYTES = 100
/** Of the floor's rate, by call, keys and shards. */
const TARGETS: Readonly<Record<string, number>> = {
  'tryPut 4096 1': 1,
  'tryPut 4096 100': 0.7,
  'tryPut unique 1': 0.5,
  'put 4096 1': 0.5,
  'put 4096 100': 0.25,
  'putAll 4096 1': 0.4,
  'putMany 4096 1': 0.8
}

/** Whether somebody subscribes to every channel: what that costs, and what it costs when nobody does. */
type WatchedCase = PutCase & { readonly isWatched?: boolean }

const CASES: readonly WatchedCase[] = SIZES.flatMap(recordBytes =>
  SHARD_COUNTS.flatMap(shards => {
    const usual = { recordBytes, shards, keys: KEYS }
    // Copying and MD5 are nearly all of it: the other calls cost the same.
    if (recordBytes > 1000) return [{ ...usual, call: 'tryPut' as const }]
    return [
      ...CALLS.map(call => ({ ...usual, call })),
      ...(['tryPut', 'put'] satisfies Call[]).map(call => ({ ...usual, call, isText: true })),
      ...(recordBytes === TYPICAL_BYTES ? [{ ...usual, call: 'tryPut' as const, keys: 'unique' as const }] : []),
      ...(recordBytes === TYPICAL_BYTES ? [{ ...usual, call: 'tryPut' as const, isWatched: true }] : []),
      ...(recordBytes === TYPICAL_BYTES ? [{ ...usual, call: 'tryPut' as const, isFramed: true }] : [])
    ]
  })
)

/** One round: the floor, and the call right after it. */
interface Pair {
  readonly floor: Rates
  readonly rates: Rates
}

interface Measured {
  readonly putCase: WatchedCase
  readonly pairs: readonly Pair[]
}

export async function run(): Promise<Report> {
  const tables: Table[] = []
  const plots: BarPlot[] = []
  for (const recordBytes of SIZES) {
    const measured = await measuredAt(recordBytes)
    tables.push(tableOf(recordBytes, measured))
    if (recordBytes === TYPICAL_BYTES) plots.push(...SHARD_COUNTS.map(shards => plotOf(shards, measured)))
  }
  return { title: 'Put path', tables, plots }
}

function measuredAt(recordBytes: number): Promise<Measured[]> {
  return withChild<Own, Measured[]>(OWN, async floorChild => {
    // Compiles it.
    await floorChild.call('floor', recordBytes)
    const measured: Measured[] = []
    for (const putCase of CASES.filter(each => each.recordBytes === recordBytes)) {
      const pairs = await withChild<Own, Pair[]>(OWN, child => pairsOf(putCase, child, floorChild))
      measured.push({ putCase, pairs })
    }
    return measured
  })
}

function tableOf(recordBytes: number, measured: readonly Measured[]): Table {
  const floors = measured.flatMap(({ pairs }) => pairs.map(({ floor }) => floor))
  return {
    title: `put path, user records of ${recordBytes} bytes: one process, a transport that discards`,
    columns: ['call', 'shards', 'keys', 'of the floor', 'by CPU time', 'by wall time', 'of the floor, by wall time'],
    rows: [floorRow(floors), ...measured.map(rowOf)],
    notes: [
      'Floor: members encoded and one node:crypto MD5 for each envelope. 1.00x: a put costs what the floor costs. putMany: lists of 500.',
      'Text: what JSON.stringify gave, made before it is put. Watched: all diagnostics channels subscribed. With a schema: of Glue.'
    ]
  }
}

function plotOf(shards: number, measured: readonly Measured[]): BarPlot {
  const counted = shards === 1 ? '1 shard' : `${shards} shards`
  const ours = measured.filter(({ putCase }) => putCase.shards === shards)
  const bars = ours.map(
    ({ putCase, pairs }): Bar => ({ label: labelOf(putCase), side: 'ours', samples: partsOf(pairs) })
  )
  return {
    kind: 'bars',
    title: `Put path, ${TYPICAL_BYTES} bytes, ${counted}: user records a CPU second as a part of the floor's`,
    unit: 'times',
    bars: [{ label: 'floor: encoding and MD5', side: 'floor', samples: [1] }, ...bars]
  }
}

interface Own {
  floor: typeof floor
  measure: typeof measure
}

const OWN = new URL('./put-path.bench.js', import.meta.url)

async function pairsOf(putCase: WatchedCase, child: Child<Own>, floorChild: Child<Own>): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const floorRates = await floorChild.call('floor', putCase.recordBytes)
    pairs.push({ floor: floorRates, rates: await child.call('measure', putCase) })
  }
  return pairs
}

/** Targets are for CPU time: wall time is the same on an idle machine, and tells of the others on a busy one. */
function rowOf({ putCase, pairs }: Measured): Cell[] {
  const { recordBytes, shards, keys, call, isText, isWatched, isFramed } = putCase
  const isTargeted = recordBytes === TYPICAL_BYTES && isText !== true && isWatched !== true && isFramed !== true
  return [
    nameOf(putCase),
    `${shards}`,
    `${keys}`,
    ratio(partsOf(pairs), isTargeted ? TARGETS[`${call} ${keys} ${shards}`] : undefined),
    metricOf('records/CPU s', pairs, ({ rates }) => rates.perCpuSecond),
    metricOf('records/s', pairs, ({ rates }) => rates.perSecond),
    ratio(pairs.map(({ floor, rates }) => rates.perSecond / floor.perSecond))
  ]
}

function floorRow(floors: readonly Rates[]): Cell[] {
  const rates = [
    metricOf('records/CPU s', floors, ({ perCpuSecond }) => perCpuSecond),
    metricOf('records/s', floors, rate => rate.perSecond)
  ]
  return ['floor: encoding and MD5', '-', `${KEYS}`, ratio([1]), ...rates, ratio([1])]
}

function partsOf(pairs: readonly Pair[]): number[] {
  return pairs.map(({ floor, rates }) => rates.perCpuSecond / floor.perCpuSecond)
}

function nameOf({ call, isText = false, isWatched = false, isFramed = false }: WatchedCase): string {
  return `${call}${isText ? ', text' : ''}${isWatched ? ', watched' : ''}${isFramed ? ', with a schema' : ''}`
}

function labelOf(putCase: WatchedCase): string {
  return putCase.keys === 'unique' ? `${nameOf(putCase)}, unique keys` : nameOf(putCase)
}

let isVerified = false
let eventCount = 0

/** In a process of its own. */
export async function measure(putCase: WatchedCase): Promise<Rates> {
  const { call, recordBytes, shards, isText = false, isWatched, isFramed = false } = putCase
  if (isWatched && !isVerified) for (const name of Object.values(CHANNELS)) subscribe(name, () => void eventCount++)
  const pool = makePool({ recordBytes, keys: KEYS })
  if (!isVerified) {
    const ledger = new Ledger(pool)
    const producer = nullProducer(new CheckingTransport(shards, ledger))
    const plain = source(pool, { isText })
    await pump(producer, call, isFramed ? framed(plain) : plain, VERIFIED_RECORDS)
    await producer.close()
    ledger.assertArrived(VERIFIED_RECORDS)
    isVerified = true
  }
  const count = Math.min(RECORDS_PER_ROUND, Math.ceil(BYTES_PER_ROUND / recordBytes))
  return timePuts(putCase, pool, Math.ceil(count * 0.3), count)
}

/** In a process of its own: what no producer of this format can do without, the members written and the MD5. */
export function floor(recordBytes: number): Rates {
  const writer = new EnvelopeWriter()
  const pool = makePool({ recordBytes, keys: KEYS })
  const slots = pool.map(() => ({ table: 0, index: 0 }))
  const count = Math.min(RECORDS_PER_ROUND, Math.ceil(BYTES_PER_ROUND / recordBytes))
  let sealedBytes = 0
  const add = (n: number): boolean => {
    const { partitionKey, data } = pool[n]!
    return writer.addWithin(AGGREGATE_BYTES, partitionKey, partitionKey.length, undefined, data, recordBytes, slots[n])
  }
  const seal = (): number => {
    const sealed = writer.seal(undefined, false)
    const digestAt = sealed.length - DIGEST_BYTES
    sealed.write(hash('md5', sealed.subarray(MAGIC_BYTES, digestAt), 'binary'), digestAt, 'latin1')
    return sealed.length
  }
  const { wallMs, cpuMs } = meterSync(() => {
    for (let i = 0; i < count; i++) {
      const n = i % pool.length
      if (add(n)) continue
      sealedBytes += seal()
      add(n)
    }
  })
  if (sealedBytes + AGGREGATE_BYTES < count * recordBytes) throw new Error('bytes are missing')
  return { perSecond: perSecond(count, wallMs), perCpuSecond: perSecond(count, cpuMs) }
}

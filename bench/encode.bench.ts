/**
 * Encoding alone: user records into sealed aggregates of 50 KB, against protobufjs and aws-kinesis-agg in turns.
 * Verified before it is timed: what every contestant makes de-aggregates to what went in.
 */

import { hash } from 'node:crypto'
import { createRequire } from 'node:module'
import protobuf from 'protobufjs'
import { deaggregateAll, isAggregated } from '../src/consumer/deaggregate.ts'
import { EnvelopeWriter } from '../src/wire/encode.ts'
import { Ledger, type LoadRecord, makePool } from './harness/load.ts'
import { meterSync, perSecond } from './harness/meter.ts'
import { PROJECT } from './harness/places.ts'
import { barsOf, type Cell, metric, metricOf, type Report } from './harness/report.ts'
import { ROUNDS, scaled } from './harness/settings.ts'

const AGGREGATE_BYTES = 51_200
/** More than a key, the tags and the frame take: their aggregator knows no limit but 1 MiB. */
const OVERHEAD_BYTES = 64
const RECORDS_PER_ROUND = scaled(300_000, 8000)
const BYTES_PER_ROUND = scaled(150_000_000, 4_000_000)
const CASES = [
  { recordBytes: 100, keys: 1 },
  { recordBytes: 100, keys: 4096 },
  { recordBytes: 1000, keys: 4096 },
  { recordBytes: 10_000, keys: 4096 }
]
const MAGIC = Buffer.from('f3899ac2', 'hex')

/** Packs `count` records of the pool in turn; hands every aggregate on. */
type Contestant = (pool: readonly LoadRecord[], count: number, emit: (aggregate: Uint8Array) => void) => void

interface TheirAggregator {
  addUserRecord(record: object): void
  checkIfUserRecordFits(record: object): boolean
  build(): { readonly data: Buffer }
  readonly totalBytes: number
}

const { RecordAggregator } = createRequire(import.meta.url)('aws-kinesis-agg') as {
  RecordAggregator: new () => TheirAggregator
}
const schema = protobuf.loadSync(`${PROJECT}proto/aggregated-record.proto`)
const aggregatedRecord = schema.lookupType('AggregatedRecord')

const CONTESTANTS: Readonly<Record<string, Contestant>> = {
  'kinesis-producer': (pool, count, emit) => {
    const writer = new EnvelopeWriter()
    const slots = pool.map(() => ({ table: 0, index: 0 }))
    const add = (n: number): boolean => {
      const { partitionKey, data } = pool[n]!
      const { length } = partitionKey
      return writer.addWithin(AGGREGATE_BYTES, partitionKey, length, undefined, data, data.length, slots[n])
    }
    for (let i = 0; i < count; i++) {
      const n = i % pool.length
      if (add(n)) continue
      emit(writer.seal())
      add(n)
    }
    emit(writer.seal())
  },
  protobufjs: (pool, count, emit) => {
    const perAggregate = Math.floor(AGGREGATE_BYTES / (pool[0]!.data.length + 20))
    for (let first = 0; first < count; first += perAggregate) {
      const members = Array.from(
        { length: Math.min(perAggregate, count - first) },
        (_, i) => pool[(first + i) % pool.length]!
      )
      const keys = new Map<string, number>()
      const records = members.map(({ partitionKey, data }) => {
        if (!keys.has(partitionKey)) keys.set(partitionKey, keys.size)
        return { partitionKeyIndex: keys.get(partitionKey), data }
      })
      const body = aggregatedRecord.encode({ partitionKeyTable: [...keys.keys()], records }).finish()
      emit(Buffer.concat([MAGIC, body, hash('md5', body, 'buffer')]))
    }
  },
  'aws-kinesis-agg': (pool, count, emit) => {
    const aggregator = new RecordAggregator()
    for (let i = 0; i < count; i++) {
      const { partitionKey, data } = pool[i % pool.length]!
      const record = { partitionKey, data }
      if (aggregator.totalBytes + data.length + OVERHEAD_BYTES > AGGREGATE_BYTES) emit(aggregator.build().data)
      aggregator.addUserRecord(record)
    }
    emit(aggregator.build().data)
  }
}

export async function run(): Promise<Report> {
  const rows = CASES.flatMap(({ recordBytes, keys }) => compareAll(recordBytes, keys))
  const columns = ['record bytes', 'keys', 'encoder', 'user records', 'data']
  return {
    title: 'Encoding',
    tables: [{ title: 'user records into aggregates of at most 50 KB, MD5 included', columns, rows }],
    plots: [
      {
        kind: 'bars',
        title: 'user records encoded a CPU second (record bytes, keys, encoder)',
        unit: 'records/CPU s',
        bars: barsOf(rows, 3, 3, label => (label.endsWith('kinesis-producer') ? 'ours' : 'others'))
      }
    ]
  }
}

/** The contestants take turns, so that what disturbs the machine disturbs all of them. */
function compareAll(recordBytes: number, keys: number): Cell[][] {
  const pool = makePool({ recordBytes, keys })
  const count = Math.min(RECORDS_PER_ROUND, Math.ceil(BYTES_PER_ROUND / recordBytes))
  const rates = Object.entries(CONTESTANTS).map(([name, contestant]) => {
    verify(contestant, pool)
    return { name, contestant, perSecond: [] as number[] }
  })
  for (let round = -1; round < ROUNDS; round++) {
    for (const { contestant, perSecond: samples } of rates) {
      let bytes = 0
      const { cpuMs } = meterSync(() => {
        contestant(pool, count, aggregate => {
          bytes += aggregate.length
        })
      })
      if (bytes < count * recordBytes) throw new Error('bytes are missing')
      if (round >= 0) samples.push(perSecond(count, cpuMs))
    }
  }
  return rates.map(({ name, perSecond: samples }) => [
    `${recordBytes}`,
    `${keys}`,
    name,
    metric('records/CPU s', samples),
    metricOf('bytes/CPU s', samples, rate => rate * recordBytes)
  ])
}

function verify(contestant: Contestant, pool: readonly LoadRecord[]): void {
  const ledger = new Ledger(pool)
  contestant(pool, pool.length, data => {
    if (data.length > AGGREGATE_BYTES) throw new Error(`an aggregate of ${data.length} bytes`)
    // A record that is left over alone travels as it is, without its key.
    const hasKeys = isAggregated(data)
    for (const { partitionKey, data: bytes } of deaggregateAll([{ partitionKey: 'a', data, sequenceNumber: '1' }]))
      ledger.note(hasKeys ? partitionKey : undefined, bytes)
  })
  ledger.assertArrived(pool.length)
}

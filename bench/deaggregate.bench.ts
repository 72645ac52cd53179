/**
 * De-aggregation of Lambda records (base64) whose user records have 100 bytes, against aws-kinesis-agg 4.2.8 and
 * protobufjs in the same run, digests checked by all; a list by `deaggregateAll` against one by one; and the 10 MiB record of 1.7
 * million empty user records. Verified before it is timed: every contestant gives the keys and bytes that went in.
 */
import { hash } from 'node:crypto'
import kinesisAggregation from 'aws-kinesis-agg'
import protobuf from 'protobufjs'
import {
  type AnyKinesisRecord,
  aggregate,
  deaggregate,
  deaggregateAll,
  isAggregated
} from '../src/consumer/deaggregate.ts'
import { meterSync, perSecond } from './harness/meter.ts'
import { barsOf, type Cell, metric, type Report } from './harness/report.ts'
import { ROUNDS, scaled } from './harness/settings.ts'

const DATA_BYTES = 100
const AGGREGATE_BYTES = 51_200
const RECORDS_PER_ROUND = scaled(300_000, 10_000)
const LIST_COUNT = 100
const LISTS_PER_ROUND = scaled(30, 3)
const BOMB_MEMBERS = 1_747_622

interface UserRecord {
  readonly partitionKey: string
  readonly data: Uint8Array
}

interface LambdaPayload {
  readonly kinesisSchemaVersion: string
  readonly partitionKey: string
  readonly sequenceNumber: string
  readonly approximateArrivalTimestamp: number
  readonly data: string
}

type Contestant = (payload: LambdaPayload, take: (partitionKey: string, data: Uint8Array | string) => void) => void

interface AggregatedRecord {
  readonly partitionKeyTable: string[]
  readonly records: { readonly partitionKeyIndex: number; readonly data: Uint8Array }[]
}

const SCHEMA = protobuf.loadSync(new URL('../../proto/aggregated-record.proto', import.meta.url).pathname)
const AGGREGATED_RECORD = SCHEMA.lookupType('AggregatedRecord')

const OURS = 'kinesis-producer'
const THEIRS = 'aws-kinesis-agg'
const CONTESTANTS: Readonly<Record<string, Contestant>> = {
  [OURS]: (payload, take) => {
    for (const { partitionKey, data } of deaggregate(payload)) take(partitionKey, data)
  },
  // As it comes: data stays base64.
  [THEIRS]: (payload, take) => {
    kinesisAggregation.deaggregateSync(payload, true, (error, records) => {
      if (error) throw error
      for (const record of records!) take(record.partitionKey, record.data)
    })
  },
  [`${THEIRS}, data as bytes`]: (payload, take) => {
    kinesisAggregation.deaggregateSync(payload, true, (error, records) => {
      if (error) throw error
      for (const record of records!) take(record.partitionKey, Buffer.from(record.data, 'base64'))
    })
  },
  protobufjs: (payload, take) => {
    const bytes = Buffer.from(payload.data, 'base64')
    const body = bytes.subarray(4, -16)
    if (!hash('md5', body, 'buffer').equals(bytes.subarray(-16))) throw new Error('digest')
    const message = AGGREGATED_RECORD.decode(body) as unknown as AggregatedRecord
    for (const record of message.records)
      take(message.partitionKeyTable[Number(record.partitionKeyIndex)]!, record.data)
  }
}

export async function run(): Promise<Report> {
  const rows = (['one', 'unique'] as const).flatMap(compareAll)
  const title = `de-aggregation, ${DATA_BYTES}-byte user records in ${AGGREGATE_BYTES}-byte aggregates`
  return {
    title: 'De-aggregation',
    tables: [
      { title, columns: ['keys', 'contestant', 'user records', `${OURS} is`], rows },
      {
        title: `${LIST_COUNT} Kinesis records of ${AGGREGATE_BYTES} bytes in one list, their user records a CPU second`,
        columns: ['list', 'one by one', 'deaggregateAll', 'deaggregateAll is'],
        rows: listRows()
      },
      { title: 'a 10 MiB record of 1.7 million empty user records', columns: ['what', 'measured'], rows: bombRows() }
    ],
    plots: [
      {
        kind: 'bars',
        title: 'user records de-aggregated a CPU second',
        unit: 'records/CPU s',
        bars: barsOf(rows, 2, 2, label => (label.endsWith(OURS) ? 'ours' : 'others'))
      }
    ]
  }
}

/** The contestants take turns, so that what disturbs the machine disturbs all of them. */
function compareAll(keys: 'one' | 'unique'): Cell[][] {
  const { payload, records } = makePayload(keys)
  for (const [name, contestant] of Object.entries(CONTESTANTS)) verify(name, contestant, payload, records)
  const names = Object.keys(CONTESTANTS)
  const rates = new Map(names.map(name => [name, [] as number[]]))
  for (let round = -1; round < ROUNDS; round++) {
    for (const name of names) {
      const perCpuSecond = rate(CONTESTANTS[name]!, payload, records.length)
      if (round >= 0) rates.get(name)!.push(perCpuSecond)
    }
  }
  const ours = rates.get(OURS)!
  return names.map(name => {
    const theirs = rates.get(name)!
    const ratios = ours.map((own, round) => own / theirs[round]!)
    return [keys, name, metric('records/CPU s', theirs), metric('times', ratios)]
  })
}

function makePayload(keys: 'one' | 'unique'): { payload: LambdaPayload; records: UserRecord[] } {
  const records = Array.from({ length: 400 }, (_, i) => ({
    partitionKey: keys === 'one' ? 'user-42' : `user-${i}`,
    data: Uint8Array.from({ length: DATA_BYTES }, (_, at) => (i * 31 + at * 7) & 0xff)
  }))
  const [first] = [...aggregate(records, { maxBytes: AGGREGATE_BYTES })]
  if (first?.userRecordCount !== records.length) throw new Error('the records do not fit one aggregate')
  const data = Buffer.from(first.data).toString('base64')
  const payload = {
    kinesisSchemaVersion: '1.0',
    partitionKey: 'a',
    sequenceNumber: '1',
    approximateArrivalTimestamp: 1,
    data
  }
  return { payload, records }
}

function verify(name: string, contestant: Contestant, payload: LambdaPayload, records: readonly UserRecord[]): void {
  let at = 0
  contestant(payload, (partitionKey, data) => {
    const expected = records[at++]
    const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : Buffer.from(data)
    if (partitionKey !== expected?.partitionKey || !bytes.equals(expected.data))
      throw new Error(`${name} is wrong at ${at}`)
  })
  if (at !== records.length) throw new Error(`${name} gave ${at} of ${records.length}`)
}

/** User records per CPU second. */
function rate(contestant: Contestant, payload: LambdaPayload, count: number): number {
  let dataBytes = 0
  const turns = Math.ceil(RECORDS_PER_ROUND / count)
  const { cpuMs } = meterSync(() => {
    for (let turn = 0; turn < turns; turn++) {
      contestant(payload, (_, data) => {
        dataBytes += data.length
      })
    }
  })
  if (dataBytes < turns * count * DATA_BYTES) throw new Error('records are missing')
  return perSecond(turns * count, cpuMs)
}

/** The digests of a list are checked in lanes; what else there is to do is the same, and bounds what that gives. */
function listRows(): Cell[][] {
  return [100, 1000].flatMap(dataBytes => {
    const records = Array.from({ length: LIST_COUNT }, (_, index) => listRecord(index, dataBytes))
    const lists: Record<string, AnyKinesisRecord[]> = {
      'as bytes': records.map(data => new Uint8Array(data)),
      'as base64': records.map((data, i) => ({
        kinesis: { data: Buffer.from(data).toString('base64'), partitionKey: 'a', sequenceNumber: String(i) }
      }))
    }
    return Object.entries(lists).map(([shape, list]) => listRow(`${shape}, user records of ${dataBytes} bytes`, list))
  })
}

function listRow(name: string, list: readonly AnyKinesisRecord[]): Cell[] {
  const oneByOne = function* () {
    for (const record of list) yield* deaggregate(record)
  }
  const expected = [...oneByOne()]
  const given = [...deaggregateAll(list)]
  const isSame = given.every(({ data, partitionKey }, i) => {
    return partitionKey === expected[i]!.partitionKey && Buffer.from(data).equals(expected[i]!.data)
  })
  if (!isSame || given.length !== expected.length) throw new Error(`${name}: the list gives other user records`)
  const rounds = Array.from({ length: ROUNDS + 1 }, () => ({
    alone: listRate(expected.length, take => {
      for (const record of list) for (const { data } of deaggregate(record)) take(data)
    }),
    together: listRate(expected.length, take => {
      for (const { data } of deaggregateAll(list)) take(data)
    })
  })).slice(1)
  return [
    name,
    metric(
      'records/CPU s',
      rounds.map(({ alone }) => alone)
    ),
    metric(
      'records/CPU s',
      rounds.map(({ together }) => together)
    ),
    metric(
      'times',
      rounds.map(({ alone, together }) => together / alone)
    )
  ]
}

function listRate(count: number, walk: (take: (data: Uint8Array) => void) => void): number {
  let taken = 0
  const { cpuMs } = meterSync(() => {
    for (let turn = 0; turn < LISTS_PER_ROUND; turn++) walk(data => (taken += data.length > 0 ? 1 : 0))
  })
  if (taken !== count * LISTS_PER_ROUND) throw new Error('user records are missing')
  return perSecond(taken, cpuMs)
}

function listRecord(index: number, dataBytes: number): Uint8Array {
  const count = Math.floor(AGGREGATE_BYTES / (dataBytes + 10))
  const userRecords = Array.from({ length: count }, (_, i) => ({
    partitionKey: 'user-42',
    data: Uint8Array.from({ length: dataBytes }, (__, at) => (index + i * 31 + at * 7) & 0xff)
  }))
  const [first] = [...aggregate(userRecords, { maxBytes: AGGREGATE_BYTES })]
  if (first?.userRecordCount !== count) throw new Error('the records do not fit one aggregate')
  return first.data
}

function bombRows(): Cell[][] {
  const member = Buffer.from('1a0408001a00', 'hex')
  const body = Buffer.concat([Buffer.from('0a0161', 'hex'), Buffer.alloc(BOMB_MEMBERS * member.length, member)])
  const record = Buffer.concat([Buffer.from('f3899ac2', 'hex'), body, hash('md5', body, 'buffer')])
  if (!isAggregated(record)) throw new Error('the bomb is no aggregate')
  const times = Array.from({ length: ROUNDS }, () => {
    const startMs = performance.now()
    let count = 0
    for (const _ of deaggregate(record)) count++
    if (count !== BOMB_MEMBERS) throw new Error(`${count} user records instead of ${BOMB_MEMBERS}`)
    return performance.now() - startMs
  })
  const perByte = times.map(ms => (ms * 1e6) / record.length)
  return [
    ['time', metric('ms', times)],
    ['time per byte', metric('ns', perByte)],
    ['extra live memory', metric('bytes', [extraLiveBytes(record)])]
  ]
}

/** The most that the walk keeps alive beside the record. */
function extraLiveBytes(record: Uint8Array): number {
  const liveBytes = () => {
    globalThis.gc?.()
    globalThis.gc?.()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = liveBytes()
  let most = 0
  for (const { subSequenceNumber } of deaggregate(record)) {
    if (subSequenceNumber % 200_000 === 0) most = Math.max(most, liveBytes() - before)
  }
  return most
}

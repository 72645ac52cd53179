/**
 * De-aggregation of Lambda records (base64) whose user records have 100 bytes, against aws-kinesis-agg 4.2.8 and
 * protobufjs in the same run, digests checked by all; and the 10 MiB record of 1.7 million empty user records.
 * Verified before it is timed: every contestant gives the keys and bytes that went in.
 */
import { hash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import kinesisAggregation from 'aws-kinesis-agg'
import protobuf from 'protobufjs'
import { aggregate, deaggregate, isAggregated } from '../src/deaggregate.ts'
import { table } from './table.ts'

const DATA_BYTES = 100
const AGGREGATE_BYTES = 51_200
const ROUNDS = 9
const RECORDS_PER_ROUND = 300_000
const BOMB_MEMBERS = 1_747_622
const MIB = 1024 * 1024

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

export async function run(): Promise<void> {
  const rows: string[][] = [['keys', 'contestant', 'user records/s', 'spread', `${OURS} is`]]
  for (const keys of ['one', 'unique'] as const) rows.push(...compare(keys))
  console.log(table(`de-aggregation, ${DATA_BYTES}-byte user records in ${AGGREGATE_BYTES}-byte aggregates`, rows))
  console.log(table('a 10 MiB record of 1.7 million empty user records', bombRows()))
}

/** The contestants take turns, so that what disturbs the machine disturbs all of them. */
function compare(keys: 'one' | 'unique'): string[][] {
  const { payload, records } = makePayload(keys)
  for (const [name, contestant] of Object.entries(CONTESTANTS)) verify(name, contestant, payload, records)
  const rates = new Map<string, number[]>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, contestant] of Object.entries(CONTESTANTS)) {
      const list = rates.get(name) ?? []
      list.push(rate(contestant, payload, records.length))
      rates.set(
        name,
        list.sort((left, right) => left - right)
      )
    }
  }
  const middle = (name: string) => rates.get(name)![ROUNDS >> 1]!
  return [...rates].map(([name, [low]]) => {
    const spread = `${millions(low!)} to ${millions(rates.get(name)!.at(-1)!)}`
    return [keys, name, millions(middle(name)), spread, `${(middle(OURS) / middle(name)).toFixed(2)} times`]
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

/** User records per second. */
function rate(contestant: Contestant, payload: LambdaPayload, count: number): number {
  let dataBytes = 0
  const turns = Math.ceil(RECORDS_PER_ROUND / count)
  const startMs = performance.now()
  for (let turn = 0; turn < turns; turn++) {
    contestant(payload, (_, data) => {
      dataBytes += data.length
    })
  }
  const seconds = (performance.now() - startMs) / 1000
  if (dataBytes < turns * count * DATA_BYTES) throw new Error('records are missing')
  return (turns * count) / seconds
}

function bombRows(): string[][] {
  const member = Buffer.from('1a0408001a00', 'hex')
  const body = Buffer.concat([Buffer.from('0a0161', 'hex'), Buffer.alloc(BOMB_MEMBERS * member.length, member)])
  const record = Buffer.concat([Buffer.from('f3899ac2', 'hex'), body, hash('md5', body, 'buffer')])
  if (!isAggregated(record)) throw new Error('the bomb is no aggregate')
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const liveBytes = () => {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }

  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now()
    let count = 0
    for (const _ of deaggregate(record)) count++
    times.push(performance.now() - startMs)
    if (count !== BOMB_MEMBERS) throw new Error(`${count} user records instead of ${BOMB_MEMBERS}`)
  }
  times.sort((left, right) => left - right)
  const before = liveBytes()
  let most = 0
  for (const { subSequenceNumber } of deaggregate(record)) {
    if (subSequenceNumber % 200_000 === 0) most = Math.max(most, liveBytes() - before)
  }
  const middleMs = times[ROUNDS >> 1]!
  return [
    ['what', 'measured', 'bound'],
    ['time', `${middleMs.toFixed(0)} ms`, ''],
    ['time per byte', `${((middleMs * 1e6) / record.length).toFixed(1)} ns`, '30 ns'],
    ['extra live memory', `${(most / MIB).toFixed(2)} MiB`, '2 MiB']
  ]
}

function millions(perSecond: number): string {
  return `${(perSecond / 1e6).toFixed(2)} M`
}

/** What the KPL's put_records_request_test, user_record_test and token_bucket_test assert. */

import { describe, expect, test } from 'vitest'
import { RecordValidator } from '../../src/core/record-validator.ts'
import { callBack } from '../../src/core/settlement.ts'
import type { LaneRecord } from '../../src/lanes/lane.ts'
import { TokenBucket, type TokenBucketLimits } from '../../src/lanes/token-bucket.ts'
import type { RecordFailedError } from '../../src/model/errors.ts'
import type { Delivered, Failed } from '../../src/model/exchange.ts'
import { Members } from '../../src/model/kinesis-record.ts'
import type { PutResult } from '../../src/model/results.ts'
import { decodeEnvelope } from '../../src/wire/decode.ts'
import { hashPartitionKey, readHashKey } from '../../src/wire/hash-key.ts'
import { accepted } from '../support/accepted.ts'
import { collector as open } from '../support/collector.ts'
import { laneOf, Packing } from '../support/lanes.ts'

describe('put_records_request_test', () => {
  test('a request is as large as the data and partition keys of its entries, plain and aggregated', () => {
    const records = [
      ...sealAll([['key', ['plain']]]),
      ...sealAll([['other', ['one', 'two', 'three']]]),
      ...sealAll([['abcd', ['x'.repeat(1000)]]])
    ]
    const collector = open()
    for (const record of records) collector.add(record)

    const batch = collector.take(0, true)

    const bytes = records.map(({ data, partitionKey }) => data.length + Buffer.byteLength(partitionKey))
    expect(records.map(record => record.requestBytes)).toEqual(bytes)
    expect(batch?.requestBytes).toBe(bytes.reduce((sum, size) => sum + size, 0))
  })

  test('better than the KPL: the partition key counts in UTF-8 bytes, as the service counts it', () => {
    const records = sealAll([['ключ', ['data']]])

    expect(records.map(record => record.requestBytes)).toEqual([4 + 8])
  })

  test('what left no longer counts: the next request is measured by what stays alone', () => {
    const collector = open({ collectionMaxCount: 2 })
    for (const data of ['a', 'bb', 'ccc']) collector.add(sealAll([['key', [data]]])[0]!)

    const sizes = [collector.take(0, true)?.requestBytes, collector.take(0, true)?.requestBytes, collector.count]

    expect(sizes).toEqual([4 + 5, 6, 0])
  })
})

describe('user_record_test', () => {
  test('the fields that were given are those that are accepted, and the explicit hash key 123456789 goes through', () => {
    const record = new RecordValidator(1_048_576).examine({
      partitionKey: 'key',
      data: 'data',
      explicitHashKey: '123456789'
    })

    const { partitionKey, data, explicitHashKey, keyBytes, dataBytes } = record
    expect({ partitionKey, data, explicitHashKey, keyBytes, dataBytes }).toEqual({
      partitionKey: 'key',
      data: 'data',
      explicitHashKey: '123456789',
      keyBytes: 3,
      dataBytes: 4
    })
    expect(readHashKey(record.hashWords, record.hashAt)).toBe(123456789n)
  })

  test('the explicit hash key 123456789 comes out of an aggregate as it went in', () => {
    const [record] = sealAll([['key', ['one', 'two']]], '123456789')

    const hashKeys = decodeEnvelope(record!.data).map(member => member.explicitHashKey)

    expect([record!.explicitHashKey, ...hashKeys]).toEqual(['123456789', '123456789', '123456789'])
  })

  test('the hash key of "abcd" is E2FC714C4727EE9395F324CD2E7F331F', () => {
    const words = new Uint32Array(4)
    hashPartitionKey('abcd', words)
    const record = new RecordValidator(1_048_576).examine({ partitionKey: 'abcd', data: '' })

    const hashKeys = [readHashKey(words), readHashKey(record.hashWords, record.hashAt)]

    expect(hashKeys).toEqual(Array(2).fill(0xe2fc714c4727ee9395f324cd2e7f331fn))
  })

  test('a failed record has both attempts, 5 ms and then after a pause of 6 another 7 ms, with codes and messages', () => {
    const attempts = [
      { startMs: 100, endMs: 105, errorCode: 'code1', errorMessage: 'message1' },
      { startMs: 111, endMs: 118, errorCode: 'code2', errorMessage: 'message2' }
    ]

    const [error, result] = settle({
      kind: 'failed',
      attempts,
      failure: { code: 'KPL_ERR_EXPIRED', message: 'over', serviceCode: 'code2' }
    })

    expect(result).toBeUndefined()
    expect([error?.code, error?.serviceCode, error?.persisted, error?.attempts]).toEqual([
      'KPL_ERR_EXPIRED',
      'code2',
      'no',
      attempts
    ])
  })

  test('a record that failed once and then succeeded has shard, sequence number and both attempts', () => {
    const place = { shardId: 'shardId-000000000003', sequenceNumber: '1234' }
    const attempts = [
      { startMs: 100, endMs: 105, errorCode: 'code1', errorMessage: 'message1' },
      { startMs: 111, endMs: 118, ...place }
    ]

    const fate = settle({ kind: 'delivered', isAggregate: false, attempts, ...place })

    expect(fate).toEqual([undefined, { ...place, attempts }])
  })
})

describe('token_bucket_test', () => {
  const limits: TokenBucketLimits = {
    recordsPerSecond: 1e9,
    bytesPerSecond: 1000,
    capacityRecords: 1e9,
    capacityBytes: 200,
    maxFactor: 1,
    searchPerSecond: 0,
    recoveryPerSecond: 0.05
  }

  test('Basic: full at the start, 100 more after 100 ms at 1,000 a second, and never above 200', () => {
    const bucket = new TokenBucket(limits, 0)

    const full = [bucket.tryTake(200, 0), bucket.tryTake(1, 0)]
    const later = [bucket.tryTake(110, 100), bucket.tryTake(90, 100), bucket.tryTake(11, 100), bucket.tryTake(10, 100)]
    const capped = [bucket.tryTake(200, 10_000), bucket.tryTake(1, 10_000)]

    expect({ full, later, capped }).toEqual({
      full: [true, false],
      later: [false, true, false, true],
      capped: [true, false]
    })
  })

  test('Basic, better than the KPL: what is larger than the bucket passes when it is full, and is paid for afterwards', () => {
    const bucket = new TokenBucket(limits, 0)

    const taken = [bucket.tryTake(201, 0), bucket.tryTake(1, 1), bucket.tryTake(1, 2), bucket.nextTakeMs(200, 2)]

    expect(taken).toEqual([true, false, true, 202])
  })

  test('Multiple: a take needs records and bytes, and a refusal takes of neither', () => {
    const bucket = new TokenBucket({ ...limits, recordsPerSecond: 10, capacityRecords: 2 }, 0)

    const wantOfBytes = [bucket.tryTake(150, 0), bucket.tryTake(100, 0), bucket.tryTake(50, 0)]
    const wantOfRecords = [bucket.tryTake(1, 50), bucket.tryTake(100, 100), bucket.tryTake(0, 100)]

    expect({ wantOfBytes, wantOfRecords }).toEqual({
      wantOfBytes: [true, false, true],
      wantOfRecords: [false, true, false]
    })
  })
})

/** The sealed records of some groups of user records, all of one hash key. */
function sealAll(groups: readonly [key: string, data: string[]][], explicitHashKey?: string): LaneRecord[] {
  const packing = new Packing()
  for (const [key, data] of groups) {
    for (const one of data) packing.add(accepted(key, one, { explicitHashKey }), laneOf(key))
  }
  packing.sealAll()
  return packing.sealed
}

/** What one record's callback is told. */
function settle(settlement: Omit<Delivered, 'members' | 'persisted'> | Omit<Failed, 'members' | 'persisted'>) {
  const told: [RecordFailedError | undefined, PutResult | undefined][] = []
  const members = new Members()
  members.push(accepted('key', 'data', { settle: (error, result) => told.push([error, result]) }))
  callBack(
    { ...settlement, members, persisted: 'no' },
    () => {},
    error => {
      throw error
    }
  )
  return told[0]!
}

/** What the KPL's aggregator_test asserts, on the aggregator together with the router that names its lanes. */
import { describe, expect, test } from 'vitest'
import { Router } from '../../src/core/router.ts'
import type { AggregatorOptions } from '../../src/lanes/aggregator.ts'
import { Limiter } from '../../src/lanes/limiter.ts'
import type { AcceptedRecord, KinesisRecord } from '../../src/model/kinesis-record.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { decodeEnvelope, isEnvelope } from '../../src/wire/decode.ts'
import { hashPartitionKey, MAX_HASH_KEY, readHashKey } from '../../src/wire/hash-key.ts'
import { accepted } from '../support/accepted.ts'
import { Packing } from '../support/lanes.ts'

const SHARDS = [
  { shardId: 'shardId-000000000001', startingHashKey: '0', endingHashKey: String(MAX_HASH_KEY / 3n) },
  {
    shardId: 'shardId-000000000002',
    startingHashKey: String(MAX_HASH_KEY / 3n + 1n),
    endingHashKey: String((MAX_HASH_KEY / 3n) * 2n)
  },
  {
    shardId: 'shardId-000000000003',
    startingHashKey: String((MAX_HASH_KEY / 3n) * 2n + 1n),
    endingHashKey: String(MAX_HASH_KEY)
  }
]

describe('aggregator_test', () => {
  test('Basic: every user record goes to the shard of its hash key, and the 100th of a shard gives its aggregate', () => {
    const { put, packing } = open(SHARDS, { aggregationMaxCount: 100 })
    const random = seededRandom(5)
    const records: AcceptedRecord[] = []

    for (let shard = 0; shard < 3; shard++) {
      for (let i = 0; i < 100; i++) {
        expect(packing.sealed.length).toBe(shard)
        const hashKey = BigInt(SHARDS[shard]!.startingHashKey) + BigInt(Math.floor(random() * 1e9))
        records.push(put(accepted(`key-${i % 9}`, `data-${shard}-${i}`, { explicitHashKey: String(hashKey) })))
      }
    }

    expect(packing.sealed.map(record => record.lane.shardId)).toEqual(SHARDS.map(shard => shard.shardId))
    for (const [shard, record] of packing.sealed.entries()) {
      const own = records.slice(shard * 100, shard * 100 + 100)
      expect(outerOf(record)).toEqual({
        partitionKey: 'a',
        explicitHashKey: own[0]!.explicitHashKey,
        isAggregate: true,
        isEnvelope: true
      })
      expect(membersOf(record)).toEqual(own.map(expectedMember))
    }
  })

  test('Basic: records without an explicit hash key are routed by the MD5 of their partition key', () => {
    const { put, packing } = open(SHARDS)
    const records = Array.from({ length: 300 }, (_, i) => put(accepted(`key-${i}`, `${i}`)))

    packing.sealAll()

    expect(packing.sealed.map(record => record.lane.shardId).sort()).toEqual(SHARDS.map(shard => shard.shardId))
    for (const record of packing.sealed) {
      const own = records.filter(user => shardOf(user) === record.lane.shardId)
      expect(membersOf(record)).toEqual(own.map(expectedMember))
      expect(record.explicitHashKey).toBe(String(hashKeyOf(own[0]!)))
    }
  })

  test('ShardMapDown, better than the KPL: without a map records still go together, but only those of one hash key', () => {
    const { put, packing } = open(undefined)
    const records = Array.from({ length: 100 }, (_, i) => put(accepted(`key-${i % 10}`, `${i}`)))
    const early = packing.sealed.length

    packing.sealAll()

    expect([early, packing.sealed.map(record => record.lane.shardId)]).toEqual([0, Array(10).fill(undefined)])
    expect(packing.sealed.map(membersOf)).toEqual(
      Array.from({ length: 10 }, (_, key) => records.filter((_, i) => i % 10 === key).map(expectedMember))
    )
    expect(packing.sealed.map(record => record.explicitHashKey)).toEqual(
      records.slice(0, 10).map(record => String(hashKeyOf(record)))
    )
  })

  test('ShardMapDown, better than the KPL: equal explicit hash keys share an envelope whatever the partition keys are', () => {
    const { put, packing } = open(undefined)
    const records = Array.from({ length: 20 }, (_, i) =>
      put(accepted(`key-${i}`, `${i}`, { explicitHashKey: i % 2 === 0 ? '7' : '8' }))
    )

    packing.sealAll()

    expect(packing.sealed.map(record => [record.explicitHashKey, membersOf(record)])).toEqual([
      ['7', records.filter((_, i) => i % 2 === 0).map(expectedMember)],
      ['8', records.filter((_, i) => i % 2 === 1).map(expectedMember)]
    ])
  })

  test('AggregationDisabled: every put gives at once a plain record with its own data, partition key and hash key', () => {
    const { put, packing } = open(SHARDS, { aggregationEnabled: false })

    for (let i = 0; i < 100; i++) {
      put(accepted(`key-${i}`, `data-${i}`, i % 2 === 0 ? {} : { explicitHashKey: String(i) }))
      expect(packing.sealed.length).toBe(i + 1)
    }

    expect(packing.sealed.map(record => ({ ...outerOf(record), data: textOf(record.data) }))).toEqual(
      Array.from({ length: 100 }, (_, i) => ({
        partitionKey: `key-${i}`,
        explicitHashKey: i % 2 === 0 ? undefined : String(i),
        isAggregate: false,
        isEnvelope: false,
        data: `data-${i}`
      }))
    )
  })

  test('AggregationDisabled, better than the KPL: a plain record knows its shard, so that the rate limit holds for it', () => {
    const { put, packing } = open(SHARDS, { aggregationEnabled: false })

    const records = Array.from({ length: 30 }, (_, i) => put(accepted(`key-${i}`, `${i}`)))

    expect(packing.sealed.map(record => record.lane.shardId)).toEqual(records.map(shardOf))
  })

  test('Concurrency: 25,000 records to three shards, with flushes in between, are neither lost, doubled nor reordered', () => {
    const { put, packing } = open(SHARDS, { aggregationMaxCount: 77 })
    const random = seededRandom(7)
    const records: AcceptedRecord[] = []

    for (let i = 0; i < 25_000; i++) {
      records.push(put(accepted(`key-${i % 13}`, String(i))))
      if (random() < 0.01) packing.sealAll()
    }
    packing.sealAll()

    for (const { shardId } of SHARDS) {
      const left = packing.sealed.filter(record => record.lane.shardId === shardId).flatMap(membersOf)
      expect(left).toEqual(records.filter(record => shardOf(record) === shardId).map(expectedMember))
    }
  })
})

/** An aggregator behind a router that has the map, or has given up waiting for one. */
function open(shards: typeof SHARDS | undefined, options: Partial<AggregatorOptions> = {}) {
  const limiterOptions = { rateLimitPercent: 150, retryBaseMs: 50, retryCapMs: 5_000, ordering: 'none' } as const
  const limiter = new Limiter({ ...limiterOptions, laneMaxBytes: 1e9 }, () => 0)
  const router = new Router({ recordTtlMs: 120_000, recordDistributionDefault: 'USER_PARTITION_KEY' }, limiter, () => 0)
  if (shards !== undefined) {
    router.directory.startIfDue(0)
    router.directory.loaded(shards, 0)
  }
  router.listingCame()
  router.summaryCame(undefined)
  router.update(0)
  const packing = new Packing(options)
  const put = (record: AcceptedRecord) => {
    packing.add(record, router.laneOf(record, undefined, 0))
    return record
  }
  return { put, packing }
}

function hashKeyOf(record: AcceptedRecord): bigint {
  if (record.explicitHashKey !== undefined) return BigInt(record.explicitHashKey)
  const words = new Uint32Array(4)
  hashPartitionKey(record.partitionKey, words)
  return readHashKey(words)
}

function shardOf(record: AcceptedRecord): string {
  const hashKey = hashKeyOf(record)
  const owner = SHARDS.find(shard => BigInt(shard.startingHashKey) <= hashKey && hashKey <= BigInt(shard.endingHashKey))
  return owner!.shardId
}

function outerOf({ partitionKey, explicitHashKey, isAggregate, data }: KinesisRecord) {
  return { partitionKey, explicitHashKey, isAggregate, isEnvelope: isEnvelope(data) }
}

function membersOf(record: KinesisRecord) {
  const members = record.isAggregate ? decodeEnvelope(record.data) : [record]
  return members.map(({ partitionKey, explicitHashKey, data }) => ({
    partitionKey,
    explicitHashKey,
    data: textOf(data)
  }))
}

function expectedMember({ partitionKey, explicitHashKey, data }: AcceptedRecord) {
  return { partitionKey, explicitHashKey, data }
}

function textOf(data: Uint8Array): string {
  return new TextDecoder().decode(data)
}

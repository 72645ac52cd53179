import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  SplitShardCommand,
  UpdateMaxRecordSizeCommand
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ProducerOptions } from '../../src/model/options.ts'
import type { PutResult } from '../../src/model/results.ts'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { readStream } from '../../src/reader/read-stream.ts'
import { FakeKinesis, startFakeKinesisServer } from '../../src/testing/index.ts'
import { startKinesalite } from './kinesalite.ts'
import { startKinesisLocal } from './kinesis-local.ts'

/**
 * The same scenarios against our fake and against two implementations that are not ours, so that our producer and our fake
 * cannot share one misunderstanding of the service. kinesalite has neither ARNs nor UpdateMaxRecordSize.
 */
const credentials = { accessKeyId: '000000000000', secretAccessKey: 'secret' }
const region = 'us-east-1'
const servers = new Map<string, { readonly endpoint: string; close(): unknown }>()
const MAX_HASH_KEY = (1n << 128n) - 1n
const MAX_RECORD_BYTES = 10_485_760

beforeAll(async () => {
  const kinesis = new FakeKinesis({ nowMs: () => performance.now(), creatingMs: 1_000 })
  const fake = await startFakeKinesisServer({ kinesis })
  // kinesis-local never throttles.
  fake.kinesis.setThroughputLimits(false)
  servers.set('the fake', fake)
  const [local, lite] = await Promise.all([startKinesisLocal(), startKinesalite()])
  servers.set('kinesis-local', local)
  servers.set('kinesalite', lite)
})

afterAll(async () => {
  for (const server of servers.values()) await server.close()
})

for (const name of ['the fake', 'kinesis-local', 'kinesalite']) {
  test(`${name} gives aggregated records back whole`, async () => {
    await using world = await open(name, 'aggregated', 2)
    const records = Array.from({ length: 500 }, (_, i) => ({ partitionKey: `key-${i % 37}`, data: `record ${i} é` }))

    const results = await Promise.all(records.map(record => world.producer.put(record)))

    expect(results.some(result => result.subSequenceNumber !== undefined)).toBe(true)
    expect(await world.read()).toEqual(expected(records, results))
  })

  test(`${name} puts explicit hash keys 0 and 2^128 - 1 into the first and the last shard`, async () => {
    await using world = await open(name, 'ends', 2)
    const records = [0n, MAX_HASH_KEY].map(explicitHashKey => ({
      partitionKey: 'k',
      data: String(explicitHashKey),
      explicitHashKey
    }))

    const results = await Promise.all(records.map(record => world.producer.put(record)))

    expect(results.map(result => result.shardId)).toEqual(['shardId-000000000000', 'shardId-000000000001'])
  })

  test(`${name} loses nothing through a split and a merge in mid-flight`, async () => {
    await using world = await open(name, 'resharded', 2)
    const records = Array.from({ length: 300 }, (_, i) => ({ partitionKey: `key-${i % 53}`, data: `record ${i}` }))
    const put = (from: number, to: number) =>
      Promise.all(records.slice(from, to).map(record => world.producer.put(record)))

    const first = await put(0, 100)
    const [second] = await Promise.all([put(100, 200), world.split()])
    const [third] = await Promise.all([put(200, 300), world.merge()])
    const wanted = expected(records, [...first, ...second, ...third])
    const read = await world.read()

    expect(wanted.filter(record => !read.some(copy => isSame(copy, record)))).toEqual([])
  })

  test(`${name} takes what was put while the stream was being created`, async () => {
    await using world = await create(name, 'young', 2)
    const records = Array.from({ length: 20 }, (_, i) => ({ partitionKey: `key-${i}`, data: `record ${i}` }))

    const results = await Promise.all(records.map(record => world.producer.put(record)))

    expect(await world.read()).toEqual(expected(records, results))
  })
}

for (const name of ['the fake', 'kinesis-local']) {
  test(`${name} takes a stream ARN in place of its name`, async () => {
    await using world = await open(name, 'by-arn', 1)
    const record = { partitionKey: 'k', data: 'by ARN', streamName: await world.arn() }

    const result = await world.producer.put(record)

    expect(await world.read()).toEqual(expected([record], [result]))
  })

  test(`${name} takes a record of 10 MiB on a stream that was raised, and gives one of 3 MiB back`, async () => {
    await using world = await open(name, 'large', 1, { maxUserRecordBytes: MAX_RECORD_BYTES, requestTimeoutMs: 50_000 })
    await world.client.send(
      new UpdateMaxRecordSizeCommand({ StreamARN: await world.arn(), MaxRecordSizeInKiB: MAX_RECORD_BYTES / 1024 })
    )
    await world.active()
    const large = { partitionKey: 'k', data: 'x'.repeat(3 * 1024 * 1024) }
    const largest = { partitionKey: 'k', data: 'x'.repeat(MAX_RECORD_BYTES - 1) }

    const result = await world.producer.put(large)
    const read = await world.read()
    const largestResult = await world.producer.put(largest)

    expect(read).toEqual(expected([large], [result]))
    // Not read back: kinesis-local takes minutes for it, or fails.
    expect(largestResult.shardId).toBe('shardId-000000000000')
  })
}

interface PlacedRecord {
  readonly shardId: string
  readonly sequenceNumber: string
  readonly subSequenceNumber: number
  readonly partitionKey: string
  readonly data: string
}

function expected(
  records: readonly { partitionKey: string; data: string }[],
  results: readonly PutResult[]
): PlacedRecord[] {
  return results
    .map(({ shardId, sequenceNumber, subSequenceNumber = 0 }, i) => {
      const { partitionKey, data } = records[i]!
      return { shardId, sequenceNumber, subSequenceNumber, partitionKey, data }
    })
    .sort(byPlace)
}

function byPlace(left: PlacedRecord, right: PlacedRecord): number {
  if (left.shardId !== right.shardId) return left.shardId < right.shardId ? -1 : 1
  const difference = BigInt(left.sequenceNumber) - BigInt(right.sequenceNumber)
  return difference === 0n ? left.subSequenceNumber - right.subSequenceNumber : Number(difference > 0n) * 2 - 1
}

function isSame(left: PlacedRecord, right: PlacedRecord): boolean {
  return byPlace(left, right) === 0 && left.data === right.data && left.partitionKey === right.partitionKey
}

async function open(serverName: string, streamName: string, ShardCount: number, options: ProducerOptions = {}) {
  const world = await create(serverName, streamName, ShardCount, options)
  await world.active()
  return world
}

async function create(serverName: string, streamName: string, ShardCount: number, options: ProducerOptions = {}) {
  const { endpoint } = servers.get(serverName)!
  const client = new KinesisClient({ region, endpoint, credentials, requestHandler: new NodeHttpHandler() })
  const summary = async () =>
    (await client.send(new DescribeStreamSummaryCommand({ StreamName: streamName }))).StreamDescriptionSummary
  const active = async () => {
    while ((await summary())?.StreamStatus !== 'ACTIVE') await new Promise(resolve => setImmediate(resolve))
  }
  const openShards = async () =>
    ((await client.send(new ListShardsCommand({ StreamName: streamName }))).Shards ?? []).filter(
      shard => shard.SequenceNumberRange?.EndingSequenceNumber === undefined
    )
  await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount }))
  const producer = new KinesisProducer({ streamName, region, endpoint, credentials, ...options })
  return {
    client,
    producer,
    active,
    arn: async () => (await summary())?.StreamARN ?? '',
    split: async () => {
      const shard = (await openShards())[0]
      const start = BigInt(shard?.HashKeyRange?.StartingHashKey ?? 0)
      const end = BigInt(shard?.HashKeyRange?.EndingHashKey ?? 0)
      const NewStartingHashKey = ((start + end) / 2n).toString()
      await client.send(
        new SplitShardCommand({ StreamName: streamName, ShardToSplit: shard?.ShardId, NewStartingHashKey })
      )
      await active()
    },
    merge: async () => {
      const shards = await openShards()
      const byStart = shards.sort((left, right) =>
        BigInt(left.HashKeyRange?.StartingHashKey ?? 0) < BigInt(right.HashKeyRange?.StartingHashKey ?? 0) ? -1 : 1
      )
      const [left, right] = byStart
      const neighbours = { ShardToMerge: left?.ShardId, AdjacentShardToMerge: right?.ShardId }
      await client.send(new MergeShardsCommand({ StreamName: streamName, ...neighbours }))
      await active()
    },
    read: async () => {
      const read: PlacedRecord[] = []
      for await (const record of readStream(client, streamName, { follow: false })) {
        const { shardId, sequenceNumber, subSequenceNumber, partitionKey } = record
        read.push({
          shardId,
          sequenceNumber,
          subSequenceNumber,
          partitionKey,
          data: new TextDecoder().decode(record.data)
        })
      }
      return read.sort(byPlace)
    },
    [Symbol.asyncDispose]: async () => {
      await producer.close()
      client.destroy()
    }
  }
}

import { KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { describe, expect, test } from 'vitest'
import { readStream, type StreamRecord } from '../../src/reader/read-stream.ts'
import { startFakeKinesisServer } from '../../src/testing/index.ts'
import {
  collect,
  HIGH_KEY,
  LOW_KEY,
  MIDDLE,
  put,
  putAggregate,
  SHARDS,
  STREAM,
  serviceError,
  setUp,
  show
} from './fixture.ts'

describe('readStream', () => {
  test('reads all shards, takes aggregates apart and says where a record is from', async () => {
    const { kinesis, read } = setUp(2)
    put(kinesis, 'plain', HIGH_KEY)
    putAggregate(kinesis, 'a=1', 'a=2')

    const records: StreamRecord[] = []
    for await (const record of read()) records.push(record)

    expect(
      records.map(({ shardId, aggregated, subSequenceNumber, arrivalTimestamp }) => ({
        shardId,
        aggregated,
        subSequenceNumber,
        arrivalTimestamp
      }))
    ).toEqual([
      { shardId: SHARDS[0], aggregated: true, subSequenceNumber: 0, arrivalTimestamp: 1_000_000 },
      { shardId: SHARDS[0], aggregated: true, subSequenceNumber: 1, arrivalTimestamp: 1_000_000 },
      { shardId: SHARDS[1], aggregated: false, subSequenceNumber: 0, arrivalTimestamp: 1_000_000 }
    ])
    expect(records.map(show)).toEqual(['0 a=1', '0 a=2', '1 b=plain'])
  })

  test('reads parents before children, across a split and a merge', async () => {
    const { kinesis, read } = setUp(1)
    put(kinesis, 'before')
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
    put(kinesis, 'low', LOW_KEY)
    put(kinesis, 'high', HIGH_KEY)
    kinesis.mergeShards({ ...STREAM, ShardToMerge: SHARDS[1], AdjacentShardToMerge: SHARDS[2] })
    put(kinesis, 'after')

    const seen = await collect(read())

    expect(seen).toEqual(['0 a=before', '1 a=low', '2 b=high', '3 a=after'])
  })

  test('follows a split that happens while it reads', async () => {
    const { kinesis, read } = setUp(1)
    put(kinesis, 'before')
    const seen: string[] = []

    for await (const record of read({ follow: true })) {
      seen.push(show(record))
      if (seen.length === 3) break
      if (seen.length > 1) continue
      kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
      put(kinesis, 'high', HIGH_KEY)
      put(kinesis, 'low', LOW_KEY)
    }

    expect(seen).toEqual(['0 a=before', '1 a=low', '2 b=high'])
  })

  test('drops the members of a misplaced aggregate that another shard owns', async () => {
    const { kinesis, read } = setUp(2)
    putAggregate(kinesis, 'a=mine', 'b=foreign')

    const filtered = await collect(read())
    const kept = await collect(read({ outOfRange: 'keep' }))

    expect([filtered, kept]).toEqual([['0 a=mine'], ['0 a=mine', '0 b=foreign']])
  })

  test('starts at the newest record on LATEST, also in shards that are made later', async () => {
    const { kinesis, read } = setUp(1)
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
    put(kinesis, 'old')
    const iterator = read({ from: 'LATEST', follow: true })[Symbol.asyncIterator]()
    const first = iterator.next()
    await Promise.resolve()
    // The reader asks for its iterators before it waits for anything else.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    put(kinesis, 'new')

    const { value } = await first
    await iterator.return?.()

    expect(show(value)).toBe('1 a=new')
  })

  test('starts at a time', async () => {
    const { time, kinesis, read } = setUp(1)
    put(kinesis, 'old')
    time.advanceBy(5000)
    put(kinesis, 'new')

    const seen = await collect(read({ from: { timestampMs: 1_005_000 } }))

    expect(seen).toEqual(['0 a=new'])
  })

  test('goes on where a position says, in the middle of an aggregate and in other shards', async () => {
    const { kinesis, read } = setUp(2)
    putAggregate(kinesis, 'a=1', 'a=2', 'a=3')
    put(kinesis, '4', HIGH_KEY)
    const first = read()

    const before = await collect(first, 2)
    const position = JSON.parse(JSON.stringify(first.position()))
    const after = await collect(read({ from: position }))
    const { SequenceNumber } = kinesis.getRecords(
      kinesis.getShardIterator({ ...STREAM, ShardId: SHARDS[0], ShardIteratorType: 'TRIM_HORIZON' })
    ).Records[0]!

    expect([before, after]).toEqual([
      ['0 a=1', '0 a=2'],
      ['0 a=2', '0 a=3', '1 b=4']
    ])
    expect(position).toEqual({ shards: { [SHARDS[0]]: `${SequenceNumber}:0`, [SHARDS[1]]: 'TRIM_HORIZON' } })
  })

  test('does not read again a shard that a position says has ended', async () => {
    const { kinesis, read } = setUp(1)
    put(kinesis, 'before')
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
    const first = read()
    await collect(first)
    put(kinesis, 'after')

    const seen = await collect(read({ from: first.position() }))

    expect(first.position().shards[SHARDS[0]]).toBe('SHARD_END')
    expect(seen).toEqual(['1 a=after'])
  })

  test('waits longer after each read that is throttled, and goes on', async () => {
    const { kinesis, read, faults, calls } = setUp(1)
    put(kinesis, 'text')
    faults.push(...Array.from({ length: 3 }, () => serviceError('ProvisionedThroughputExceededException')))

    const seen = await collect(read())

    const reads = calls.filter(call => call.name === 'GetRecordsCommand').map(call => call.atMs - 1_000_000)
    expect([seen, reads]).toEqual([['0 a=text'], [0, 200, 600, 1400, 1600]])
  })

  test.each(['InternalFailure', 'ServiceUnavailable', 'ECONNRESET'])('tries again after %s', async name => {
    const { kinesis, read, faults } = setUp(1)
    put(kinesis, 'text')
    faults.push(serviceError(name, 500))

    const seen = await collect(read())

    expect(seen).toEqual(['0 a=text'])
  })

  test('gives up after ten failures in a row', async () => {
    const { read, faults } = setUp(1)
    faults.push(...Array.from({ length: 11 }, () => serviceError('LimitExceededException')))

    const reading = collect(read())

    await expect(reading).rejects.toMatchObject({
      name: 'StreamReadError',
      code: 'KPL_ERR_READ_FAILED',
      shardId: SHARDS[0],
      cause: { name: 'LimitExceededException' },
      message: `stream orders, shard ${SHARDS[0]}: GetRecords failed 11 times in a row; the last time with LimitExceededException: LimitExceededException`
    })
    expect(faults).toEqual([])
  })

  test('throws what will not pass by itself', async () => {
    const { read, faults } = setUp(1)
    faults.push(serviceError('AccessDeniedException'))

    const reading = collect(read())

    await expect(reading).rejects.toThrow('AccessDeniedException')
  })

  test('asks for a new iterator when the consumer was slower than an iterator lives, and repeats nothing', async () => {
    const { time, kinesis, read } = setUp(1)
    for (const text of ['1', '2', '3']) put(kinesis, text)
    const seen: string[] = []

    for await (const record of read({ maxRecordsPerRead: 1 })) {
      seen.push(show(record))
      time.advanceBy(400_000)
    }

    expect(seen).toEqual(['0 a=1', '0 a=2', '0 a=3'])
  })

  test('polls an idle shard once in idleMs', async () => {
    const { kinesis, read, calls, time } = setUp(1)
    const controller = new AbortController()
    const reader = read({ follow: true, idleMs: 700, signal: controller.signal })
    time.schedule(1_003_000, () => controller.abort())
    put(kinesis, 'text')

    const seen = await collect(reader)

    const reads = calls.filter(call => call.name === 'GetRecordsCommand').map(call => call.atMs - 1_000_000)
    expect([seen, reads]).toEqual([['0 a=text'], [0, 200, 900, 1600, 2300]])
  })

  test('finishes without error when the signal fires, between records and before the first', async () => {
    const { kinesis, read } = setUp(1)
    putAggregate(kinesis, 'a=1', 'a=2')
    const controller = new AbortController()
    const seen: string[] = []

    for await (const record of read({ signal: controller.signal })) {
      seen.push(show(record))
      controller.abort()
    }
    const none = await collect(read({ signal: controller.signal }))

    expect([seen.slice(0, 1), none]).toEqual([['0 a=1'], []])
  })

  test('reads over HTTP with the SDK as it is', async () => {
    const { kinesis } = setUp(2)
    putAggregate(kinesis, 'a=1', 'a=2')
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[1], NewStartingHashKey: `${3n << 126n}` })
    put(kinesis, '3', HIGH_KEY)
    const server = await startFakeKinesisServer({ kinesis })
    const client = new KinesisClient({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      requestHandler: new NodeHttpHandler()
    })

    const seen = await collect(readStream(client, 'orders', { follow: false, from: { timestampMs: 5 } }))
    client.destroy()
    await server.close()

    expect(seen).toEqual(['0 a=1', '0 a=2', '2 b=3'])
  })
})

import { describe, expect, test } from 'vitest'
import { FakeKinesis, seededRandom, VirtualClock } from '../../src/testing/index.ts'
import { fixture, openRanges, record, refusal, STREAM } from './fixture.ts'

const HASH_KEY_SPACE = 2n ** 128n
const SEED = process.env['SEED'] ?? 'walk'

function uniform(shardCount: number): [bigint, bigint][] {
  const start = (i: number) => (BigInt(i) * HASH_KEY_SPACE) / BigInt(shardCount)
  return Array.from({ length: shardCount }, (_, i) => [start(i), start(i + 1) - 1n])
}

describe('streams', () => {
  test.each([1, 2, 3, 7, 1_000])('are made with %i equal shards that cover all hash keys', shardCount => {
    const { kinesis } = fixture(shardCount)

    const ranges = openRanges(kinesis)

    expect(ranges).toEqual(uniform(shardCount))
  })

  test('are CREATING, ACTIVE and DELETING for the time they are told', () => {
    const clock = new VirtualClock()
    const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs(), creatingMs: 100, deletingMs: 50 })
    const status = () => kinesis.describeStreamSummary(STREAM).StreamDescriptionSummary.StreamStatus
    const put = () => refusal(() => kinesis.putRecords({ ...STREAM, Records: [record('x')] }))?.code

    kinesis.createStream({ ...STREAM, ShardCount: 1 })
    const creating = [status(), put(), refusal(() => kinesis.listShards(STREAM))?.code]
    clock.advanceBy(100)
    const active = [status(), put(), refusal(() => kinesis.createStream({ ...STREAM, ShardCount: 1 }))?.code]
    kinesis.deleteStream(STREAM)
    const deleting = [
      status(),
      put(),
      refusal(() => kinesis.updateShardCount({ ...STREAM, TargetShardCount: 2 }))?.code
    ]
    clock.advanceBy(50)
    const gone = [refusal(status), put()]

    expect({ creating, active, deleting }).toEqual({
      creating: ['CREATING', 'ResourceNotFoundException', 'ResourceInUseException'],
      active: ['ACTIVE', undefined, 'ResourceInUseException'],
      deleting: ['DELETING', undefined, 'ResourceInUseException']
    })
    expect(gone).toEqual([
      {
        code: 'ResourceNotFoundException',
        message: 'Stream orders under account 000000000000 not found.',
        statusCode: 400
      },
      'ResourceNotFoundException'
    ])
  })

  test('begin again with shard 0 and greater sequence numbers when deleted and made anew', () => {
    const { kinesis } = fixture(1)
    const put = () => kinesis.putRecord({ ...STREAM, ...record('x') })
    const before = put()

    kinesis.deleteStream(STREAM)
    kinesis.createStream({ ...STREAM, ShardCount: 1 })
    const after = put()

    expect(after.ShardId).toBe(before.ShardId)
    expect(BigInt(after.SequenceNumber) > BigInt(before.SequenceNumber)).toBe(true)
    expect(kinesis.storedRecords('orders').length).toBe(1)
  })

  test('split a shard at a key: the parent is closed, the children name it and number above it', () => {
    const { kinesis } = fixture(1)
    const before = kinesis.putRecord({ ...STREAM, ...record('x') })

    kinesis.splitShard({ ...STREAM, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '1000' })
    const after = kinesis.putRecord({ ...STREAM, ...record('x') })

    const { Shards } = kinesis.listShards(STREAM)
    const describe = ({ ShardId, ParentShardId, HashKeyRange, SequenceNumberRange }: (typeof Shards)[number]) => ({
      ShardId,
      ParentShardId,
      range: [HashKeyRange.StartingHashKey, HashKeyRange.EndingHashKey],
      isClosed: SequenceNumberRange.EndingSequenceNumber !== undefined
    })
    const last = String(HASH_KEY_SPACE - 1n)
    const parent = 'shardId-000000000000'
    expect(Shards.map(describe)).toEqual([
      { ShardId: parent, ParentShardId: undefined, range: ['0', last], isClosed: true },
      { ShardId: 'shardId-000000000001', ParentShardId: parent, range: ['0', '999'], isClosed: false },
      { ShardId: 'shardId-000000000002', ParentShardId: parent, range: ['1000', last], isClosed: false }
    ])
    expect(BigInt(after.SequenceNumber) > BigInt(Shards[0]!.SequenceNumberRange.EndingSequenceNumber!)).toBe(true)
    expect(BigInt(Shards[0]!.SequenceNumberRange.EndingSequenceNumber!) > BigInt(before.SequenceNumber)).toBe(true)
  })

  test('merge two adjacent shards into one with both as parents', () => {
    const { kinesis } = fixture(3)

    kinesis.mergeShards({
      ...STREAM,
      ShardToMerge: 'shardId-000000000002',
      AdjacentShardToMerge: 'shardId-000000000001'
    })

    const { Shards } = kinesis.listShards({ ...STREAM, ShardFilter: { Type: 'AT_LATEST' } })
    expect(Shards.map(shard => [shard.ShardId, shard.ParentShardId, shard.AdjacentParentShardId])).toEqual([
      ['shardId-000000000000', undefined, undefined],
      ['shardId-000000000003', 'shardId-000000000002', 'shardId-000000000001']
    ])
    expect(openRanges(kinesis)).toEqual([uniform(3)[0]!, [uniform(3)[1]![0], HASH_KEY_SPACE - 1n]])
  })

  test('refuse to split outside of the shard, to merge what does not touch, and to reshard what is closed', () => {
    const { kinesis } = fixture(3)
    kinesis.splitShard({ ...STREAM, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '5' })

    const codes = [
      () => kinesis.splitShard({ ...STREAM, ShardToSplit: 'shardId-000000000001', NewStartingHashKey: '7' }),
      () => kinesis.splitShard({ ...STREAM, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '7' }),
      () => kinesis.splitShard({ ...STREAM, ShardToSplit: 'shardId-000000000009', NewStartingHashKey: '7' }),
      () =>
        kinesis.mergeShards({
          ...STREAM,
          ShardToMerge: 'shardId-000000000003',
          AdjacentShardToMerge: 'shardId-000000000002'
        })
    ].map(run => refusal(run)?.code)

    expect(codes).toEqual([
      'InvalidArgumentException',
      'InvalidArgumentException',
      'ResourceNotFoundException',
      'InvalidArgumentException'
    ])
  })

  test.each([
    [2, 4],
    [2, 3],
    [4, 2],
    [5, 7],
    [7, 4],
    [1, 2]
  ])('go from %i to %i equal shards with UpdateShardCount', (from, to) => {
    const { kinesis } = fixture(from)

    const answer = kinesis.updateShardCount({ ...STREAM, TargetShardCount: to, ScalingType: 'UNIFORM_SCALING' })

    expect([answer.CurrentShardCount, answer.TargetShardCount]).toEqual([from, to])
    expect(openRanges(kinesis)).toEqual(uniform(to))
  })

  test(`cover all hash keys without gap or overlap after any walk of splits and merges (SEED=${SEED})`, () => {
    const random = seededRandom(SEED)
    const { kinesis } = fixture(4)

    const isWhole: boolean[] = []
    for (let i = 0; i < 50; i++) {
      kinesis.reshard('orders', 1 + Math.floor(random() * 20))
      const ranges = openRanges(kinesis)
      const touches = ranges.every(([start], at) => start === (at === 0 ? 0n : ranges[at - 1]![1] + 1n))
      isWhole.push(touches && ranges[ranges.length - 1]![1] === HASH_KEY_SPACE - 1n)
    }

    expect(new Set(isWhole)).toEqual(new Set([true]))
  })

  test('refuse more than double or less than half with UpdateShardCount', () => {
    const { kinesis } = fixture(4)

    const codes = [9, 1].map(
      TargetShardCount => refusal(() => kinesis.updateShardCount({ ...STREAM, TargetShardCount }))?.code
    )

    expect(codes).toEqual(['InvalidArgumentException', 'InvalidArgumentException'])
  })

  test('are UPDATING while shards change one step at a time', () => {
    const { clock, kinesis } = fixture(2, { updatingMs: 10 })
    const look = () => {
      const { StreamStatus, OpenShardCount } = kinesis.describeStreamSummary(STREAM).StreamDescriptionSummary
      return [StreamStatus, OpenShardCount]
    }

    kinesis.updateShardCount({ ...STREAM, TargetShardCount: 4 })
    const seen = [look()]
    for (let i = 0; i < 2; i++) {
      clock.advanceBy(10)
      seen.push(look())
    }

    expect(seen).toEqual([
      ['UPDATING', 2],
      ['UPDATING', 3],
      ['ACTIVE', 4]
    ])
  })

  test('list 10,000 shards in pages of 1,000', () => {
    const { kinesis } = fixture(10_000)

    const pages: number[] = []
    const ids = new Set<string>()
    let input: Parameters<FakeKinesis['listShards']>[0] = STREAM
    for (;;) {
      const { Shards, NextToken } = kinesis.listShards(input)
      pages.push(Shards.length)
      for (const shard of Shards) ids.add(shard.ShardId)
      if (NextToken === undefined) break
      input = { NextToken }
    }

    expect({ pages, ids: ids.size }).toEqual({ pages: new Array(10).fill(1_000), ids: 10_000 })
  })

  test('page ListShards by MaxResults, start after a shard, and keep the filter over pages', () => {
    const { kinesis } = fixture(4)
    kinesis.splitShard({ ...STREAM, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '5' })
    const ids = (answer: ReturnType<FakeKinesis['listShards']>) =>
      answer.Shards.map(shard => Number(shard.ShardId.slice(-2)))

    const first = kinesis.listShards({ ...STREAM, MaxResults: 2, ShardFilter: { Type: 'AT_LATEST' } })
    const second = kinesis.listShards({ NextToken: first.NextToken, MaxResults: 2 })
    const third = kinesis.listShards({ NextToken: second.NextToken, MaxResults: 2 })
    const after = kinesis.listShards({ ...STREAM, ExclusiveStartShardId: 'shardId-000000000003' })

    expect([first, second, third, after].map(ids)).toEqual([[1, 2], [3, 4], [5], [4, 5]])
    expect(third.NextToken).toBe(undefined)
  })

  test('refuse a token with a stream, a token that is not one, and one that is too old', () => {
    const { clock, kinesis } = fixture(2)
    const { NextToken } = kinesis.listShards({ ...STREAM, MaxResults: 1 })
    const { StreamARN } = kinesis.describeStreamSummary(STREAM).StreamDescriptionSummary

    const together = refusal(() => kinesis.listShards({ ...STREAM, NextToken }))
    const withArn = refusal(() => kinesis.listShards({ StreamARN, NextToken }))?.code
    const bad = refusal(() => kinesis.listShards({ NextToken: 'nonsense' }))?.code
    clock.advanceBy(300_001)
    const old = refusal(() => kinesis.listShards({ NextToken }))?.code

    expect({ together, withArn, bad, old }).toEqual({
      together: {
        code: 'InvalidArgumentException',
        message: 'NextToken and StreamName cannot be provided together.',
        statusCode: 400
      },
      withArn: 'InvalidArgumentException',
      bad: 'InvalidArgumentException',
      old: 'ExpiredNextTokenException'
    })
  })

  test('list the shards of another time: a filter by timestamp, or a stale answer', () => {
    const { clock, kinesis } = fixture(1)
    clock.advanceBy(1_000)
    kinesis.reshard('orders', 2)
    const ids = (answer: ReturnType<FakeKinesis['listShards']>) =>
      answer.Shards.map(shard => Number(shard.ShardId.slice(-2)))
    const AT_LATEST = { ...STREAM, ShardFilter: { Type: 'AT_LATEST' } }

    const now = kinesis.listShards(AT_LATEST)
    const stale = kinesis.listShards(AT_LATEST, 1)
    const atTimestamp = kinesis.listShards({ ...STREAM, ShardFilter: { Type: 'AT_TIMESTAMP', Timestamp: 1_000.5 } })
    const fromTimestamp = kinesis.listShards({ ...STREAM, ShardFilter: { Type: 'FROM_TIMESTAMP', Timestamp: 1_000.5 } })

    expect([now, stale, atTimestamp, fromTimestamp].map(ids)).toEqual([[1, 2], [0], [0], [0, 1, 2]])
    expect(stale.Shards[0]!.SequenceNumberRange).toEqual({ StartingSequenceNumber: expect.stringMatching(/^\d{56}$/) })
  })

  test('take AUTO distribution in ON_DEMAND mode only', () => {
    const { kinesis } = fixture(1)

    const refused = refusal(() =>
      kinesis.updateStreamRecordDistributionStrategy({ ...STREAM, RecordDistributionStrategy: 'AUTO' })
    )?.code
    kinesis.updateStreamMode({ ...STREAM, StreamModeDetails: { StreamMode: 'ON_DEMAND' } })
    kinesis.updateStreamRecordDistributionStrategy({ ...STREAM, RecordDistributionStrategy: 'AUTO' })

    expect(refused).toBe('ValidationException')
    expect(kinesis.describeStreamSummary(STREAM).StreamDescriptionSummary).toEqual({
      StreamName: 'orders',
      StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: 1_000,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: 'NONE',
      OpenShardCount: 1,
      ConsumerCount: 0,
      MaxRecordSizeInKiB: 1_024,
      RecordDistributionStrategy: 'AUTO'
    })
  })
})

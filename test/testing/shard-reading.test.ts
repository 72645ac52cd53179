import { describe, expect, test } from 'vitest'
import type { FakeKinesis, GetRecordsOutput, GetShardIteratorInput } from '../../src/testing/index.ts'
import { fixture, record, refusal, STREAM } from './fixture.ts'

const SHARD = 'shardId-000000000000'
const MIB = 1_048_576

function read(kinesis: FakeKinesis, how: Omit<GetShardIteratorInput, 'ShardId'>, Limit?: number): GetRecordsOutput {
  const { ShardIterator } = kinesis.getShardIterator({ ...STREAM, ShardId: SHARD, ...how })
  return kinesis.getRecords({ ShardIterator, Limit })
}

function texts(answer: GetRecordsOutput): string[] {
  return answer.Records.map(({ Data }) => Buffer.from(Data).toString())
}

describe('reading a shard', () => {
  test('begins where each kind of iterator says', () => {
    const { clock, kinesis } = fixture(1)
    const [, second] = ['one', 'two', 'three'].map(text => {
      clock.advanceBy(1_000)
      return kinesis.putRecord({ ...STREAM, ...record(text) }).SequenceNumber
    })

    const seen = [
      read(kinesis, { ShardIteratorType: 'TRIM_HORIZON' }),
      read(kinesis, { ShardIteratorType: 'LATEST' }),
      read(kinesis, { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: second }),
      read(kinesis, { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: second }),
      read(kinesis, { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: 1_001.5 })
    ].map(texts)

    expect(seen).toEqual([['one', 'two', 'three'], [], ['two', 'three'], ['three'], ['two', 'three']])
  })

  test('gives each record once with its key, number and arrival, and says how far behind it is', () => {
    const { clock, kinesis } = fixture(1)
    const put = kinesis.putRecord({ ...STREAM, ...record('one', 'k1') })
    clock.advanceBy(250)
    kinesis.putRecord({ ...STREAM, ...record('two', 'k2') })
    clock.advanceBy(750)

    const first = read(kinesis, { ShardIteratorType: 'TRIM_HORIZON' }, 1)
    const second = kinesis.getRecords({ ShardIterator: first.NextShardIterator! })
    const third = kinesis.getRecords({ ShardIterator: second.NextShardIterator! })

    expect(first.Records).toEqual([
      {
        SequenceNumber: put.SequenceNumber,
        ApproximateArrivalTimestamp: 1_000,
        Data: Buffer.from('one'),
        PartitionKey: 'k1'
      }
    ])
    expect([first, second, third].map(texts)).toEqual([['one'], ['two'], []])
    expect([first, second, third].map(answer => answer.MillisBehindLatest)).toEqual([750, 0, 0])
  })

  test('ends a closed shard with its children and no further iterator', () => {
    const { kinesis } = fixture(1)
    kinesis.putRecord({ ...STREAM, ...record('one') })
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARD, NewStartingHashKey: '10' })

    const answer = read(kinesis, { ShardIteratorType: 'TRIM_HORIZON' })

    expect({ ...answer, Records: texts(answer) }).toEqual({
      Records: ['one'],
      MillisBehindLatest: 0,
      ChildShards: [
        {
          ShardId: 'shardId-000000000001',
          ParentShards: [SHARD],
          HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' }
        },
        {
          ShardId: 'shardId-000000000002',
          ParentShards: [SHARD],
          HashKeyRange: { StartingHashKey: '10', EndingHashKey: String(2n ** 128n - 1n) }
        }
      ]
    })
  })

  test('stops at 10 MiB', () => {
    const { kinesis } = fixture(1, { throughputLimits: false })
    for (let i = 0; i < 11; i++) kinesis.putRecord({ ...STREAM, ...record('x'.repeat(MIB - 3)) })

    const answer = read(kinesis, { ShardIteratorType: 'TRIM_HORIZON' })

    expect(answer.Records.length).toBe(10)
  })

  test('refuses unknown shards, kinds, limits, numbers and iterators, and an iterator older than 5 minutes', () => {
    const { clock, kinesis } = fixture(1)
    const old = kinesis.getShardIterator({ ...STREAM, ShardId: SHARD, ShardIteratorType: 'LATEST' })
    clock.advanceBy(300_001)

    const codes = [
      () => kinesis.getShardIterator({ ...STREAM, ShardId: 'shardId-000000000007', ShardIteratorType: 'LATEST' }),
      () => read(kinesis, { ShardIteratorType: 'NEWEST' }),
      () => read(kinesis, { ShardIteratorType: 'LATEST' }, 10_001),
      () => read(kinesis, { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: '7' }),
      () => kinesis.getRecords({ ShardIterator: 'nonsense' }),
      () => kinesis.getRecords(old)
    ].map(run => refusal(run)?.code)

    expect(codes).toEqual([
      'ResourceNotFoundException',
      'ValidationException',
      'ValidationException',
      'InvalidArgumentException',
      'InvalidArgumentException',
      'ExpiredIteratorException'
    ])
  })
})

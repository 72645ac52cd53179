/** What a stream reader believes of ends, listings and saved places, and that none of it loses a shard. */
import { describe, expect, test } from 'vitest'
import { collect, HIGH_KEY, LOW_KEY, MIDDLE, once, put, SHARDS, STREAM, setUp } from './fixture.ts'

const ALL = { StartingHashKey: '0', EndingHashKey: `${2n ** 128n - 1n}` }
const LOWER = { StartingHashKey: '0', EndingHashKey: `${2n ** 127n - 1n}` }

describe('children in an answer of GetRecords', () => {
  test.each([
    ['the shard itself', { ShardId: SHARDS[0], ParentShards: [SHARDS[0]], HashKeyRange: ALL }],
    ['a shard of other parents', { ShardId: SHARDS[3], ParentShards: [SHARDS[2]], HashKeyRange: ALL }],
    ['a shard for half of the hash keys', { ShardId: SHARDS[3], ParentShards: [SHARDS[0]], HashKeyRange: LOWER }]
  ])('that are %s do not end an open shard', async (_, child) => {
    const { kinesis, read, overrides } = setUp(1)
    put(kinesis, '1')
    const reader = read()
    once(overrides, 'GetRecordsCommand', { answer: { Records: [], ChildShards: [child], MillisBehindLatest: 0 } })

    const seen = await collect(reader)

    expect(seen).toEqual(['0 a=1'])
    expect(Object.keys(reader.position().shards)).toEqual([SHARDS[0]])
  })

  test('of which one is missing are completed from the listing', async () => {
    const { kinesis, read, overrides } = setUp(1)
    const before = kinesis.listShards(STREAM)
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
    put(kinesis, 'low', LOW_KEY)
    put(kinesis, 'high', HIGH_KEY)
    let listings = 0
    overrides.of = (name, input) => {
      if (name === 'ListShardsCommand') return listings++ === 0 ? { answer: before } : undefined
      if (name !== 'GetRecordsCommand') return undefined
      const { ChildShards, ...rest } = kinesis.getRecords(input as never)
      return ChildShards && { answer: { ...rest, ChildShards: ChildShards.slice(0, 1) } }
    }

    const seen = await collect(read())

    expect(seen.sort()).toEqual(['1 a=low', '2 b=high'])
  })
})

test('a merged shard waits for the parent that no listing has named yet', async () => {
  const { kinesis, read, overrides } = setUp(2)
  const quarter = `${1n << 126n}`
  const putAt = (ExplicitHashKey: string, text: string) =>
    kinesis.putRecord({ ...STREAM, PartitionKey: 'k', ExplicitHashKey, Data: Buffer.from(text) })
  putAt(quarter, 'in 0')
  const seen: string[] = []

  for await (const { data } of read({ follow: true })) {
    seen.push(Buffer.from(data).toString())
    if (seen.length === 3) break
    if (seen.length === 2) continue
    // Shard 0 splits into 2 and 3; 3 and 1 merge into 4. The end of shard 0 is not answered, so shard 1 is first to name 4.
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: quarter })
    putAt(quarter, 'in 3')
    kinesis.mergeShards({ ...STREAM, ShardToMerge: SHARDS[3], AdjacentShardToMerge: SHARDS[1] })
    putAt(quarter, 'in 4')
    overrides.of = (name, input) => {
      const isEndOfZero = name === 'GetRecordsCommand' && kinesis.getRecords(input as never).ChildShards?.length === 2
      if (!isEndOfZero) return undefined
      overrides.of = undefined
      return { answer: new Promise(() => {}) }
    }
  }

  expect(seen).toEqual(['in 0', 'in 3', 'in 4'])
})

describe('a listing without an open shard for some hash keys', () => {
  test.each([
    ['the first only', [0]],
    ['the parent and one child', [0, 1]],
    ['the children but no first one', [2]]
  ])('(%s) is asked for again, also from LATEST', async (_, listed) => {
    const { kinesis, read, overrides, calls } = setUp(1)
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
    const { Shards } = kinesis.listShards(STREAM)
    once(overrides, 'ListShardsCommand', { answer: { Shards: listed.map(index => Shards[index]) } })
    const reader = read({ from: 'LATEST' })

    await collect(reader)

    expect(calls.filter(({ name }) => name === 'ListShardsCommand')).toHaveLength(2)
    expect(reader.position()).toEqual({
      shards: { [SHARDS[0]]: 'SHARD_END', [SHARDS[1]]: 'LATEST', [SHARDS[2]]: 'LATEST' }
    })
  })

  test('for ever is an error', async () => {
    const { kinesis, read, overrides } = setUp(2)
    const { Shards } = kinesis.listShards(STREAM)
    overrides.of = name => (name === 'ListShardsCommand' ? { answer: { Shards: Shards.slice(1) } } : undefined)

    const reading = collect(read())

    await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_READ_FAILED', cause: { errorCode: 'ListingGap' } })
  })
})

describe('a saved place', () => {
  test('SHARD_END is not believed of a shard of which the listing says no numbers', async () => {
    const { read, overrides } = setUp(1)
    const answer = { Shards: [{ ShardId: SHARDS[0], HashKeyRange: ALL }] }
    overrides.of = name => (name === 'ListShardsCommand' ? { answer } : undefined)

    const reading = collect(read({ from: { shards: { [SHARDS[0]]: 'SHARD_END' } } }))

    await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_STALE_POSITION', shardId: SHARDS[0] })
  })

  test('is not called stale because a listing was behind, nor because its shard is not listed any more', async () => {
    const { kinesis, read, overrides } = setUp(1)
    const before = kinesis.listShards(STREAM)
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
    put(kinesis, 'low', LOW_KEY)
    once(overrides, 'ListShardsCommand', { answer: before })
    const reader = read({ from: { shards: { [SHARDS[0]]: 'SHARD_END', [SHARDS[3]]: 'SHARD_END' } } })

    const seen = await collect(reader)

    expect(seen).toEqual(['1 a=low'])
    expect(reader.position().shards).toMatchObject({ [SHARDS[0]]: 'SHARD_END', [SHARDS[3]]: 'SHARD_END' })
  })

  test('that is stale says that all are: with `restart` none of them is believed, nor kept', async () => {
    const { kinesis, read } = setUp(2)
    put(kinesis, 'low', LOW_KEY)
    // Shard 0 has ended in both streams, so only shard 1 says that the position is not of this one.
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: `${1n << 126n}` })
    put(kinesis, 'high', HIGH_KEY)
    const from = { shards: { [SHARDS[0]]: 'SHARD_END', [SHARDS[1]]: 'SHARD_END', 'shardId-000000000009': 'SHARD_END' } }
    const reader = read({ from, onStalePosition: 'restart' })

    const seen = await collect(reader)

    expect(seen.sort()).toEqual(['0 a=low', '1 b=high'])
    expect(Object.keys(reader.position().shards).sort()).toEqual([...SHARDS])
  })
})

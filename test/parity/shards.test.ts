/** What the KPL's shard_map_test asserts, and where our map is deliberately better. */
import { describe, expect, test } from 'vitest'
import { ShardDirectory } from '../../src/stages/shard-directory.ts'
import { ShardMap } from '../../src/stages/shard-map.ts'
import { HASH_KEY_WORDS, writeHashKey } from '../../src/wire/hash-key.ts'

const MAX = (1n << 128n) - 1n
const listing = (...ends: bigint[]) =>
  ends.map((end, i) => ({
    shardId: `shardId-${String(i).padStart(12, '0')}`,
    startingHashKey: String(i === 0 ? 0n : ends[i - 1]! + 1n),
    endingHashKey: String(end)
  }))
const idOf = (index: number) => `shardId-${String(index).padStart(12, '0')}`

function predict(map: ShardMap, hashKey: bigint): string {
  const words = new Uint32Array(HASH_KEY_WORDS)
  writeHashKey(hashKey, words)
  return map.predict(words, 0)
}

describe('shard_map_test', () => {
  test('Basic: every boundary key belongs to its shard', () => {
    const ends = [10n, 1n << 64n, (1n << 127n) + 5n, MAX]
    const map = new ShardMap(listing(...ends))

    const predicted = [0n, ...ends.flatMap(end => (end === MAX ? [end] : [end, end + 1n]))].map(key =>
      predict(map, key)
    )

    expect(predicted).toEqual([0, 0, 1, 1, 2, 2, 3, 3].map(idOf))
  })

  test('ClosedShards: overlapping ranges are not believed, and the last good map stays', () => {
    const directory = new ShardDirectory(() => 0)
    directory.startIfDue(0)
    directory.loaded(listing(MAX), 10)
    const parents = [...listing(10n, MAX), { shardId: idOf(9), startingHashKey: '0', endingHashKey: String(MAX) }]

    const load = () => directory.loaded(parents, 2000)

    expect(load).toThrow('the shard listing has an overlap')
    expect(directory.map?.shardIds).toEqual([idOf(0)])
  })

  test('Backoff: failed listings are tried again after 1 s, 1.5 times longer each time, 30 s at most', () => {
    const directory = new ShardDirectory(() => 0)
    const waits: number[] = []
    let nowMs = 0

    for (let i = 0; i < 11; i++) {
      directory.startIfDue(nowMs)
      directory.failed(nowMs)
      waits.push(directory.nextDeadlineMs - nowMs)
      nowMs = directory.nextDeadlineMs
    }

    expect(waits.map(wait => Math.round(wait))).toEqual([
      1000, 1500, 2250, 3375, 5063, 7594, 11391, 17086, 25629, 30000, 30000
    ])
  })

  test('Invalidate: an answer older than the map asks for nothing, a newer one for one listing, and lookups go on', () => {
    const directory = new ShardDirectory(() => 0)
    directory.startIfDue(0)
    directory.loaded(listing(10n, MAX), 5000)

    directory.contradicted(idOf(1), 4000, 6000)
    const afterOld = directory.isRefreshing
    directory.contradicted(idOf(1), 5500, 6000)
    const starts = [directory.startIfDue(6000), directory.startIfDue(6000)]

    expect([afterOld, starts, directory.map?.shardIds.length]).toEqual([false, [true, false], 2])
  })

  test('refreshes are at least a second apart, whatever the answers say', () => {
    const directory = new ShardDirectory(() => 0)
    directory.startIfDue(0)
    directory.loaded(listing(MAX), 10)

    directory.contradicted(idOf(7), 20, 30)

    expect([directory.startIfDue(999), directory.nextDeadlineMs]).toEqual([false, 1000])
  })

  test('ClosedParentShardsAreRemovedAfterSomeTime: a closed range is known for ten minutes', () => {
    const directory = new ShardDirectory(() => 0)
    const child = [{ shardId: idOf(5), startingHashKey: '0', endingHashKey: String(MAX) }]
    directory.startIfDue(0)
    directory.loaded(listing(10n, MAX), 0)
    directory.loaded(child, 1000)
    const known = directory.rangeOf(idOf(0))

    directory.loaded(child, 601_001)

    expect([known?.end, directory.rangeOf(idOf(0))]).toEqual([10n, undefined])
  })
})

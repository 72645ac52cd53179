/** What the KPL's shard_map_test asserts, on the map and on the directory that keeps it fresh. Pages: see test/aws. */
import { describe, expect, test } from 'vitest'
import { ShardDirectory } from '../../src/core/shard-directory.ts'
import { ShardMap } from '../../src/core/shard-map.ts'
import type { ShardHashRange } from '../../src/model/ports.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { HASH_KEY_WORDS, MAX_HASH_KEY, writeHashKey } from '../../src/wire/hash-key.ts'

describe('shard_map_test', () => {
  test('Basic: 0, each end, the key after each end and 2^128 - 1 belong to their shards, in whatever order they are listed', () => {
    const ends = [9n, 1n << 32n, 1n << 96n, (1n << 127n) - 1n, MAX_HASH_KEY]
    const listing = cover(ends)

    const maps = [new ShardMap(listing), new ShardMap([...listing].reverse())]

    const keys = [0n, ...ends.slice(0, -1).flatMap(end => [end, end + 1n]), MAX_HASH_KEY]
    for (const map of maps) {
      expect(keys.map(key => predict(map, key))).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4].map(idOf))
    }
  })

  test('Basic: one good listing is one fetch, and nothing is fetched again without evidence', () => {
    const directory = new ShardDirectory(() => 0)

    const starts = [directory.startIfDue(0), directory.startIfDue(1)]
    directory.loaded(cover([MAX_HASH_KEY]), 5)

    expect([starts, directory.isRefreshing, directory.startIfDue(1e12)]).toEqual([[true, false], false, false])
  })

  test('ClosedShards, stricter than the KPL: a listing with parents beside their children is not believed, and the last map serves', () => {
    const directory = loaded(cover([99n, MAX_HASH_KEY]), 0)
    const parent = { shardId: idOf(0), startingHashKey: '0', endingHashKey: '99' }
    const children = [
      { shardId: idOf(2), startingHashKey: '0', endingHashKey: '49' },
      { shardId: idOf(3), startingHashKey: '50', endingHashKey: '99' }
    ]
    const rest = { shardId: idOf(1), startingHashKey: '100', endingHashKey: String(MAX_HASH_KEY) }

    const refusal = directory.loaded([parent, ...children, rest], 2000)

    expect(refusal?.message).toBe('the shard listing has an overlap')
    expect(directory.map?.shardIds).toEqual([idOf(0), idOf(1)])
    directory.loaded([...children, rest], 3000)
    expect(directory.map?.shardIds).toEqual([idOf(2), idOf(3), idOf(1)])
  })

  test('RetryAfterInitialFailure: after one failure the second fetch brings the map', () => {
    const directory = new ShardDirectory(() => 0)
    directory.startIfDue(0)
    directory.failed(20)
    const early = directory.startIfDue(1019)

    const second = directory.startIfDue(1020)
    directory.loaded(cover([MAX_HASH_KEY]), 1040)

    expect([early, second, directory.map?.shardIds, directory.loadedMs]).toEqual([false, true, [idOf(0)], 1040])
  })

  test('RetryWithFailureInTheMiddle: a success starts the waits anew, and the map that was there serves during failures', () => {
    const directory = new ShardDirectory(() => 0)
    const waits = failures(directory, 0, 2)
    let nowMs = directory.nextDeadlineMs
    directory.startIfDue(nowMs)
    directory.loaded(cover([MAX_HASH_KEY]), nowMs)
    nowMs += 5000
    directory.contradicted(idOf(1), nowMs, nowMs)

    const waitsAfter = failures(directory, nowMs, 2)

    expect([waits, waitsAfter, directory.map?.shardIds]).toEqual([[1000, 1500], [1000, 1500], [idOf(0)]])
  })

  test('Backoff: waits grow from 1 s by 1.5 up to 30 s, and never spread by more than 250 ms', () => {
    const plain = failures(new ShardDirectory(() => 0), 0, 40)
    const random = seededRandom(9)

    const spread = failures(new ShardDirectory(random), 0, 40).map((wait, i) => wait - plain[i]!)

    expect(plain).toEqual(Array.from({ length: 40 }, (_, i) => Math.min(30_000, 1000 * 1.5 ** i)))
    expect(spread.every(jitterMs => jitterMs >= 0 && jitterMs < 250)).toBe(true)
    expect(Math.max(...spread) - Math.min(...spread)).toBeGreaterThan(100)
  })

  test('Invalidate, better than the KPL: lookups go on while the new map is fetched, and evidence older than the map is ignored', () => {
    const directory = loaded(cover([MAX_HASH_KEY]), 5000)
    directory.contradicted(idOf(0), 4999, 6000)
    const afterOld = directory.isRefreshing
    directory.contradicted(idOf(0), 5001, 6000)

    const starts = [directory.startIfDue(6000), directory.startIfDue(6000)]
    for (let i = 0; i < 10; i++) directory.contradicted(idOf(0), 5900, 6001 + i)
    const during = predict(directory.map!, 7n)
    directory.loaded(cover([5n, MAX_HASH_KEY], 1), 6100)

    expect([afterOld, starts, during]).toEqual([false, [true, false], idOf(0)])
    expect([predict(directory.map!, 7n), directory.isRefreshing]).toEqual([idOf(2), false])
  })

  test('InvalidateWithShard: late answers about a shard that has closed ask for nothing, one from an open shard for one fetch', () => {
    const directory = loaded(cover([MAX_HASH_KEY]), 0)
    directory.loaded(cover([5n, MAX_HASH_KEY], 1), 5000)
    directory.contradicted(idOf(0), 4000, 5500)
    const afterClosed = directory.isRefreshing

    directory.contradicted(idOf(1), 5200, 5500)
    const start = directory.startIfDue(5500)
    directory.loaded(cover([5n, MAX_HASH_KEY], 1), 5600)

    expect([afterClosed, start, directory.isRefreshing]).toEqual([false, true, false])
  })

  test('InvalidateWithShard, better than the KPL: a listing taken too early to show a new shard is fetched again, but not for ever', () => {
    const directory = loaded(cover([MAX_HASH_KEY]), 0)
    directory.contradicted(idOf(7), 900, 1000)
    const fetches: number[] = []

    for (let nowMs = 1000; directory.isRefreshing; nowMs = directory.nextDeadlineMs) {
      directory.startIfDue(nowMs)
      fetches.push(nowMs)
      directory.loaded(cover([MAX_HASH_KEY]), nowMs + 10)
    }

    expect(fetches).toEqual([1000, 2000, 3000, 4000, 5000])
  })

  test('ClosedParentShardsAreRemovedAfterSomeTime: the range of a closed shard is known for ten minutes, then forgotten', () => {
    const directory = loaded(cover([10n, MAX_HASH_KEY]), 0)
    const children = cover([20n, 30n, MAX_HASH_KEY], 2)
    directory.loaded(children, 1000)
    const atOnce = [0, 1, 2, 3, 4].map(index => directory.rangeOf(idOf(index)))
    directory.loaded(children, 600_999)
    const before = directory.rangeOf(idOf(0))

    directory.loaded(children, 601_000)

    const open = [
      { start: 0n, end: 20n },
      { start: 21n, end: 30n },
      { start: 31n, end: MAX_HASH_KEY }
    ]
    expect(atOnce).toMatchObject([{ start: 0n, end: 10n }, { start: 11n, end: MAX_HASH_KEY }, ...open])
    expect(before).toMatchObject({ start: 0n, end: 10n })
    expect([0, 1, 2, 3, 4].map(index => directory.rangeOf(idOf(index)))).toEqual([undefined, undefined, ...open])
  })

  test('better than the KPL: a stream that is made anew with the same shard ids has its new ranges, not the remembered ones', () => {
    const directory = loaded(cover([10n, MAX_HASH_KEY]), 0)
    directory.loaded(cover([MAX_HASH_KEY], 2), 1000)

    directory.loaded(cover([77n, MAX_HASH_KEY]), 2000)

    expect([0, 1].map(index => directory.rangeOf(idOf(index)))).toEqual([
      { start: 0n, end: 77n },
      { start: 78n, end: MAX_HASH_KEY }
    ])
  })

  test('ListShards, stricter than the KPL: a listing with a gap, without an end, empty or malformed is a failed fetch', () => {
    const [first, second] = cover([10n, MAX_HASH_KEY]) as [ShardHashRange, ShardHashRange]
    const listings: [string, ShardHashRange[]][] = [
      ['is no list', undefined as never],
      ['has a shard without an id or with a malformed hash key range', [null as never]],
      ['has no open shard', []],
      ['has a gap', [second]],
      ['ends before 2^128 - 1', [first]],
      ['has an overlap', [first, first, second]],
      ['names one shard twice', [first, { ...second, shardId: first.shardId }]],
      ['has a shard without an id or with a malformed hash key range', [{ ...first, startingHashKey: '-1' }, second]]
    ]

    for (const [fault, listing] of listings) {
      const directory = new ShardDirectory(() => 0)
      directory.startIfDue(0)
      expect(directory.loaded(listing, 10)?.message).toBe(`the shard listing ${fault}`)
      expect([directory.map, directory.nextDeadlineMs]).toEqual([undefined, 1010])
    }
  })
})

function idOf(index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`
}

/** Shards one after another, each up to one of `ends`, numbered from `firstIndex`. */
function cover(ends: readonly bigint[], firstIndex = 0): ShardHashRange[] {
  return ends.map((end, i) => ({
    shardId: idOf(firstIndex + i),
    startingHashKey: String(i === 0 ? 0n : ends[i - 1]! + 1n),
    endingHashKey: String(end)
  }))
}

function loaded(listing: readonly ShardHashRange[], nowMs: number): ShardDirectory {
  const directory = new ShardDirectory(() => 0)
  directory.startIfDue(nowMs)
  directory.loaded(listing, nowMs)
  return directory
}

/** Lets `count` fetches in a row fail, the first at `nowMs`, and returns the waits after each. */
function failures(directory: ShardDirectory, nowMs: number, count: number): number[] {
  const waits: number[] = []
  let atMs = nowMs
  for (let i = 0; i < count; i++) {
    directory.startIfDue(atMs)
    directory.failed(atMs)
    waits.push(directory.nextDeadlineMs - atMs)
    atMs = directory.nextDeadlineMs
  }
  return waits
}

function predict(map: ShardMap, hashKey: bigint): string {
  const words = new Uint32Array(HASH_KEY_WORDS)
  writeHashKey(hashKey, words)
  return map.predict(words, 0)
}

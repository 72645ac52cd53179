import { expect, test } from 'vitest'
import { Router } from '../../src/core/router.ts'
import type { Lane } from '../../src/lanes/lane.ts'
import { Limiter } from '../../src/lanes/limiter.ts'
import type { ShardHashRange } from '../../src/model/ports.ts'
import { MAX_HASH_KEY } from '../../src/wire/hash-key.ts'
import { accepted, sealed } from '../support/accepted.ts'

const [FIRST, SECOND, THIRD] = ['shardId-000000000000', 'shardId-000000000001', 'shardId-000000000002']
const HALF = 2n ** 127n

test('a stream waits for its first map and summary, and then has the lanes of the map', () => {
  const { router, laneAt } = open()
  const waiting = laneAt(1n)

  router.directory.loaded(halves(FIRST, SECOND), 0)
  router.listingCame()
  const withoutSummary = [router.mode, router.update(0)]
  router.summaryCame(true)
  const gone = router.update(0)

  expect([waiting.kind, withoutSummary]).toEqual(['waiting', ['waiting', []]])
  expect([router.mode, gone, waiting.isGone]).toEqual(['shards', [waiting], true])
  expect([laneAt(1n).shardId, laneAt(HALF).shardId]).toEqual([FIRST, SECOND])
})

test.each([
  ['keys decide the shard', true, 'keys'],
  ['nobody says who does', undefined, 'plain'],
  ['the service chooses shards', false, 'plain']
] as const)('without a map, and %s: %s', (_, isKeyed, mode) => {
  const { router, laneAt } = open()
  router.listingCame()
  router.summaryCame(isKeyed)

  router.update(0)

  expect([router.mode, laneAt(1n).kind, laneAt(1n) === laneAt(HALF)]).toEqual([mode, 'stream', true])
})

test('the owner may say that keys decide the shard, until a summary says otherwise', () => {
  const { router } = open('USER_PARTITION_KEY')
  router.listingCame()
  router.summaryCame(undefined)
  router.update(0)
  const before = router.mode

  const isNews = router.summaryCame(false)
  router.update(0)

  expect([before, isNews, router.mode]).toEqual(['keys', true, 'plain'])
})

test('a shard that did not change keeps its lane, and one that did not come again loses it', () => {
  const { router, laneAt } = listed(halves(FIRST, SECOND))
  const [kept, split] = [laneAt(1n), laneAt(HALF)]

  router.directory.loaded([...halves(FIRST, SECOND).slice(0, 1), ...halves(THIRD, 'shardId-000000000003', HALF)], 5)
  const gone = router.update(5)

  expect([gone, kept.isGone, split.isGone]).toEqual([[split], false, true])
  expect([laneAt(1n) === kept, laneAt(HALF).shardId]).toEqual([true, THIRD])
})

test('a shard of the same id with another range gets a new lane', () => {
  const { router, laneAt } = listed(halves(FIRST, SECOND))
  const former = [laneAt(1n), laneAt(HALF)]

  router.directory.loaded(halves(FIRST, SECOND, 0n, 77n), 5)
  const gone = router.update(5)

  expect(gone).toEqual(former)
  expect(laneAt(1n)).not.toBe(former[0])
})

test('aggregates may not stay where they are not allowed any more, and the lane that takes over keeps the pace', () => {
  const { router, laneAt, limiter } = open()
  router.listingCame()
  router.summaryCame(true)
  router.update(0)
  const keyed = laneAt(1n)
  limiter.learn({ lane: keyed, requestBytes: 1000 }, 'throttled', 0, 0)

  router.setServiceManaged()
  const gone = router.update(10)
  const plain = laneAt(1n)

  expect([gone, router.mode, plain === keyed, plain.bucket === keyed.bucket]).toEqual([[keyed], 'plain', false, true])
})

test('what is plain stays where aggregates are allowed now', () => {
  const { router, laneAt } = open()
  router.listingCame()
  router.summaryCame(undefined)
  router.update(0)
  const lane = laneAt(1n)

  router.summaryCame(true)

  expect([router.update(0), router.mode, laneAt(1n) === lane]).toEqual([[], 'keys', true])
})

test('an aggregate fits where it was meant to go, and is judged by its members elsewhere', () => {
  const { router, laneAt } = listed(halves(FIRST, SECOND))
  const plain = sealed({ lane: laneAt(1n), isAggregate: false })
  const record = sealed({ lane: laneAt(1n), isAggregate: true })

  const judged = [
    router.placementOf(plain, SECOND),
    router.placementOf(record, FIRST),
    router.placementOf(record, 'new')
  ]

  expect(judged).toEqual(['fits', 'fits', 'misrouted'])
})

test('an aggregate that was held for a shard that no map had is not believed because the map was forgotten', () => {
  const { router, laneAt } = open()
  router.listingCame()
  router.summaryCame(false)
  router.update(0)
  const record = sealed({ isAggregate: true, lane: laneAt(1n) })

  const placements = [router.placementOf(record, FIRST), router.placementOf(record, FIRST, true)]

  expect(placements).toEqual(['fits', 'unknown'])
})

test('a shard that no map has is waited for while a listing is on its way', () => {
  const { router, laneAt } = listed(halves(FIRST, SECOND))
  const record = sealed({ lane: laneAt(1n), isAggregate: true })

  const isNews = router.learn(record, THIRD, 5, 5)

  expect([isNews, router.placementOf(record, THIRD)]).toEqual([true, 'unknown'])
})

function open(recordDistributionDefault: 'UNSET' | 'USER_PARTITION_KEY' = 'UNSET') {
  const limits = { rateLimitPercent: 150, retryBaseMs: 50, retryCapMs: 5_000, laneMaxBytes: 1e9 }
  const limiter = new Limiter({ ...limits, ordering: 'none' }, () => 0)
  const router = new Router({ recordTtlMs: 120_000, recordDistributionDefault }, limiter, () => 0)
  const laneAt = (hashKey: bigint): Lane =>
    router.laneOf(accepted('k', 'v', { explicitHashKey: String(hashKey) }), undefined, 0)
  return { router, limiter, laneAt }
}

function listed(listing: readonly ShardHashRange[]) {
  const opened = open()
  opened.router.directory.startIfDue(0)
  opened.router.directory.loaded(listing, 0)
  opened.router.listingCame()
  opened.router.summaryCame(true)
  opened.router.update(0)
  return opened
}

/** Two shards over the hash keys from `from` on. */
function halves(first: string, second: string, from = 0n, width = (MAX_HASH_KEY + 1n - from) / 2n): ShardHashRange[] {
  const border = from + width
  return [
    { shardId: first, startingHashKey: String(from), endingHashKey: String(border - 1n) },
    { shardId: second, startingHashKey: String(border), endingHashKey: String(MAX_HASH_KEY) }
  ]
}

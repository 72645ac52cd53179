/** What the KPL's limiter_test asserts (rate limit 100 %), in virtual time. */
import { describe, expect, test } from 'vitest'
import type { LaneRecord } from '../../src/lanes/lane.ts'
import { Limiter } from '../../src/lanes/limiter.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { sealed } from '../support/accepted.ts'
import { laneOf } from '../support/lanes.ts'

const OPTIONS = {
  rateLimitPercent: 100,
  retryBaseMs: 50,
  retryCapMs: 5000,
  ordering: 'none',
  laneMaxBytes: Number.POSITIVE_INFINITY
} as const
const STEP_MS = 25

describe('limiter_test', () => {
  test('Ordering: 2,000 and then 2,000 records that come in any order leave their shard oldest first', () => {
    const limiter = new Limiter(OPTIONS, () => 0.5)
    const records = Array.from({ length: 4000 }, () => sealed({ lane: laneOf('shardId-0', limiter) }))
    const [early, late] = [records.slice(0, 2000), records.slice(2000)]
    for (const record of shuffled(early, 1)) limiter.add(record, 0)
    const left = drain(limiter, 0)
    for (const record of shuffled(late, 2)) limiter.add(record, 0)

    for (let nowMs = 0; limiter.count > 0; nowMs += STEP_MS) left.push(...drain(limiter, nowMs))

    expect(left).toEqual(records)
  })

  test('Ordering: shards take turns, and each of them is in order and at its own rate', () => {
    const limiter = new Limiter(OPTIONS, () => 0.5)
    const records = Array.from({ length: 6000 }, (_, i) => sealed({ lane: laneOf(`shardId-${i % 3}`, limiter) }))
    for (const record of shuffled(records, 3)) limiter.add(record, 0)

    const atOnce = drain(limiter, 0)
    const later = drain(limiter, 1000)

    for (let shard = 0; shard < 3; shard++) {
      const own = records.filter(record => record.lane.shardId === `shardId-${shard}`)
      expect(atOnce.filter(record => record.lane.shardId === `shardId-${shard}`)).toEqual(own.slice(0, 1000))
      expect(later.filter(record => record.lane.shardId === `shardId-${shard}`)).toEqual(own.slice(1000))
    }
    expect(new Set(atOnce.slice(0, 3).map(record => record.lane.shardId)).size).toBe(3)
  })

  test('Ordering: a record that comes back leaves before all that were accepted after it', () => {
    const limiter = new Limiter(OPTIONS, () => 0)
    const records = Array.from({ length: 5 }, () => sealed({ lane: laneOf('shardId-0', limiter) }))
    for (const record of records) limiter.add(record, 0)
    const first = limiter.release(0)!
    limiter.answered(first, 10)
    limiter.learn(first, 'throttled', 0, 10)

    limiter.addFirst(first, 10)

    expect(drain(limiter, 10)).toEqual(records)
  })

  test('Expiration: 3,000 that never expire are all sent, and 2,000 that have or do expire in the queue all are not', () => {
    const limiter = new Limiter(OPTIONS, () => 0.5)
    const never = Array.from({ length: 3000 }, () =>
      sealed({ lane: laneOf('shardId-0', limiter), expirationMs: Number.POSITIVE_INFINITY })
    )
    const others = Array.from({ length: 2000 }, (_, i) =>
      sealed({ lane: laneOf('shardId-0', limiter), expirationMs: i % 2 === 0 ? 0 : 1000 })
    )
    for (const record of [...never, ...others]) limiter.add(record, 0)
    const sent: LaneRecord[] = []
    const expired: LaneRecord[] = []

    for (let nowMs = 0; limiter.count > 0; nowMs += STEP_MS) {
      for (const record of drain(limiter, nowMs)) (record.expirationMs <= nowMs ? expired : sent).push(record)
    }

    expect(sent).toEqual(never)
    expect(expired).toEqual(others)
  })

  test('Expiration: what is expired at the head is handed out at once and takes no tokens', () => {
    const limiter = new Limiter(OPTIONS, () => 0.5)
    for (let i = 0; i < 1000; i++) limiter.add(sealed({ lane: laneOf('shardId-0', limiter), expirationMs: 0 }), 0)
    const alive = Array.from({ length: 1000 }, () => sealed({ lane: laneOf('shardId-0', limiter) }))
    for (const record of alive) limiter.add(record, 0)

    const left = drain(limiter, 0)

    expect([left.length, left.slice(1000), limiter.count]).toEqual([2000, alive, 0])
  })

  test('Expiration: a lane that backs off for long still wakes when its oldest record expires', () => {
    const limiter = new Limiter(OPTIONS, () => 0.99)
    for (let i = 0; i < 10; i++) limiter.learn(sealed({ lane: laneOf('shardId-0', limiter) }), 'throttled', i, i)
    limiter.add(sealed({ lane: laneOf('shardId-0', limiter), expirationMs: 1000 }), 10)

    const wakeMs = limiter.nextDeadlineMs
    const [early, due] = [drain(limiter, 999).length, drain(limiter, 1000).length]

    expect([wakeMs, early, due]).toEqual([1000, 0, 1])
  })
})

function drain(limiter: Limiter, nowMs: number): LaneRecord[] {
  const left: LaneRecord[] = []
  for (let next = limiter.release(nowMs); next !== undefined; next = limiter.release(nowMs)) left.push(next)
  return left
}

function shuffled(records: readonly LaneRecord[], seed: number): LaneRecord[] {
  const random = seededRandom(seed)
  return records
    .map(record => ({ record, place: random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ record }) => record)
}

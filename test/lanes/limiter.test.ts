import { describe, expect, test } from 'vitest'
import type { Lane, LanePlace, LaneRecord } from '../../src/lanes/lane.ts'
import { Limiter, type LimiterOptions } from '../../src/lanes/limiter.ts'
import { Members } from '../../src/model/kinesis-record.ts'
import { accepted, sealed } from '../support/accepted.ts'
import { laneOf } from '../support/lanes.ts'

const FAR_MS = 1e12
/** Of a lane that was not used, after one small record. */
const THROTTLED_FACTOR = 0.1 - 1 / 1500

describe('turns', () => {
  test('lanes that can send take turns, one record each', () => {
    const stage = limiter()
    for (const shard of ['a', 'a', 'a', 'b', 'b', 'c']) stage.add(record(stage, shard), 0)

    const shards = releaseAll(stage, 0).map(released => released.lane.shardId)

    expect(shards).toEqual(['a', 'b', 'c', 'a', 'b', 'a'])
    expect([stage.count, stage.nextDeadlineMs, stage.release(0)]).toEqual([0, Infinity, undefined])
  })

  test('within a lane the oldest goes first, and what was out goes before it', () => {
    const stage = limiter()
    for (const number of [3, 1, 2]) stage.add(record(stage, 'a', { number }), 0)
    stage.addFirst(record(stage, 'a', { number: 9 }), 0)

    const numbers = releaseAll(stage, 0).map(released => released.members.numbers[0])

    expect(numbers).toEqual([9, 1, 2, 3])
  })

  test('a lane that backs off does not delay another', () => {
    const stage = limiter()
    stage.learn(record(stage, 'a'), 'failed', 0, 0)
    stage.add(record(stage, 'a'), 0)
    stage.add(record(stage, 'b'), 0)

    const shards = releaseAll(stage, 0).map(released => released.lane.shardId)

    expect(shards).toEqual(['b'])
    expect([stage.count, stage.nextDeadlineMs]).toEqual([1, 50])
    expect(releaseAll(stage, 50).length).toBe(1)
  })

  test('a lane without tokens does not delay another, and is woken when it has some', () => {
    const stage = limiter({ rateLimitPercent: 100 })
    for (let i = 0; i < 1001; i++) stage.add(record(stage, 'a'), 0)
    const beforeOther = releaseAll(stage, 0).length
    stage.add(record(stage, 'b'), 0)

    const other = stage.release(0)
    const wakeMs = stage.nextDeadlineMs

    expect([beforeOther, other?.lane.shardId, wakeMs]).toEqual([1000, 'b', 1])
    expect(stage.release(wakeMs)?.lane.shardId).toBe('a')
  })

  test('a record whose time has ended leaves even from a lane that waits', () => {
    const stage = limiter()
    stage.hold(laneOf('a', stage), 0)
    stage.add(record(stage, 'a', { expirationMs: 500 }), 0)

    const answers = [stage.nextDeadlineMs, stage.release(499), stage.release(500)?.expirationMs, stage.count]

    expect(answers).toEqual([500, undefined, 500, 0])
  })
})

describe('back-off', () => {
  test('doubles with each failure that says something new, up to its cap', () => {
    const stage = limiter({ retryBaseMs: 50, retryCapMs: 300 })
    const waitsMs: number[] = []

    for (let i = 0, nowMs = 0; i < 5; i++, nowMs = stage.nextDeadlineMs) {
      stage.learn(record(stage, 'a'), 'failed', nowMs, nowMs)
      if (i === 0) stage.add(record(stage, 'a'), 0)
      waitsMs.push(stage.nextDeadlineMs - nowMs)
    }

    expect(waitsMs).toEqual([50, 100, 200, 300, 300])
  })

  test('does not double for failures of attempts that began before the last was known', () => {
    const stage = limiter()
    stage.learn(record(stage, 'a'), 'failed', 0, 100)
    stage.add(record(stage, 'a'), 100)

    for (let i = 0; i < 23; i++) stage.learn(record(stage, 'a'), 'throttled', i, 101 + i)
    const afterLateMs = stage.nextDeadlineMs
    stage.learn(record(stage, 'a'), 'failed', 150, 150)

    expect([afterLateMs, stage.nextDeadlineMs]).toEqual([150, 250])
  })

  test('starts anew after a success', () => {
    const stage = limiter()
    for (const nowMs of [0, 50, 150]) stage.learn(record(stage, 'a'), 'failed', nowMs, nowMs)

    stage.learn(record(stage, 'a'), 'stored', 0, 0)
    stage.learn(record(stage, 'a'), 'failed', 1000, 1000)
    stage.add(record(stage, 'a'), 1000)

    expect(stage.nextDeadlineMs).toBe(1050)
  })

  test('has full jitter', () => {
    const stage = limiter({}, () => 0.25)

    stage.learn(record(stage, 'a'), 'failed', 0, 0)
    stage.add(record(stage, 'a'), 0)

    expect(stage.nextDeadlineMs).toBe(12.5)
  })

  test('ends for every lane when the outage is over', () => {
    const stage = limiter()
    for (const shard of ['a', 'b']) {
      stage.learn(record(stage, shard), 'failed', 0, 0)
      stage.add(record(stage, shard), 0)
    }

    stage.forgive(10)
    const count = releaseAll(stage, 10).length
    stage.learn(record(stage, 'a'), 'failed', 10, 10)
    stage.add(record(stage, 'a'), 10)

    expect([count, stage.nextDeadlineMs]).toEqual([2, 60])
  })

  test('of a throttle cuts the rate of its lane alone', () => {
    const stage = limiter()
    for (const shard of ['a', 'b']) stage.add(record(stage, shard), 0)

    stage.learn(record(stage, 'a'), 'throttled', 0, 0)

    expect([laneOf('a', stage).bucket.factor, laneOf('b', stage).bucket.factor]).toEqual([THROTTLED_FACTOR, 1])
  })

  test('of a throttle cuts the rate once for every record, also for those that double nothing', () => {
    const stage = limiter()

    for (let i = 0; i < 3; i++) stage.learn(record(stage, 'a', { requestBytes: 15_728.64 }), 'throttled', 0, 100)

    expect(Number(laneOf('a', stage).bucket.factor.toFixed(6))).toBe(0.07)
  })
})

describe('hold', () => {
  test('keeps a lane back until all are resumed, and no other', () => {
    const stage = limiter()
    stage.hold(laneOf('a', stage), 0)
    for (const shard of ['a', 'b']) stage.add(record(stage, shard, { expirationMs: Infinity }), 0)

    const held = [releaseAll(stage, 0).map(released => released.lane.shardId), stage.release(FAR_MS)]
    const whileHeld = stage.nextDeadlineMs
    stage.resumeAll(FAR_MS)

    expect([held, whileHeld, stage.nextDeadlineMs]).toEqual([[['b'], undefined], Infinity, 0])
    expect(stage.release(FAR_MS)?.lane.shardId).toBe('a')
  })

  test('does not end a back-off that outlasts it', () => {
    const stage = limiter()
    stage.learn(record(stage, 'a'), 'failed', 0, 0)
    stage.hold(laneOf('a', stage), 0)
    stage.add(record(stage, 'a'), 0)

    stage.resumeAll(10)

    expect([stage.release(49), stage.nextDeadlineMs, stage.release(50)?.lane.shardId]).toEqual([undefined, 50, 'a'])
  })
})

describe('retire', () => {
  test('forgets lanes that are gone and returns what they held, oldest first', () => {
    const stage = limiter()
    for (const [shard, number] of [
      ['a', 2],
      ['a', 1],
      ['b', 3]
    ] as const)
      stage.add(record(stage, shard, { number }), 0)

    const taken = retire(stage, 'a')

    expect(taken.map(gone => gone.members.numbers[0])).toEqual([1, 2])
    expect([stage.count, releaseAll(stage, 0).map(released => released.lane.shardId)]).toEqual([1, ['b']])
  })
})

describe('a lane that waits for the first map', () => {
  test('sends nothing, however long it waits', () => {
    const stage = limiter()
    const lane = stage.open({ kind: 'waiting' }, 0)
    stage.add({ ...record(stage, 'a', { expirationMs: Infinity }), lane }, 0)

    expect([stage.release(FAR_MS), stage.nextDeadlineMs, stage.count]).toEqual([undefined, Infinity, 1])
  })
})

describe('a lane that keeps the pace of a former one', () => {
  test('backs off as long, and has its rate', () => {
    const stage = limiter()
    stage.learn(record(stage, 'a'), 'throttled', 0, 0)

    const lane = stage.open({ kind: 'stream' }, 10, laneOf('a', stage))
    stage.add({ ...record(stage, 'a'), lane }, 10)

    expect([stage.nextDeadlineMs, lane.bucket.factor]).toEqual([50, THROTTLED_FACTOR])
  })
})

describe("ordering 'key'", () => {
  test('one record of a lane is out until it is answered', () => {
    const stage = limiter({ ordering: 'key' })
    for (const shard of ['a', 'a', 'b']) stage.add(record(stage, shard), 0)

    const out = releaseAll(stage, 0)
    stage.answered(out[1]!, 5)
    const afterOther = stage.release(5)
    stage.answered(out[0]!, 5)

    expect(out.map(released => released.lane.shardId)).toEqual(['a', 'b'])
    expect([afterOther, stage.release(5)?.lane.shardId, stage.count]).toEqual([undefined, 'a', 0])
  })

  test('a record that goes again goes before the others of its lane', () => {
    const stage = limiter({ ordering: 'key' })
    for (const number of [1, 2]) stage.add(record(stage, 'a', { number }), 0)
    const first = stage.release(0)!

    stage.addFirst(first, 1)
    stage.answered(first, 1)

    expect(stage.release(1)).toBe(first)
    expect(stage.release(1)).toBeUndefined()
  })

  test('a lane waits for gone lanes over the same hash keys until the last record of those is answered', () => {
    const stage = limiter({ ordering: 'key' })
    const parent = stage.open(place('parent', 0n, 99n), 0)
    stage.add({ ...record(stage, 'parent'), lane: parent }, 0)
    const out = stage.release(0)!
    retire(stage, parent)
    const child = stage.open(place('child', 50n, 99n), 0)
    const other = stage.open(place('other', 100n, 199n), 0)
    for (const lane of [child, other]) stage.add({ ...record(stage, 'x'), lane }, 0)

    const whileBlocked = releaseAll(stage, 1).map(released => released.lane.shardId)
    stage.answered(out, 2)

    expect(whileBlocked).toEqual(['other'])
    expect(stage.release(2)?.lane.shardId).toBe('child')
  })

  test('a lane of an unknown shard waits for every gone lane, and every lane for it', () => {
    const stage = limiter({ ordering: 'key' })
    const parent = stage.open(place('parent', 0n, 99n), 0)
    stage.add({ ...record(stage, 'parent'), lane: parent }, 0)
    const out = stage.release(0)!
    retire(stage, parent)

    const lane = stage.open({ kind: 'stream' }, 0)
    stage.add({ ...record(stage, 'x'), lane }, 0)
    const whileBlocked = stage.release(1)
    stage.answered(out, 2)

    expect([whileBlocked, stage.release(2)?.lane === lane]).toEqual([undefined, true])
  })

  test('a gone lane with nothing out blocks nobody', () => {
    const stage = limiter({ ordering: 'key' })
    const parent = stage.open(place('parent', 0n, 99n), 0)
    stage.add({ ...record(stage, 'parent'), lane: parent }, 0)
    retire(stage, parent)

    const child = stage.open(place('child', 0n, 99n), 0)
    stage.add({ ...record(stage, 'x'), lane: child }, 0)

    expect(stage.release(0)?.lane.shardId).toBe('child')
  })
})

describe('a huge rateLimitPercent', () => {
  test('does not spin: every wake-up releases something, or comes a millisecond later at least', () => {
    const stage = limiter({ rateLimitPercent: 1_000_000_000 })
    for (let i = 0; i < 20_000; i++) stage.add(record(stage, `${i % 3}`, { requestBytes: 10_485_760 }), 0)
    let wakes = 0
    let released = 0

    for (let nowMs = 0; released < 20_000 && wakes < 1000; nowMs = Math.max(nowMs, stage.nextDeadlineMs)) {
      wakes++
      released += releaseAll(stage, nowMs).length
    }

    expect(released).toBe(20_000)
    expect(wakes).toBeLessThan(10)
  })

  test.each([1, 100, 150, 151, 1_000_000, 1_000_000_000])('at %i percent a wake-up is never for nothing', percent => {
    const stage = limiter({ rateLimitPercent: percent })
    for (let i = 0; i < 3000; i++) stage.add(record(stage, 'a', { requestBytes: 1_048_576 }), 0)
    const idleWakes: number[] = []

    for (let i = 0, nowMs = 0; i < 50 && stage.count > 0; i++, nowMs = stage.nextDeadlineMs) {
      if (releaseAll(stage, nowMs).length === 0) idleWakes.push(nowMs)
    }

    expect(idleWakes).toEqual([])
  })
})

function retire(stage: Limiter, gone: Lane | string): LaneRecord[] {
  const lane = typeof gone === 'string' ? laneOf(gone, stage) : gone
  lane.isGone = true
  return stage.retire([lane], 0)
}

function place(shardId: string, start: bigint, end: bigint): LanePlace {
  return { kind: 'shard', shardId, range: { start, end } }
}

function limiter(over: Partial<LimiterOptions> = {}, random = () => 1): Limiter {
  const options = {
    rateLimitPercent: 150,
    retryBaseMs: 50,
    retryCapMs: 5000,
    ordering: 'none',
    laneMaxBytes: 1e9
  } as const
  return new Limiter({ ...options, ...over }, random)
}

function record(
  stage: Limiter,
  shardId: string,
  { number, ...over }: Partial<LaneRecord> & { number?: number } = {}
): LaneRecord {
  const members = new Members()
  members.push(accepted('key', 'data', number === undefined ? {} : { number }))
  return sealed({ members, lane: laneOf(shardId, stage), expirationMs: FAR_MS, ...over })
}

function releaseAll(stage: Limiter, nowMs: number): LaneRecord[] {
  const released: LaneRecord[] = []
  for (let next = stage.release(nowMs); next !== undefined; next = stage.release(nowMs)) released.push(next)
  return released
}

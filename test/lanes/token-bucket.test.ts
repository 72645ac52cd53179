import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TokenBucket, type TokenBucketLimits } from '../../src/lanes/token-bucket.ts'

const LIMITS: TokenBucketLimits = {
  recordsPerSecond: 100,
  bytesPerSecond: 10_000,
  capacityRecords: 100,
  capacityBytes: 10_000,
  maxFactor: 1,
  recoveryPerSecond: 0.05
}
/** What the bucket rounds away on one take, and what sums of fractions lose. */
const ROUNDING = 0.01

const takes = fc.array(
  fc.record({
    bytes: fc.integer({ min: 1, max: 10_000 }),
    waitMs: fc.double({ min: 0, max: 300, noNaN: true }),
    isThrottled: fc.boolean()
  }),
  { minLength: 1, maxLength: 200 }
)

describe('the allowance', () => {
  test('is never more than capacity and rate x span over any span', () => {
    fc.assert(
      fc.property(takes, steps => {
        const bucket = new TokenBucket(LIMITS, 0)
        const taken: { atMs: number; bytes: number }[] = []
        let nowMs = 0
        for (const { bytes, waitMs, isThrottled } of steps) {
          nowMs += waitMs
          if (isThrottled) bucket.throttle(nowMs)
          if (bucket.tryTake(bytes, nowMs)) taken.push({ atMs: nowMs, bytes })
        }

        for (let from = 0; from < taken.length; from++) {
          let sumBytes = 0
          for (let to = from; to < taken.length; to++) {
            sumBytes += taken[to]!.bytes
            const spanSeconds = (taken[to]!.atMs - taken[from]!.atMs) / 1000
            const isWithin =
              to - from + 1 <= LIMITS.capacityRecords + LIMITS.recordsPerSecond * spanSeconds + ROUNDING &&
              sumBytes <= LIMITS.capacityBytes + LIMITS.bytesPerSecond * spanSeconds + ROUNDING
            if (!isWithin) throw new Error(`${to - from + 1} records, ${sumBytes} bytes in ${spanSeconds} s`)
          }
        }
      }),
      { numRuns: 200 }
    )
  })

  test('starts full and ends with the last record', () => {
    const bucket = new TokenBucket(LIMITS, 0)

    const taken = Array.from({ length: 101 }, () => bucket.tryTake(1, 0))

    expect(taken).toEqual([...Array(100).fill(true), false])
  })

  test('starts full and ends with the last byte', () => {
    const bucket = new TokenBucket(LIMITS, 0)

    const taken = [bucket.tryTake(6000, 0), bucket.tryTake(4001, 0), bucket.tryTake(4000, 0), bucket.tryTake(1, 0)]

    expect(taken).toEqual([true, false, true, false])
  })

  test('does not grow beyond its capacity however long nothing is taken', () => {
    const bucket = new TokenBucket(LIMITS, 0)

    const taken = [bucket.tryTake(10_000, 3_600_000), bucket.tryTake(1, 3_600_000)]

    expect(taken).toEqual([true, false])
  })

  test('a refused take costs nothing', () => {
    const bucket = new TokenBucket(LIMITS, 0)
    bucket.tryTake(5000, 0)

    const refused = Array.from({ length: 200 }, () => bucket.tryTake(5001, 0))

    expect(new Set(refused)).toEqual(new Set([false]))
    expect(bucket.tryTake(5000, 0)).toBe(true)
  })

  test('a clock that goes back gives nothing and takes nothing', () => {
    const bucket = new TokenBucket(LIMITS, 1000)
    bucket.tryTake(10_000, 1000)

    const taken = [bucket.tryTake(1, 0), bucket.tryTake(10_000, 1999), bucket.tryTake(10_000, 2000)]

    expect(taken).toEqual([false, false, true])
  })
})

describe('a record larger than the capacity', () => {
  test('passes only when the bucket is full, and leaves it in debt', () => {
    const bucket = new TokenBucket(LIMITS, 0)
    bucket.tryTake(1000, 0)

    const early = bucket.tryTake(25_000, 50)
    const whenFull = bucket.tryTake(25_000, 100)
    const inDebt = bucket.nextTakeMs(1, 100)
    const nextLarge = bucket.nextTakeMs(25_000, 100)

    expect([early, whenFull]).toEqual([false, true])
    expect(inDebt).toBeCloseTo(100 + 1500.1, 3)
    expect(nextLarge).toBeCloseTo(100 + 2500, 3)
  })
})

describe('nextTakeMs', () => {
  test('says a moment that is sufficient, and is not in the past', () => {
    fc.assert(
      fc.property(takes, fc.integer({ min: 1, max: 30_000 }), (steps, wantedBytes) => {
        const bucket = new TokenBucket(LIMITS, 0)
        let nowMs = 0
        for (const { bytes, waitMs, isThrottled } of steps) {
          nowMs += waitMs
          if (isThrottled) bucket.throttle(nowMs)
          bucket.tryTake(bytes, nowMs)
        }

        const nextMs = bucket.nextTakeMs(wantedBytes, nowMs)

        expect(nextMs).toBeGreaterThanOrEqual(nowMs)
        expect(bucket.canTake(wantedBytes, nextMs)).toBe(true)
      }),
      { numRuns: 500 }
    )
  })

  test('is now when a take would succeed now', () => {
    const bucket = new TokenBucket(LIMITS, 0)

    expect(bucket.nextTakeMs(10_000, 7)).toBe(7)
  })

  test('is not later than needed at a steady rate', () => {
    const bucket = new TokenBucket(LIMITS, 0)
    bucket.tryTake(10_000, 0)

    expect(bucket.nextTakeMs(5000, 0)).toBe(500)
  })
})

describe('the factor', () => {
  test('is cut at most once a second', () => {
    const bucket = new TokenBucket({ ...LIMITS, recoveryPerSecond: 0 }, 0)
    const factors: number[] = []

    for (const atMs of [0, 1, 500, 999, 1000, 1001, 1999, 2000]) {
      bucket.throttle(atMs)
      factors.push(Number(bucket.factor.toFixed(6)))
    }

    expect(factors).toEqual([0.7, 0.7, 0.7, 0.7, 0.49, 0.49, 0.49, 0.343])
  })

  test('never falls below a twentieth', () => {
    const bucket = new TokenBucket({ ...LIMITS, recoveryPerSecond: 0 }, 0)

    for (let i = 0; i < 100; i++) bucket.throttle(i * 1000)

    expect(bucket.factor).toBe(0.05)
  })

  test('recovers by its part a second, up to its ceiling', () => {
    const bucket = new TokenBucket(LIMITS, 0)
    bucket.throttle(0)
    const factors: number[] = []

    for (const atMs of [0, 1000, 4000, 6000, 60_000]) {
      bucket.canTake(1, atMs)
      factors.push(Number(bucket.factor.toFixed(6)))
    }

    expect(factors).toEqual([0.7, 0.75, 0.9, 1, 1])
  })

  test('rises above the base rate where the ceiling allows it', () => {
    const bucket = new TokenBucket({ ...LIMITS, maxFactor: 3, recoveryPerSecond: 1 }, 0)
    const factors: number[] = []

    for (const atMs of [1000, 2000, 3000]) {
      bucket.canTake(1, atMs)
      factors.push(bucket.factor)
    }

    expect(factors).toEqual([2, 3, 3])
  })

  test('slows the refill after a throttle', () => {
    const bucket = new TokenBucket({ ...LIMITS, recoveryPerSecond: 0 }, 0)
    bucket.tryTake(10_000, 0)
    bucket.throttle(0)

    const taken = [bucket.tryTake(7001, 1000), bucket.tryTake(7000, 1000)]

    expect(taken).toEqual([false, true])
  })
})

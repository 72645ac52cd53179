import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TokenBucket, type TokenBucketLimits } from '../../src/lanes/token-bucket.ts'

const LIMITS: TokenBucketLimits = {
  recordsPerSecond: 100,
  bytesPerSecond: 10_000,
  capacityRecords: 100,
  capacityBytes: 10_000,
  maxFactor: 1,
  searchPerSecond: 0,
  recoveryPerSecond: 0.05
}
const STEADY: TokenBucketLimits = { ...LIMITS, recoveryPerSecond: 0 }
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
  test('is never more than capacity and rate x span over any span, and one record after a throttle', () => {
    fc.assert(
      fc.property(takes, steps => {
        const bucket = new TokenBucket(LIMITS, 0)
        const taken: { atMs: number; bytes: number }[] = []
        let nowMs = 0
        for (const { bytes, waitMs, isThrottled } of steps) {
          nowMs += waitMs
          if (isThrottled) bucket.throttle(bytes, nowMs)
          if (bucket.tryTake(bytes, nowMs)) taken.push({ atMs: nowMs, bytes })
        }

        for (let from = 0; from < taken.length; from++) {
          let sumBytes = 0
          let largestBytes = 0
          for (let to = from; to < taken.length; to++) {
            sumBytes += taken[to]!.bytes
            largestBytes = Math.max(largestBytes, taken[to]!.bytes)
            const spanSeconds = (taken[to]!.atMs - taken[from]!.atMs) / 1000
            const overBytes = steps.some(({ isThrottled }) => isThrottled) ? largestBytes : 0
            const isWithin =
              to - from + 1 <= LIMITS.capacityRecords + LIMITS.recordsPerSecond * spanSeconds + ROUNDING &&
              sumBytes <= LIMITS.capacityBytes + LIMITS.bytesPerSecond * spanSeconds + overBytes + ROUNDING
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
  test('says a moment that is sufficient, or a second later while the rate comes back, and none in the past', () => {
    fc.assert(
      fc.property(takes, fc.integer({ min: 1, max: 30_000 }), (steps, wantedBytes) => {
        const bucket = new TokenBucket(LIMITS, 0)
        let nowMs = 0
        for (const { bytes, waitMs, isThrottled } of steps) {
          nowMs += waitMs
          if (isThrottled) bucket.throttle(bytes, nowMs)
          bucket.tryTake(bytes, nowMs)
        }

        const nextMs = bucket.nextTakeMs(wantedBytes, nowMs)

        const isRecovering = bucket.factor < 1
        expect(nextMs).toBeGreaterThanOrEqual(nowMs)
        // A bucket that has just recovered is larger, and wants to be full for a large record.
        const mayBeEarly = () => isRecovering && (nextMs === nowMs + 1000 || bucket.factor === 1)
        expect(bucket.canTake(wantedBytes, nextMs) || mayBeEarly()).toBe(true)
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

describe('the rate', () => {
  test('loses with each throttled record what that is once a second', () => {
    const bucket = busyBucket()
    const factors: number[] = []

    for (const bytes of [1000, 1000, 2500]) {
      bucket.throttle(bytes, 0)
      factors.push(rounded(bucket.factor))
    }

    expect(factors).toEqual([0.9, 0.8, 0.55])
  })

  test('counts a small record by number, as the record limit does', () => {
    const bucket = busyBucket()

    bucket.throttle(1, 0)

    expect(rounded(bucket.factor)).toBe(0.99)
  })

  test('falls by the throttled part a second, whatever the size of the records', () => {
    const factors = [50, 100, 500].map(bytes => {
      const bucket = busyBucket()
      // A fifth of what the base rate sends in a second.
      const units = 0.2 / Math.max(0.01, bytes / 10_000)
      for (let i = 0; i < Math.round(units); i++) bucket.throttle(bytes, 0)
      return rounded(bucket.factor)
    })

    expect(factors).toEqual([0.8, 0.8, 0.8])
  })

  test('falls at once to twice what was used, if that is less', () => {
    const bucket = new TokenBucket(STEADY, 0)
    for (let i = 0; i < 30; i++) bucket.tryTake(100, 0)

    bucket.throttle(100, 0)

    expect(rounded(bucket.factor)).toBe(0.59)
  })

  test('counts as used what was taken within about a second', () => {
    const bucket = new TokenBucket(STEADY, 0)
    for (let i = 0; i < 30; i++) bucket.tryTake(100, 0)

    bucket.throttle(100, 1000)

    expect(rounded(bucket.factor)).toBe(rounded((2 * 0.3) / Math.E - 0.01))
  })

  test('keeps a tenth where less was used, but for what the record takes', () => {
    const bucket = new TokenBucket(STEADY, 0)

    bucket.throttle(100, 0)

    expect(rounded(bucket.factor)).toBe(0.09)
  })

  test('never loses more than half to one record, however large', () => {
    const bucket = busyBucket()
    const factors: number[] = []

    for (let i = 0; i < 3; i++) {
      bucket.throttle(50_000, 0)
      factors.push(bucket.factor)
    }

    expect(factors).toEqual([0.5, 0.25, 0.125])
  })

  test('never falls below a hundredth', () => {
    const bucket = busyBucket()

    for (let i = 0; i < 100; i++) bucket.throttle(5000, 0)

    expect(bucket.factor).toBe(0.01)
  })

  test('comes back by its part a second, and ever faster after three seconds without a throttle', () => {
    const bucket = busyBucket({ ...LIMITS, recoveryPerSecond: 0.01 })
    bucket.throttle(5000, 0)
    const factors: number[] = []

    for (const atMs of [1000, 2000, 3000, 4000, 6000, 60_000]) {
      bucket.canTake(1, atMs)
      factors.push(rounded(bucket.factor))
    }

    expect(factors).toEqual([
      0.51,
      0.52,
      0.53,
      rounded(0.53 + 0.01 * (4 / 3)),
      rounded(0.53 + 0.01 * (4 / 3) + 0.02 * 2),
      1
    ])
  })

  test('comes back slowly again after the next throttle', () => {
    const bucket = busyBucket({ ...LIMITS, recoveryPerSecond: 0.01 })
    bucket.throttle(5000, 0)
    bucket.throttle(1, 12_000)
    const before = bucket.factor

    bucket.canTake(1, 13_000)

    expect(rounded(bucket.factor - before)).toBe(0.01)
  })

  test('rises above the base rate, where the ceiling allows it, until the first throttle, and slowly after that', () => {
    const bucket = busyBucket({ ...LIMITS, maxFactor: 3, searchPerSecond: 1 })
    const factors: number[] = []

    for (const atMs of [1000, 2000, 3000]) {
      bucket.canTake(1, atMs)
      factors.push(bucket.factor)
    }
    for (let i = 0; i < 300; i++) bucket.tryTake(100, 3000 + i * 10)
    bucket.throttle(5000, 6000)
    const throttled = bucket.factor
    bucket.canTake(1, 7000)

    expect(factors).toEqual([2, 3, 3])
    expect(rounded(bucket.factor - throttled)).toBe(0.05)
  })

  test('slows the refill after a throttle', () => {
    const bucket = busyBucket()
    bucket.throttle(3000, 0)

    const taken = [bucket.tryTake(1400, 199), bucket.tryTake(1400, 200)]

    expect(taken).toEqual([false, true])
  })
})

describe('the burst', () => {
  test('is a quarter of a second at the present rate after a throttle, what was saved up included', () => {
    const bucket = busyBucket()
    bucket.canTake(1, 60_000)
    for (let i = 0; i < 50; i++) bucket.tryTake(100, 60_000)
    let takenCount = 0

    bucket.throttle(1000, 60_000)
    while (bucket.tryTake(1, 60_000)) takenCount++

    expect([rounded(bucket.factor), takenCount]).toEqual([0.9, 22])
  })

  test('is whole again when the rate is', () => {
    const bucket = busyBucket({ ...LIMITS, recoveryPerSecond: 1 })
    bucket.throttle(5000, 0)
    let takenCount = 0
    bucket.canTake(1, 1000)

    while (bucket.tryTake(1, 10_000)) takenCount++

    expect(takenCount).toBe(100)
  })

  test('always lets one record through, however large', () => {
    const bucket = busyBucket()
    for (let i = 0; i < 100; i++) bucket.throttle(5000, 0)

    const taken = [bucket.tryTake(10_000, 60_000), bucket.tryTake(1, 60_000)]

    expect(taken).toEqual([true, false])
  })
})

/** A bucket that has just used the whole of its rate, and does not recover unless the limits say so. */
function busyBucket(limits: TokenBucketLimits = STEADY): TokenBucket {
  const bucket = new TokenBucket(limits, 0)
  for (let i = 0; i < 100; i++) bucket.tryTake(100, 0)
  return bucket
}

function rounded(value: number): number {
  return Number(value.toFixed(6))
}

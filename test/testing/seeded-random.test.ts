import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/testing/seeded-random.ts'

function draw(random: () => number, count: number): number[] {
  return Array.from({ length: count }, () => random())
}

describe('seededRandom', () => {
  test('gives the same numbers for the same seed, and others for another', () => {
    const first = draw(seededRandom(42), 5)

    const again = draw(seededRandom(42), 5)
    const other = draw(seededRandom(43), 5)

    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
  })

  test('splits a stream that does not depend on what was drawn before', () => {
    const random = seededRandom('seed')
    const early = draw(random.split('faults'), 3)

    draw(random, 100)
    const late = draw(random.split('faults'), 3)

    expect(late).toEqual(early)
    expect(draw(random.split('workload'), 3)).not.toEqual(early)
  })

  test('spreads evenly over [0, 1)', () => {
    const random = seededRandom(1)

    const counts = new Array<number>(10).fill(0)
    for (const value of draw(random, 100_000)) counts[Math.floor(value * 10)]!++

    expect(counts.every(count => count > 9_600 && count < 10_400)).toBe(true)
  })
})

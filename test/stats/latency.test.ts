import { expect, test } from 'vitest'
import { Latency } from '../../src/stats/latency.ts'

test('percentiles stay right after more samples of one latency than 32 bits can count', () => {
  const latency = new Latency()
  latency.add(100, 6_000_000_000)
  latency.add(2000, 4_000_000_000)
  expect(latency.snapshot()).toEqual({
    count: 10_000_000_000,
    sumMs: 860_000_000_000,
    meanMs: 86,
    p50Ms: 10,
    p90Ms: 200,
    p99Ms: 200,
    p999Ms: 200,
    maxMs: 200,
    bucketCounts: [0, 6_000_000_000, 0, 0, 0, 0, 4_000_000_000, 0, 0, 0, 0, 0, 0, 0, 0]
  })
})

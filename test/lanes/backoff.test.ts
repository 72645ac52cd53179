import { expect, test } from 'vitest'
import { fullJitterMs, halfJitterMs, longestWaitMs } from '../../src/lanes/backoff.ts'

const SPAN = { baseMs: 100, capMs: 1000 }

test('the longest wait doubles with every failure, up to the cap', () => {
  const waits = [0, 1, 2, 3, 4, 1e9].map(failures => longestWaitMs(SPAN, failures))

  expect(waits).toEqual([100, 200, 400, 800, 1000, 1000])
})

test('another growth than two may be asked for', () => {
  const waits = [0, 1, 2].map(failures => longestWaitMs({ ...SPAN, growth: 1.5 }, failures))

  expect(waits).toEqual([100, 150, 225])
})

test('full jitter is anything up to the longest wait, half jitter at least half of it', () => {
  const full = [0, 0.5, 1].map(random => fullJitterMs(SPAN, 1, () => random))
  const half = [0, 0.5, 1].map(random => halfJitterMs(SPAN, 1, () => random))

  expect([full, half]).toEqual([
    [0, 100, 200],
    [100, 150, 200]
  ])
})

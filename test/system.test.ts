import { expect, test } from 'vitest'
import { systemClock } from '../src/system.ts'

test('the real clock counts from 1970, so that its times can be laid beside a log', () => {
  const earliestMs = performance.timeOrigin + performance.now()

  const nowMs = systemClock.nowMs()

  const latestMs = performance.timeOrigin + performance.now()
  expect([earliestMs <= nowMs, nowMs <= latestMs]).toEqual([true, true])
})

test('a wake-up comes at its time on that clock, or after it', async () => {
  const atMs = systemClock.nowMs() + 5

  const wokenMs = await new Promise<number>(resolve => systemClock.schedule(atMs, () => resolve(systemClock.nowMs())))

  // A timer may fire within the millisecond before.
  expect(wokenMs).toBeGreaterThanOrEqual(atMs - 1)
})

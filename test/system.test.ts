import { expect, test } from 'vitest'
import { systemClock } from '../src/system.ts'

test('the real clock counts from 1970, so that its times can be laid beside a log, and wakes by what it says', async () => {
  const earliestMs = performance.timeOrigin + performance.now()

  const wokenMs = await new Promise<number>(resolve =>
    systemClock.schedule(systemClock.nowMs() + 5, () => resolve(systemClock.nowMs()))
  )

  const latestMs = performance.timeOrigin + performance.now()
  // A timer may fire within the millisecond before.
  expect([wokenMs >= earliestMs + 4, wokenMs <= latestMs]).toEqual([true, true])
})

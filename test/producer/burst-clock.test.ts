import { expect, test } from 'vitest'
import { BurstClock } from '../../src/producer/burst-clock.ts'

test('one reading serves 32 puts of one run', () => {
  const { clock, readings } = counted()

  const times = Array.from({ length: 33 }, () => clock.nowMs())

  expect([readings(), new Set(times).size, times[31], times[32]]).toEqual([2, 2, 1, 2])
})

test('a reading is not used after an await', async () => {
  const { clock, readings } = counted()
  clock.nowMs()
  clock.nowMs()

  await Promise.resolve()
  const later = clock.nowMs()

  expect([readings(), later]).toEqual([2, 2])
})

test('runs of one put read the clock each time, and a burst after them is noticed', async () => {
  const { clock, readings } = counted()
  for (let i = 0; i < 20; i++) {
    clock.nowMs()
    await Promise.resolve()
  }
  const alone = readings()

  for (let i = 0; i < 100; i++) clock.nowMs()

  expect([alone, readings() - alone < 30]).toEqual([20, true])
})

function counted() {
  let count = 0
  const clock = new BurstClock({ nowMs: () => ++count, schedule: () => ({ cancel: () => {} }) })
  return { clock, readings: () => count }
}

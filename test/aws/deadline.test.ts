/** Deadlines on a clock that is turned by hand. */
import { describe, expect, test } from 'vitest'
import { armDeadline, LATE_GRACE_MS } from '../../src/aws/deadline.ts'
import type { Clock } from '../../src/model/ports.ts'

/** A clock that wakes nobody until it is told to, so that wake-ups can be late. */
function handClock(): Clock & { readonly wake: (nowMs: number) => void; readonly armed: () => number[] } {
  let nowMs = 0
  const wakes = new Map<object, { atMs: number; wake: () => void }>()
  return {
    nowMs: () => nowMs,
    schedule: (atMs, wake) => {
      const key = {}
      wakes.set(key, { atMs, wake })
      return { cancel: () => wakes.delete(key) }
    },
    armed: () => [...wakes.values()].map(({ atMs }) => atMs),
    wake: untilMs => {
      nowMs = untilMs
      const due = [...wakes].filter(([, { atMs }]) => atMs <= nowMs)
      for (const [key, { wake }] of due) {
        wakes.delete(key)
        wake()
      }
    }
  }
}

describe('a deadline', () => {
  test('expires when it is woken in time', () => {
    const clock = handClock()
    const expired: number[] = []

    armDeadline(clock, 1000, () => expired.push(clock.nowMs()))
    clock.wake(1001)

    expect([expired, clock.armed()]).toEqual([[1001], []])
  })

  test('that is woken late expires after a grace', () => {
    const clock = handClock()
    const expired: number[] = []

    armDeadline(clock, 1000, () => expired.push(clock.nowMs()))
    clock.wake(3000)
    const beforeGrace = [...expired]
    clock.wake(3000 + LATE_GRACE_MS)

    expect([beforeGrace, expired, clock.armed()]).toEqual([[], [3000 + LATE_GRACE_MS], []])
  })

  test('that is late twice expires all the same', () => {
    const clock = handClock()
    const expired: number[] = []

    armDeadline(clock, 1000, () => expired.push(clock.nowMs()))
    clock.wake(3000)
    clock.wake(9000)

    expect(expired).toEqual([9000])
  })

  test.each([['before its time', 500] as const, ['during its grace', 3000] as const])(
    'that is cancelled %s never expires',
    (_, cancelMs) => {
      const clock = handClock()
      const expired: number[] = []

      const deadline = armDeadline(clock, 1000, () => expired.push(clock.nowMs()))
      clock.wake(cancelMs)
      deadline.cancel()
      clock.wake(99_000)

      expect([expired, clock.armed()]).toEqual([[], []])
    }
  )
})

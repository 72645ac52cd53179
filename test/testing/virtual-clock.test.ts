import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/testing/virtual-clock.ts'

describe('VirtualClock', () => {
  test('fires wake-ups in order of time, and of scheduling at equal times', () => {
    const clock = new VirtualClock()
    const fired: string[] = []
    const note = (name: string) => () => fired.push(`${name} at ${clock.nowMs()}`)
    clock.schedule(20, note('late'))
    clock.schedule(10, note('first'))
    clock.schedule(10, note('second'))

    clock.advanceTo(30)

    expect(fired).toEqual(['first at 10', 'second at 10', 'late at 20'])
    expect(clock.nowMs()).toBe(30)
  })

  test('never fires synchronously, also for a time in the past', () => {
    const clock = new VirtualClock(100)
    const fired: number[] = []

    clock.schedule(50, () => fired.push(clock.nowMs()))
    const before = [...fired]
    clock.advanceBy(0)

    expect({ before, fired }).toEqual({ before: [], fired: [100] })
  })

  test('runs what a wake-up schedules within the same advance', () => {
    const clock = new VirtualClock()
    const fired: number[] = []
    clock.schedule(1, () => clock.schedule(2, () => fired.push(clock.nowMs())))

    clock.advanceTo(5)

    expect(fired).toEqual([2])
  })

  test('does not fire a cancelled wake-up, and cancelling twice or late does nothing', () => {
    const clock = new VirtualClock()
    const fired: string[] = []
    const cancelled = clock.schedule(1, () => fired.push('cancelled'))
    const done = clock.schedule(1, () => fired.push('done'))

    cancelled.cancel()
    cancelled.cancel()
    clock.advanceTo(1)
    done.cancel()

    expect({ fired, pendingCount: clock.pendingCount, nextAtMs: clock.nextAtMs }).toEqual({
      fired: ['done'],
      pendingCount: 0,
      nextAtMs: undefined
    })
  })

  test('keeps its order when most of many wake-ups are cancelled', () => {
    const clock = new VirtualClock()
    const fired: number[] = []
    const timers = Array.from({ length: 1_000 }, (_, i) =>
      clock.schedule((i * 7) % 1_000, () => fired.push((i * 7) % 1_000))
    )
    timers.forEach((timer, i) => {
      if (i % 10 !== 0) timer.cancel()
    })

    clock.advanceTo(1_000)

    expect(fired).toEqual(Array.from({ length: 100 }, (_, i) => i * 10))
  })

  test('jumps to the earliest wake-up with runNext, and says when there is none', () => {
    const clock = new VirtualClock()
    clock.schedule(7, () => {})

    const answers = [clock.runNext(), clock.nowMs(), clock.runNext(), clock.nowMs()]

    expect(answers).toEqual([true, 7, false, 7])
  })

  test('refuses to go back', () => {
    const clock = new VirtualClock(10)

    const goBack = () => clock.advanceTo(9)

    expect(goBack).toThrow(new RangeError('cannot go back from 10 ms to 9 ms'))
  })
})

/**
 * The clock and the randomness that a user gives to a reader, held to what they promise.
 * Invariant: what does not keep its promise is an error of the reading, by name, or is made harmless; without this, a bad timer
 * would throw where no caller catches it, and the reader would wait for a time that is not a number without end.
 */
import { OptionsError } from './errors.ts'
import type { Clock, Random } from './ports.ts'

/** Returns a clock that throws OptionsError where the given one breaks its promise. */
export function checkedClock(clock: Clock): Clock {
  return {
    nowMs() {
      const ms = clock.nowMs()
      if (Number.isFinite(ms)) return ms
      throw new OptionsError(['clock.nowMs() must return a number of milliseconds'])
    },
    schedule(atMs, wake) {
      const timer = clock.schedule(atMs, wake)
      if (typeof Object(timer).cancel === 'function') return timer
      throw new OptionsError(['clock.schedule() must return a timer, an object with cancel()'])
    }
  }
}

/** Returns the randomness; a number that is not from 0 to 1 counts as 0, because it only spreads pauses. */
export function checkedRandom(random: Random): Random {
  return () => {
    const share = random()
    return share >= 0 && share <= 1 ? share : 0
  }
}

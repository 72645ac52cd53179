/**
 * The clock and the randomness that a user gives to a reader, held to what they promise.
 * Invariant: what does not keep its promise is an error of the reading, by name, or is made harmless; without this a timer that is
 * none throws where nobody catches it, and a time that is no number is waited for without end.
 */
import { OptionsError } from '../model/errors.ts'
import type { Clock, Random } from '../model/ports.ts'

/** Returns the clock, which throws OptionsError where it is none. */
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

/** Returns the randomness; a number that is not from 0 to 1 counts as 0, for it only spreads pauses. */
export function checkedRandom(random: Random): Random {
  return () => {
    const share = random()
    return share >= 0 && share <= 1 ? share : 0
  }
}

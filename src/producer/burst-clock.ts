/**
 * The clock of puts: one reading serves a burst of them, for reading it costs as much as a third of a small put.
 * Example: a loop of 1,000 puts reads the clock 32 times; two puts with an `await` in between read it twice.
 * Invariant: a reading is used in the synchronous run that made it and nowhere else, and at most `BURST` times. One that is a
 * little old only makes records look older: they leave sooner.
 */
import type { Clock } from '../model/ports.ts'

const BURST = 32
/** Runs that were not bursts, after which the next ones are taken for none either. */
const ALONE = 16

export class BurstClock {
  readonly #clock: Clock
  #readMs = 0
  /** How often the reading may still be used. */
  #left = 0
  #aloneCount = 0
  readonly #drop = (): void => {
    if (this.#left === BURST - 1) this.#aloneCount = ALONE
    this.#left = 0
  }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The time of a put. Hot. */
  nowMs(): number {
    if (this.#left > 0) {
      this.#left--
      return this.#readMs
    }
    this.#readMs = this.#clock.nowMs()
    if (this.#aloneCount > 0) this.#aloneCount--
    else {
      this.#left = BURST - 1
      // The next microtask is the end of the run.
      void RESOLVED.then(this.#drop)
    }
    return this.#readMs
  }
}

const RESOLVED: Promise<void> = Promise.resolve()

/**
 * One time for both ends of a connection, which goes on only when it is told: the sockets are real, the waiting is not.
 * Invariant: wake-ups run in the order of their times. None runs early; after a jump they run late, as in a process that
 * stood still.
 */
import type { Clock, Timer } from '../../src/model/ports.ts'

interface Wake {
  readonly atMs: number
  readonly wake: () => void
}

export class SteppedClock implements Clock {
  #nowMs = 1_000
  /** By time, and of equal times by age. */
  readonly #wakes: Wake[] = []

  nowMs(): number {
    return this.#nowMs
  }

  schedule(atMs: number, wake: () => void): Timer {
    const entry = { atMs, wake }
    const later = this.#wakes.findIndex(other => other.atMs > atMs)
    this.#wakes.splice(later < 0 ? this.#wakes.length : later, 0, entry)
    return { cancel: () => this.#remove(entry) }
  }

  get nextAtMs(): number {
    return this.#wakes[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  /** Goes to the next wake-up and runs it. */
  runNext(): void {
    const next = this.#wakes.shift()
    if (next === undefined) return
    this.#nowMs = Math.max(this.#nowMs, next.atMs)
    next.wake()
  }

  /** The process stands still: what was due meanwhile runs now, before any socket is read. */
  jumpBy(durationMs: number): void {
    this.#nowMs += durationMs
    while (this.nextAtMs <= this.#nowMs) this.runNext()
  }

  #remove(entry: Wake): void {
    const at = this.#wakes.indexOf(entry)
    if (at >= 0) this.#wakes.splice(at, 1)
  }
}

/**
 * At most so many records or bytes a second.
 * Invariant: counted from the start by an absolute schedule, and unused pace is not saved up for longer than `BURST_MS`.
 */
import type { Rate } from '../arguments/units.ts'
import type { Host } from '../ports.ts'

const BURST_MS = 100

export class Pacing {
  readonly #rate: Rate
  readonly #clock: Host['clock']
  /** When what was let through so far is due. */
  #dueMs: number

  constructor(rate: Rate, clock: Host['clock']) {
    this.#rate = rate
    this.#clock = clock
    this.#dueMs = clock.nowMs()
  }

  /** Returns how long to wait before the next record; counts it as let through. */
  takeMs(bytes: number): number {
    const nowMs = this.#clock.nowMs()
    this.#dueMs = Math.max(this.#dueMs, nowMs - BURST_MS)
    const waitMs = this.#dueMs - nowMs
    this.#dueMs += ((this.#rate.per === 'bytes' ? bytes : 1) / this.#rate.perSecond) * 1000
    return waitMs
  }
}

/** Resolves at or after `atMs`, or as soon as `stop` fires. */
export function sleepUntil(clock: Host['clock'], atMs: number, stop: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (stop.aborted) return resolve()
    const end = () => {
      timer.cancel()
      stop.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.schedule(atMs, end)
    stop.addEventListener('abort', end, { once: true })
  })
}

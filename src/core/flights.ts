/**
 * Requests under way: one enters when it is handed to the host, and leaves when it is heard of, or when the core stops waiting for it.
 * Example: a transport never answers -> a record's time is over, and then that of a request -> the request is given up.
 * Invariant: a request is heard of once at most; what was given up is not heard any more.
 */
import type { LaneBatch } from '../lanes/lane.ts'
import type { Flight } from './core-host.ts'
import type { Stream } from './stream.ts'

export class Flights {
  readonly #requestTimeoutMs: number
  readonly #open = new Set<Flight>()

  constructor(requestTimeoutMs: number) {
    this.#requestTimeoutMs = requestTimeoutMs
  }

  get count(): number {
    return this.#open.size
  }

  /** When `takeLate` has something to do; Infinity while nothing is under way. */
  get nextDeadlineMs(): number {
    let nearestMs = Number.POSITIVE_INFINITY
    for (const { giveUpMs } of this.#open) nearestMs = Math.min(nearestMs, giveUpMs)
    return nearestMs
  }

  /**
   * Returns the new request. It is given up a request's time after the first of its records has expired: nothing is sent that
   * has expired, so a transport that keeps `requestTimeoutMs` has ended it by then.
   */
  start(stream: Stream, batch: LaneBatch): Flight {
    const firstMs = Math.min(...batch.entries.map(({ expirationMs }) => expirationMs))
    const flight = { stream, batch, giveUpMs: firstMs + this.#requestTimeoutMs }
    this.#open.add(flight)
    return flight
  }

  /** Whether it was under way until now. */
  land(flight: Flight): boolean {
    return this.#open.delete(flight)
  }

  /** Takes out the requests that the core does not wait for any more. */
  takeLate(nowMs: number): Flight[] {
    const late = [...this.#open].filter(({ giveUpMs }) => giveUpMs <= nowMs)
    for (const flight of late) this.#open.delete(flight)
    return late
  }

  takeAll(): Flight[] {
    const all = [...this.#open]
    this.#open.clear()
    return all
  }
}

/**
 * A clock that moves only when told, for tests and simulations: no wall time, no timer of the runtime.
 * Invariant: wake-ups fire in order of time, and in order of scheduling at equal times; time never goes back.
 */
import type { Clock, Timer } from '../model/ports.ts'

/** Wake-ups one instant may hold before it counts as an endless loop. */
export const MAX_WAKES_AT_ONE_INSTANT = 1_000_000

/** Cancelled wake-ups are dropped from the heap when they are more than this and more than half of it. */
const COMPACT_FROM_COUNT = 64

interface Wake {
  readonly atMs: number
  readonly ordinal: number
  wake: (() => void) | undefined
}

/**
 * A `Clock` under the test's control. Nothing happens until `advanceTo`, `advanceBy` or `runNext` is called; the
 * wake-ups then run synchronously inside that call. `schedule` and each step cost O(log pending).
 *
 * @example
 * const clock = new VirtualClock()
 * const producer = new KinesisProducer({ streamName: 'orders' }, { transport, clock })
 * clock.nowMs() // => 0
 */
export class VirtualClock implements Clock {
  #nowMs: number
  #nextOrdinal = 0
  #cancelledCount = 0
  #heap: Wake[] = []

  /** `startMs` is what the clock shows first. The fake Kinesis reads it as milliseconds since 1970. */
  constructor(startMs: number = 0) {
    this.#nowMs = startMs
  }

  /**
   * Returns the time that the clock shows.
   *
   * @example
   * new VirtualClock(1_000).nowMs() // => 1_000
   */
  nowMs(): number {
    return this.#nowMs
  }

  /**
   * A time in the past counts as now: the wake-up then fires at the next step, never synchronously.
   *
   * @example
   * const clock = new VirtualClock()
   * const timer = clock.schedule(10, () => console.log(clock.nowMs()))
   * clock.advanceBy(25) // prints 10
   * timer.cancel()
   */
  schedule(atMs: number, wake: () => void): Timer {
    if (Number.isNaN(atMs)) throw new RangeError('atMs must be a number of milliseconds, got NaN')
    const entry: Wake = { atMs: Math.max(atMs, this.#nowMs), ordinal: this.#nextOrdinal++, wake }
    if (entry.atMs !== Number.POSITIVE_INFINITY) this.#push(entry)
    return { cancel: () => this.#cancel(entry) }
  }

  /** The time of the earliest pending wake-up, or undefined when there is none. */
  get nextAtMs(): number | undefined {
    this.#dropCancelledHead()
    return this.#heap[0]?.atMs
  }

  /** Wake-ups neither fired nor cancelled. */
  get pendingCount(): number {
    return this.#heap.length - this.#cancelledCount
  }

  /**
   * Runs every wake-up up to and including `atMs`, also those scheduled meanwhile, then shows `atMs`. Never goes back.
   *
   * @example
   * const clock = new VirtualClock(1_000)
   * clock.advanceTo(1_500)
   * clock.nowMs() // => 1_500
   */
  advanceTo(atMs: number): void {
    if (!(atMs >= this.#nowMs)) throw new RangeError(`cannot go back from ${this.#nowMs} ms to ${atMs} ms`)
    let instantMs = this.#nowMs
    let wakesAtInstant = 0
    for (let nextMs = this.nextAtMs; nextMs !== undefined && nextMs <= atMs; nextMs = this.nextAtMs) {
      wakesAtInstant = nextMs === instantMs ? wakesAtInstant + 1 : 1
      instantMs = nextMs
      if (wakesAtInstant > MAX_WAKES_AT_ONE_INSTANT) {
        throw new Error(`more than ${MAX_WAKES_AT_ONE_INSTANT} wake-ups at ${instantMs} ms: an endless loop`)
      }
      this.runNext()
    }
    this.#nowMs = atMs
  }

  /**
   * As `advanceTo(nowMs() + durationMs)`.
   *
   * @example
   * const clock = new VirtualClock(1_000)
   * clock.advanceBy(500)
   * clock.nowMs() // => 1_500
   */
  advanceBy(durationMs: number): void {
    this.advanceTo(this.#nowMs + durationMs)
  }

  /**
   * Jumps to the earliest wake-up and runs that one; returns false, and does nothing, when there is none.
   *
   * @example
   * const clock = new VirtualClock()
   * clock.schedule(10, () => {})
   * clock.runNext() // => true
   * clock.nowMs() // => 10
   * clock.runNext() // => false
   */
  runNext(): boolean {
    this.#dropCancelledHead()
    const next = this.#pop()
    if (next === undefined) return false
    this.#nowMs = next.atMs
    const wake = next.wake
    next.wake = undefined
    wake?.()
    return true
  }

  #cancel(entry: Wake): void {
    if (entry.wake === undefined) return
    entry.wake = undefined
    if (entry.atMs === Number.POSITIVE_INFINITY) return
    this.#cancelledCount++
    const isMostlyCancelled = this.#cancelledCount > COMPACT_FROM_COUNT && this.#cancelledCount * 2 > this.#heap.length
    if (isMostlyCancelled) this.#compact()
  }

  #compact(): void {
    // A sorted array is a valid heap.
    this.#heap = this.#heap.filter(entry => entry.wake !== undefined).sort(compareWakes)
    this.#cancelledCount = 0
  }

  #dropCancelledHead(): void {
    while (this.#heap.length > 0 && this.#heap[0]!.wake === undefined) {
      this.#pop()
      this.#cancelledCount--
    }
  }

  #push(entry: Wake): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (compareWakes(heap[above]!, entry) <= 0) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = entry
  }

  #pop(): Wake | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let below = at * 2 + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && compareWakes(heap[below + 1]!, heap[below]!) < 0) below++
      if (compareWakes(last, heap[below]!) <= 0) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
    return first
  }
}

function compareWakes(left: Wake, right: Wake): number {
  return left.atMs - right.atMs || left.ordinal - right.ordinal
}

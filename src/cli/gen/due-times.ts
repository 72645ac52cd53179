/**
 * When each record was due, to the part of a slice.
 * Example: 50 were due at 10 ms and 100 at 20 ms: record 75 was due at 15 ms.
 * Invariant: holds only the slices whose records are not all put or dropped: a second's worth at most.
 */

interface Slice {
  /** Records due up to its end, and when that was. */
  readonly until: number
  readonly atMs: number
}

export class DueTimes {
  #before: Slice = { until: 0, atMs: 0 }
  readonly #slices: Slice[] = []

  /** Notes that `until` records are due at `atMs`. */
  add(until: number, atMs: number): void {
    const last = this.#slices.at(-1) ?? this.#before
    if (until > last.until) this.#slices.push({ until, atMs })
  }

  /** Returns when record `n`, from 0, was due. Must not go back. */
  of(n: number): number {
    while (this.#slices.length > 0 && this.#slices[0]!.until <= n) this.#before = this.#slices.shift()!
    const slice = this.#slices[0] ?? this.#before
    const part = (n - this.#before.until) / Math.max(1, slice.until - this.#before.until)
    return this.#before.atMs + part * (slice.atMs - this.#before.atMs)
  }
}

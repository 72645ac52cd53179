/**
 * Buffers for request bodies, used again so that a 7 MB body does not cost 7 MB of fresh pages.
 * Invariant: a buffer is in the pool or with one request, never both; the pool keeps at most `MAX_POOLED_BODIES`.
 */

/** Free buffers kept. A busy transport takes a released one at once, so few are enough for many requests in flight. */
export const MAX_POOLED_BODIES = 4

const GRAIN_BYTES = 262_144

export class BodyPool {
  readonly #free: Buffer[] = []

  /** Buffers at rest. */
  get freeCount(): number {
    return this.#free.length
  }

  /** Returns a buffer of at least `bytes`; its content is undefined. Dropping it without `release` is fine. */
  take(bytes: number): Buffer {
    const index = this.#free.findIndex(buffer => buffer.length >= bytes)
    if (index >= 0) return this.#free.splice(index, 1)[0]!
    return Buffer.allocUnsafeSlow(Math.ceil(Math.max(bytes, 1) / GRAIN_BYTES) * GRAIN_BYTES)
  }

  /** Takes a buffer back. Only for a request that was fully sent and fully answered: the pool writes over it. */
  release(buffer: Buffer): void {
    this.#free.push(buffer)
    if (this.#free.length <= MAX_POOLED_BODIES) return
    this.#free.sort((left, right) => left.length - right.length)
    this.#free.shift()
  }

  clear(): void {
    this.#free.length = 0
  }
}

/**
 * Memory that is used again: fresh ArrayBuffers of 50 KB or of 7 MB keep the garbage collector's threads as busy as packing
 * keeps ours. Sealed envelopes and request bodies each have a pool.
 * Example: take(50_000) -> a view of a block of 51,200 -> release(view) -> the next take writes over it.
 * Invariant: a block is free or lent, never both; only what was lent is taken back, and only once; at most `maxFreeCount`
 * blocks are at rest. Dropping what was taken without `release` is fine.
 */
import { allocate } from './bytes.ts'

export interface BlockPoolOptions {
  /** Blocks are multiples of this. */
  readonly grainBytes: number
  /** Blocks kept at rest; of more the smallest goes. */
  readonly maxFreeCount: number
  /**
   * The part of a block that a taker has to fill, 0 to 1: for less it gets memory of its own, so that many takers together
   * hold little more than they asked for.
   */
  readonly minFill: number
}

export class BlockPool {
  readonly #options: BlockPoolOptions
  /** By size, ascending. */
  readonly #free: Buffer[] = []
  readonly #lent = new WeakMap<ArrayBufferLike, Buffer>()

  constructor(options: BlockPoolOptions) {
    this.#options = options
  }

  /** Blocks at rest. */
  get freeCount(): number {
    return this.#free.length
  }

  /** Returns a buffer of exactly `bytes`; its content is undefined. */
  take(bytes: number): Buffer {
    const { grainBytes, minFill } = this.#options
    const blockBytes = Math.ceil(Math.max(bytes, 1) / grainBytes) * grainBytes
    if (bytes < blockBytes * minFill) return allocate(bytes)
    // Not a slice of Node's slab, whatever its size: others would have the rest of it.
    const block = this.#takeFree(bytes) ?? Buffer.allocUnsafeSlow(blockBytes)
    this.#lent.set(block.buffer, block)
    return block.subarray(0, bytes)
  }

  /** Takes back what `take` returned, or a view of it; anything else is left alone. Only when no code will read it any more. */
  release(data: Uint8Array): void {
    const block = this.#lent.get(data.buffer)
    if (block === undefined) return
    this.#lent.delete(data.buffer)
    let place = this.#free.length
    while (place > 0 && this.#free[place - 1]!.length > block.length) place--
    this.#free.splice(place, 0, block)
    if (this.#free.length > this.#options.maxFreeCount) this.#free.shift()
  }

  /** Forgets the blocks at rest. */
  clear(): void {
    this.#free.length = 0
  }

  /** The smallest block that is large enough, and not too large for what is asked. */
  #takeFree(bytes: number): Buffer | undefined {
    const place = this.#free.findIndex(block => block.length >= bytes)
    const isFilled = place >= 0 && bytes >= this.#free[place]!.length * this.#options.minFill
    return isFilled ? this.#free.splice(place, 1)[0] : undefined
  }
}

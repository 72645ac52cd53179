/**
 * Memory of sealed Kinesis records, used again: a fresh 50 KB for each of them keeps the garbage collector's threads as
 * busy as packing and MD5 keep ours (npm run bench -- put-path, 1 KB records).
 * Invariant: a piece is free or in one sealed record, never both; only what was lent is taken back, and only once. At
 * most `MAX_FREE_BYTES` are kept.
 */
import { allocate } from '../wire/bytes.ts'

/** What one burst of answers gives back; more comes only while much more than this is in flight. */
const MAX_FREE_BYTES = 16_777_216
/** Less than this part of a piece gets memory of its own, so that a buffer full of records takes little more than they do. */
const MIN_FILL = 3 / 4

export class EnvelopeMemory {
  readonly #pieceBytes: number
  readonly #maxFree: number
  readonly #free: Buffer[] = []
  readonly #lent = new WeakMap<ArrayBufferLike, Buffer>()

  /** `pieceBytes`: of the largest record that is worth it, the full envelope. */
  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes
    this.#maxFree = Math.floor(MAX_FREE_BYTES / pieceBytes)
  }

  /** Pieces at rest. */
  get freeCount(): number {
    return this.#free.length
  }

  /** Returns a buffer of exactly `bytes`; its content is undefined. Dropping it without `release` is fine. */
  take(bytes: number): Buffer {
    if (bytes > this.#pieceBytes || bytes < this.#pieceBytes * MIN_FILL) return allocate(bytes)
    // Not a slice of Node's slab, whatever its size: others would have the rest of it.
    const piece = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#pieceBytes)
    this.#lent.set(piece.buffer, piece)
    return piece.subarray(0, bytes)
  }

  /** Takes back what `take` returned; anything else is left alone. Only when nobody will read `data` any more. */
  release(data: Uint8Array): void {
    const piece = this.#lent.get(data.buffer)
    if (piece === undefined) return
    this.#lent.delete(data.buffer)
    if (this.#free.length < this.#maxFree) this.#free.push(piece)
  }
}

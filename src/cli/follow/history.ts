/**
 * The bytes of a file that were read and are not yet acknowledged, and a few before them.
 * Example: after 1 MiB was read and 10 KiB acknowledged, the 256 bytes before offset 10,240 are still at hand for the anchor.
 * Invariant: `before(offset)` is right for every offset from the last released one to the end; released bytes take no memory.
 */

/** Enough for an anchor and for the comparison at each read. */
export const KEPT_BYTES = 256
/** A chunk is held as it is only when it is not much more than what is asked of it. */
const COPY_FROM_BYTES = 4 * KEPT_BYTES

export class History {
  #chunks: Uint8Array[]
  #startOffset: number
  #endOffset: number

  /** `bytes` are those that end at `endOffset`. */
  constructor(endOffset: number, bytes: Uint8Array) {
    this.#chunks = bytes.length === 0 ? [] : [bytes]
    this.#startOffset = endOffset - bytes.length
    this.#endOffset = endOffset
  }

  /** `bytes` are not copied. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push(bytes)
    this.#endOffset += bytes.length
  }

  /** Returns the bytes that end at `offset`: `length` of them, or fewer where less is known. */
  before(offset: number, length: number): Uint8Array {
    const from = Math.max(this.#startOffset, offset - length)
    const parts: Uint8Array[] = []
    let start = this.#startOffset
    for (const chunk of this.#chunks) {
      const end = start + chunk.length
      if (end > from && start < offset) parts.push(chunk.subarray(Math.max(0, from - start), offset - start))
      start = end
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** Nothing before `offset` is asked for any more, but the last bytes before it. */
  release(offset: number): void {
    const keptFrom = offset - KEPT_BYTES
    let first = this.#chunks[0]
    while (first !== undefined && this.#startOffset + first.length <= keptFrom) {
      this.#startOffset += first.length
      this.#chunks.shift()
      first = this.#chunks[0]
    }
    const isDone = offset === this.#endOffset
    if (!isDone || this.#endOffset - this.#startOffset <= COPY_FROM_BYTES) return
    const kept = Uint8Array.from(this.before(offset, KEPT_BYTES))
    this.#chunks = [kept]
    this.#startOffset = offset - kept.length
  }
}

/**
 * The bytes of a file that were read and are not yet acknowledged, and a few before them.
 * Example: after 1 MiB was read and 10 KiB acknowledged, the 256 bytes before offset 10,240 are still at hand for the anchor.
 * Invariant: `before(offset)` is right wherever a record that is not acknowledged may end; bytes that no record ends in take no memory.
 */

/** Enough for an anchor and for the comparison at each read. */
export const KEPT_BYTES = 256
/** A chunk is held as it is only when it is not much more than what is asked of it. */
const COPY_FROM_BYTES = 4 * KEPT_BYTES

interface Chunk {
  readonly startOffset: number
  readonly bytes: Uint8Array
}

export class History {
  #chunks: Chunk[]
  #endOffset: number

  /** `bytes` are those that end at `endOffset`. */
  constructor(endOffset: number, bytes: Uint8Array) {
    this.#chunks = bytes.length === 0 ? [] : [{ startOffset: endOffset - bytes.length, bytes }]
    this.#endOffset = endOffset
  }

  get heldBytes(): number {
    return this.#chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** `bytes` are not copied. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push({ startOffset: this.#endOffset, bytes })
    this.#endOffset += bytes.length
  }

  /** Returns the bytes that end at `offset`: `length` of them, or fewer where less is known. */
  before(offset: number, length: number): Uint8Array {
    const parts: Uint8Array[] = []
    let from = offset
    for (let i = this.#chunks.length - 1; i >= 0 && offset - from < length; i--) {
      const { startOffset, bytes } = this.#chunks[i]!
      if (startOffset >= from) continue
      // A gap: nothing before it is joined to what ends at `offset`.
      if (startOffset + bytes.length < from) break
      const start = Math.max(startOffset, offset - length)
      parts.unshift(bytes.subarray(start - startOffset, from - startOffset))
      from = start
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** Nothing before `offset` is asked for any more, but the last bytes before it. */
  release(offset: number): void {
    const keptFrom = offset - KEPT_BYTES
    let first = this.#chunks[0]
    while (first !== undefined && first.startOffset + first.bytes.length <= keptFrom) {
      this.#chunks.shift()
      first = this.#chunks[0]
    }
    const isDone = offset === this.#endOffset
    if (isDone && this.heldBytes > COPY_FROM_BYTES) this.#chunks = [this.#copyBefore(offset)]
  }

  /** No record ends between `from` and the last bytes: they are in one line, and its end is not known. */
  forget(from: number): void {
    const kept = this.#chunks.filter(({ startOffset }) => startOffset < from)
    const last = this.#copyBefore(this.#endOffset)
    const end = kept.at(-1)
    if (end === undefined || end.startOffset + end.bytes.length < this.#endOffset) kept.push(last)
    this.#chunks = kept
  }

  #copyBefore(offset: number): Chunk {
    const bytes = Uint8Array.from(this.before(offset, KEPT_BYTES))
    return { startOffset: offset - bytes.length, bytes }
  }
}

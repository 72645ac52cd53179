/**
 * Bytes that come in chunks, looked at as if they were one array.
 * Example: after `ab` was kept and `cd` appended, `view(1, 3)` is `bc`.
 * Invariant: a place counts from the first byte that is kept. Bytes are copied only if they outlive their chunk or lie across its
 * start, and each of them once. Hot: it is asked twice for each line.
 */

const NONE: Buffer = Buffer.alloc(0)

export class ChunkedBytes {
  /** The first bytes. It may reach into the chunk, for a view that lies across its start. */
  #held = NONE
  #heldLength = 0
  /** Whether a view of `#held` was given: its bytes must stay. */
  #isSeen = false
  #chunk = NONE
  #chunkStart = 0

  get length(): number {
    return this.#chunkStart + this.#chunk.length
  }

  /** Takes the bytes that follow. Only after `keep`; they are not copied before the next `keep`. */
  append(chunk: Uint8Array): void {
    this.#chunkStart = this.#heldLength
    this.#chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  }

  at(place: number): number | undefined {
    return place >= this.#chunkStart ? this.#chunk[place - this.#chunkStart] : this.#held[place]
  }

  /** Returns the place of the byte in the last chunk, at `from` or behind it, or -1. */
  indexInChunk(byte: number, from: number): number {
    const index = this.#chunk.indexOf(byte, Math.max(0, from - this.#chunkStart))
    return index < 0 ? -1 : index + this.#chunkStart
  }

  /** Returns a view. The bytes behind it do not change, unless the chunk is written to. */
  view(from: number, to: number): Buffer {
    if (from >= this.#chunkStart) return this.#chunk.subarray(from - this.#chunkStart, to - this.#chunkStart)
    this.#hold(to)
    this.#isSeen = true
    return this.#held.subarray(from, to)
  }

  /** Drops what lies before `from`, and copies the rest out of the chunk. */
  keep(from: number): void {
    const { length } = this
    const isSame = from === 0 && this.#heldLength > 0
    if (isSame) this.#hold(length)
    else {
      const rest = from >= this.#chunkStart ? this.#chunk.subarray(from - this.#chunkStart) : this.view(from, length)
      // Somebody may still look at the bytes of before.
      if (this.#isSeen || rest.length === 0) this.#held = NONE
      this.#heldLength = 0
      this.#isSeen = false
      this.#reserve(rest.length)
      rest.copy(this.#held)
      this.#heldLength = rest.length
    }
    this.#chunk = NONE
    this.#chunkStart = this.#heldLength
  }

  #hold(to: number): void {
    if (to <= this.#heldLength) return
    this.#reserve(to)
    this.#chunk.copy(this.#held, this.#heldLength, this.#heldLength - this.#chunkStart, to - this.#chunkStart)
    this.#heldLength = to
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#held.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#held.length))
    this.#held.copy(larger, 0, 0, this.#heldLength)
    this.#held = larger
  }
}

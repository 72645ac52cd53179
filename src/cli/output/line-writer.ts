/**
 * Lines to stdout in large pieces, with back-pressure.
 * Invariant: lines leave in their order; `accepted` counts only what the system has taken, so a place saved by it never skips.
 * Hot: a line is written into the piece at once, and a piece that was taken is used again.
 */
import type { Output } from '../ports.ts'

const PIECE_BYTES = 65_536
/** A piece is full before its memory is: the line that fills it fits as a rule. */
const MEMORY_BYTES = 2 * PIECE_BYTES
const NONE: Buffer = Buffer.alloc(0)

export class LineWriter {
  readonly #output: Output
  #piece = NONE
  #length = 0
  #pendingCount = 0
  #acceptedCount = 0
  /** Memory of a piece that was taken. */
  #spare = NONE
  #writing: Promise<void> = Promise.resolve()

  constructor(output: Output) {
    this.#output = output
  }

  /** How many lines the system has taken. */
  get accepted(): number {
    return this.#acceptedCount
  }

  /** Takes a line with its end; returns true when `flush` should be awaited. The chunk is copied. */
  add(chunk: string | Uint8Array): boolean {
    if (typeof chunk === 'string') this.text(chunk)
    else this.bytes(chunk)
    return this.endLine()
  }

  /** Takes a part of a line. */
  text(part: string): void {
    // A unit of UTF-16 takes at most three bytes; counting them exactly pays for long texts only.
    this.#reserve(part.length > PIECE_BYTES ? Buffer.byteLength(part) : 3 * part.length)
    this.#length += this.#piece.write(part, this.#length)
  }

  /** Takes a part of a line. Copied. */
  bytes(part: Uint8Array): void {
    this.#reserve(part.length)
    this.#piece.set(part, this.#length)
    this.#length += part.length
  }

  /** Ends the line of these parts; returns true when `flush` should be awaited. */
  endLine(): boolean {
    this.#pendingCount++
    return this.#length >= PIECE_BYTES
  }

  /** Writes what is pending; resolves when the system has taken all of it. */
  flush(): Promise<void> {
    if (this.#pendingCount === 0) return this.#writing
    const memory = this.#piece
    const piece = memory.subarray(0, this.#length)
    const count = this.#pendingCount
    this.#piece = this.#spare
    this.#spare = NONE
    this.#length = 0
    this.#pendingCount = 0
    this.#writing = this.#writing
      .then(() => this.#output.write(piece))
      .then(() => {
        if (memory.length === MEMORY_BYTES) this.#spare = memory
        if (!this.#output.closed.aborted) this.#acceptedCount += count
      })
    return this.#writing
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#piece.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(MEMORY_BYTES, needed))
    this.#piece.copy(larger, 0, 0, this.#length)
    this.#piece = larger
  }
}

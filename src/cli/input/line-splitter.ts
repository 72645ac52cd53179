/**
 * Bytes into lines, without copying a line that lies within one chunk.
 * Example: `a\r\nb` gives `a`, and at the end `b`.
 * Invariant: every byte is of exactly one line or separator, however the chunks are cut; at most `maxLineBytes` and one chunk are
 * held, and a longer line is passed over to its end and counted once, never split.
 */

export interface SplitOptions {
  /** Between two lines; at least one byte. */
  readonly separator: Uint8Array
  /** Whether a carriage return before the newline stays. */
  readonly keepCr: boolean
  /** Whether the separator stays at the end of the line. */
  readonly keepSeparator: boolean
  readonly maxLineBytes: number
}

export type TooLong = 'too long'

const CARRIAGE_RETURN = 0x0d
const NEWLINE = 0x0a

export class LineSplitter {
  readonly #options: SplitOptions
  readonly #separator: Buffer
  /** Whether the separator is a newline, before which a carriage return may stand. */
  readonly #isNewline: boolean
  #held: Buffer[] = []
  #heldBytes = 0
  #isPassingOver = false

  constructor(options: SplitOptions) {
    this.#options = options
    this.#separator = Buffer.from(options.separator)
    this.#isNewline = this.#separator.length === 1 && this.#separator[0] === NEWLINE
  }

  /** Returns the lines that end in this chunk. They are views into it: valid as long as the chunk is not written to. */
  lines(chunk: Uint8Array): (Uint8Array | TooLong)[] {
    const lines: (Uint8Array | TooLong)[] = []
    const bytes = this.#join(chunk)
    const separator = this.#separator
    const first = separator[0]!
    const isSingle = separator.length === 1
    let start = 0
    for (;;) {
      const end = isSingle ? bytes.indexOf(first, start) : bytes.indexOf(separator, start)
      if (end < 0) break
      lines.push(this.#line(bytes, start, end))
      start = end + separator.length
    }
    this.#hold(start === 0 ? bytes : bytes.subarray(start))
    return lines
  }

  /** Returns the last line, if it has no separator. */
  end(): (Uint8Array | TooLong)[] {
    const isEmpty = this.#heldBytes === 0 && !this.#isPassingOver
    if (isEmpty) return []
    const bytes = Buffer.concat(this.#held)
    this.#held = []
    this.#heldBytes = 0
    return [this.#line(bytes, 0, bytes.length)]
  }

  #line(bytes: Buffer, start: number, end: number): Uint8Array | TooLong {
    if (this.#isPassingOver) {
      this.#isPassingOver = false
      return 'too long'
    }
    if (end - start > this.#options.maxLineBytes) return 'too long'
    if (this.#options.keepSeparator) return bytes.subarray(start, Math.min(bytes.length, end + this.#separator.length))
    const hasCr = this.#isNewline && !this.#options.keepCr && end > start && bytes[end - 1] === CARRIAGE_RETURN
    return bytes.subarray(start, hasCr && end < bytes.length ? end - 1 : end)
  }

  /** Held chunks are joined only when the new chunk may end the line. So a long line in small chunks is copied once. */
  #join(chunk: Uint8Array): Buffer {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (this.#heldBytes === 0) return bytes
    const mayEnd = this.#separator.length > 1 || bytes.includes(this.#separator)
    if (!mayEnd && this.#heldBytes + bytes.length <= this.#options.maxLineBytes) {
      this.#held.push(bytes)
      this.#heldBytes += bytes.length
      return bytes.subarray(bytes.length)
    }
    const joined = Buffer.concat([...this.#held, bytes])
    this.#held = []
    this.#heldBytes = 0
    return joined
  }

  #hold(rest: Buffer): void {
    if (rest.length === 0) return
    const isTooLong = this.#isPassingOver || this.#heldBytes + rest.length > this.#options.maxLineBytes + 1
    if (!isTooLong) {
      this.#held.push(rest)
      this.#heldBytes += rest.length
      return
    }
    this.#isPassingOver = true
    // Enough to find a separator that is cut by the end of the chunk.
    const kept = rest.subarray(Math.max(0, rest.length - this.#separator.length + 1))
    this.#held = kept.length === 0 ? [] : [kept]
    this.#heldBytes = kept.length
  }
}

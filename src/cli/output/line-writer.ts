/**
 * Lines to stdout in large pieces, with back-pressure.
 * Invariant: lines leave in their order; `accepted` counts only what the system has taken, so a place saved by it never skips.
 */
import type { Output } from '../ports.ts'

const PIECE_CHARACTERS = 65_536

export class LineWriter {
  readonly #output: Output
  #pending: (string | Uint8Array)[] = []
  #pendingLength = 0
  #pendingCount = 0
  #acceptedCount = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(output: Output) {
    this.#output = output
  }

  /** How many chunks the system has taken. */
  get accepted(): number {
    return this.#acceptedCount
  }

  /** Takes a line with its end; returns true when `flush` should be awaited. */
  add(chunk: string | Uint8Array): boolean {
    this.#pending.push(chunk)
    this.#pendingLength += chunk.length
    this.#pendingCount++
    return this.#pendingLength >= PIECE_CHARACTERS
  }

  /** Writes what is pending; resolves when the system has taken all of it. */
  flush(): Promise<void> {
    if (this.#pendingCount === 0) return this.#writing
    const chunks = this.#pending
    const count = this.#pendingCount
    this.#pending = []
    this.#pendingLength = 0
    this.#pendingCount = 0
    const isText = chunks.every(chunk => typeof chunk === 'string')
    const piece = isText ? chunks.join('') : Buffer.concat(chunks.map(chunk => Buffer.from(chunk)))
    const before = this.#writing
    this.#writing = before
      .then(() => this.#output.write(piece))
      .then(() => {
        if (!this.#output.closed.aborted) this.#acceptedCount += count
      })
    return this.#writing
  }
}

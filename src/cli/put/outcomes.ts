/**
 * Outcomes in the order of the input, though records settle in any order.
 * Invariant: a line is written once everything before it is decided; what waits is bounded by the producer's buffer.
 */
import type { LineWriter } from '../output/line-writer.ts'

export class Outcomes {
  readonly #lines: LineWriter
  readonly #waiting = new Map<number, string>()
  #next = 1
  #isFlushing = false

  constructor(lines: LineWriter) {
    this.#lines = lines
  }

  /** Notes what became of record `n`, counted from 1. */
  settle(n: number, fields: Readonly<Record<string, unknown>>): void {
    this.#waiting.set(n, `${JSON.stringify({ type: 'outcome', n, ...fields })}\n`)
    for (;;) {
      const line = this.#waiting.get(this.#next)
      if (line === undefined) return
      this.#waiting.delete(this.#next++)
      this.#lines.add(line)
      this.#flushSoon()
    }
  }

  /** Records settle many at once: their lines are written together, and none waits for more. */
  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    void Promise.resolve().then(() => {
      this.#isFlushing = false
      return this.#lines.flush()
    })
  }

  flush(): Promise<void> {
    return this.#lines.flush()
  }
}

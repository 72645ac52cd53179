/**
 * Outcomes in the order of the input, though records settle in any order.
 * Invariant: a line is written once everything before it is decided; what waits is bounded by the producer's buffer.
 */
import type { LineWriter } from '../output/line-writer.ts'

export class Outcomes {
  readonly #lines: LineWriter
  readonly #waiting = new Map<number, string>()
  #next = 1

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
      if (this.#lines.add(line)) void this.#lines.flush()
    }
  }

  flush(): Promise<void> {
    return this.#lines.flush()
  }
}

/**
 * A close under way: who waits for it, how long, and what is counted.
 * Invariant: all callers that wait get the same answer; the bound is the earliest that anybody gave.
 */
import type { CloseResult } from '../model/results.ts'

export class Closing {
  readonly #deliveredBefore: number
  readonly #failedBefore: number
  readonly #waiting: ((result: CloseResult) => void)[] = []
  #result: CloseResult | undefined
  endMs: number = Number.POSITIVE_INFINITY
  timeoutMs: number = Number.POSITIVE_INFINITY
  /** Everything has settled: what is left is to say so. */
  isDrained = false

  /** `delivered`, `failed`: user records settled before it began. */
  constructor(delivered: number, failed: number) {
    this.#deliveredBefore = delivered
    this.#failedBefore = failed
  }

  /** Whether the close is over, and `done` was called. Otherwise `done` waits, and the deadline may become nearer. */
  join(nowMs: number, timeoutMs: number, done: (result: CloseResult) => void): boolean {
    if (this.#result !== undefined) {
      done(this.#result)
      return true
    }
    this.#waiting.push(done)
    if (nowMs + timeoutMs < this.endMs) {
      this.endMs = nowMs + timeoutMs
      this.timeoutMs = timeoutMs
    }
    return false
  }

  /** Ends the close, and returns the callbacks that wait for it. */
  end(delivered: number, failed: number): (() => void)[] {
    const result = { delivered: delivered - this.#deliveredBefore, failed: failed - this.#failedBefore }
    this.#result = result
    return this.#waiting.map(done => () => done(result))
  }
}

/**
 * Knows when everything that was accepted before a flush has settled, whatever is accepted and settled after it.
 * Invariant: flush k resolves exactly when no unsettled record has a number below its mark; marks ascend.
 * Cost: O(1) a settlement while no flush waits, O(log flushes) otherwise.
 */

interface PendingFlush {
  /** Records with a lower number are waited for. */
  readonly mark: number
  /** Unsettled records between the flush before and this one. */
  remaining: number
  readonly done: (() => void)[]
}

export class FlushLedger {
  #pending: PendingFlush[] = []
  #outstanding = 0

  /** Records accepted and not settled. */
  get outstanding(): number {
    return this.#outstanding
  }

  get isFlushing(): boolean {
    return this.#pending.length > 0
  }

  accepted(): void {
    this.#outstanding++
  }

  /** Calls `done` once all records numbered below `nextNumber` have settled; at once when they have. */
  flush(nextNumber: number, done: () => void): void {
    const last = this.#pending.at(-1)
    if (last !== undefined && last.mark === nextNumber) {
      last.done.push(done)
      return
    }
    let waitedFor = 0
    for (const flush of this.#pending) waitedFor += flush.remaining
    const remaining = this.#outstanding - waitedFor
    if (remaining === 0 && last === undefined) done()
    else this.#pending.push({ mark: nextNumber, remaining, done: [done] })
  }

  settled(number: number): void {
    this.#outstanding--
    if (this.#pending.length === 0) return
    const index = this.#firstAbove(number)
    if (index === this.#pending.length) return
    this.#pending[index]!.remaining--
    this.#resolveDone()
  }

  #firstAbove(number: number): number {
    let low = 0
    let high = this.#pending.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#pending[middle]!.mark > number) high = middle
      else low = middle + 1
    }
    return low
  }

  #resolveDone(): void {
    let doneCount = 0
    while (this.#pending[doneCount]?.remaining === 0) doneCount++
    if (doneCount === 0) return
    const finished = this.#pending.slice(0, doneCount)
    this.#pending = this.#pending.slice(doneCount)
    for (const flush of finished) for (const done of flush.done) done()
  }
}

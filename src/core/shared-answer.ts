/**
 * The callers of one Kinesis record who share one answer: it becomes known once, and then each caller takes its own, in the order
 * in which they joined. So a record needs no callback of its own, and a tenth of the memory.
 * Example: records 0, 1, 2 join -> 1 leaves, since the Kinesis record is taken apart -> `take` gives what is known of 0, of 1, of 2.
 * Invariant: as many answers as joined are taken, each once; a record that left has an answer of its own.
 */
import { isJoiner, type Members } from '../model/kinesis-record.ts'
import type { PutResult, SettleCallback } from '../model/results.ts'

/** An answer that comes later, and what makes it known. */
export interface LaterAnswer<Later> {
  readonly answer: Later
  readonly settle: SettleCallback
}

export class SharedAnswer<Later> {
  readonly #members: Members
  readonly #makeLater: () => LaterAnswer<Later>
  #answerOf: ((index: number) => PutResult) | undefined
  /** By index: the records that left. */
  #left: Map<number, LaterAnswer<Later>> | undefined
  #nextIndex = 0

  constructor(members: Members, makeLater: () => LaterAnswer<Later>) {
    this.#members = members
    this.#makeLater = makeLater
  }

  decide(answerOf: (index: number) => PutResult): void {
    this.#answerOf = answerOf
  }

  leave(index: number): SettleCallback {
    this.#left ??= new Map()
    let later = this.#left.get(index)
    if (later === undefined) {
      later = this.#makeLater()
      this.#left.set(index, later)
    }
    return later.settle
  }

  /** Returns the next caller's answer. Throws the RecordFailedError of one that failed. */
  take(): PutResult | Later {
    const { settles, count } = this.#members
    while (this.#nextIndex < count && !isJoiner(settles[this.#nextIndex])) this.#nextIndex++
    const index = this.#nextIndex++
    const later = this.#left?.get(index)
    if (later !== undefined) return later.answer
    if (this.#answerOf === undefined || index >= count) throw new RangeError(`the record at ${index} has no answer`)
    return this.#answerOf(index)
  }
}

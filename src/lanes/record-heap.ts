/**
 * Sealed records, the one with the oldest member first.
 * Invariant: no record has a lower number than its parent (the records at 2i + 1 and 2i + 2 are children of the one at i).
 * Cost: O(log n) for push and pop, O(1) for the first.
 */
import type { KinesisRecord } from '../model/kinesis-record.ts'

export class RecordHeap<Queued extends KinesisRecord> {
  readonly #records: Queued[] = []

  get count(): number {
    return this.#records.length
  }

  get first(): Queued | undefined {
    return this.#records[0]
  }

  push(record: Queued): void {
    const records = this.#records
    let index = records.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (ageOf(records[parent]!) <= ageOf(record)) break
      records[index] = records[parent]!
      index = parent
    }
    records[index] = record
  }

  pop(): Queued | undefined {
    const first = this.#records[0]
    const last = this.#records.pop()
    if (last !== undefined && last !== first) this.#sink(last)
    return first
  }

  /** Puts `record` in at the top, from where it sinks to its place. */
  #sink(record: Queued): void {
    const records = this.#records
    let index = 0
    for (let child = 1; child < records.length; child = 2 * index + 1) {
      const right = child + 1
      if (right < records.length && ageOf(records[right]!) < ageOf(records[child]!)) child = right
      if (ageOf(records[child]!) >= ageOf(record)) break
      records[index] = records[child]!
      index = child
    }
    records[index] = record
  }
}

/** The place of a record among all: the number of its oldest member. No two records have the same. */
export function ageOf(record: KinesisRecord): number {
  return record.members.oldestNumber
}

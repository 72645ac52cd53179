/**
 * The sealed records of one lane, oldest first: retries come back before everything that was accepted after them.
 * Invariant: ordered by the number of the oldest member, and so by the end of their times to live, but for what `unshift` put in front; only entries from `#head` on
 * are live.
 * Cost: O(1) amortised at both ends; in between, a search by halves and a move of what lies behind.
 */
import type { KinesisRecord } from '../model/kinesis-record.ts'

/** Dead places in front are given back once there are this many and they are half of the array. */
const COMPACT_COUNT = 64

export class RecordQueue {
  #records: KinesisRecord[] = []
  #head = 0
  /** How many at the head were put there by `unshift`. */
  #frontCount = 0

  get count(): number {
    return this.#records.length - this.#head
  }

  get first(): KinesisRecord | undefined {
    return this.#records[this.#head]
  }

  /** When the next record expires: the first by age, or one that `unshift` put in front of it. */
  get nearestExpirationMs(): number {
    let nearestMs = Number.POSITIVE_INFINITY
    const end = Math.min(this.#head + this.#frontCount + 1, this.#records.length)
    for (let i = this.#head; i < end; i++) nearestMs = Math.min(nearestMs, this.#records[i]!.expirationMs)
    return nearestMs
  }

  /** Takes out what has expired. */
  takeExpired(nowMs: number): KinesisRecord[] {
    const expired: KinesisRecord[] = []
    for (let i = this.#head; i <= this.#head + this.#frontCount && i < this.#records.length; ) {
      if (this.#records[i]!.expirationMs > nowMs) i++
      else {
        if (i < this.#head + this.#frontCount) this.#frontCount--
        expired.push(...this.#records.splice(i, 1))
      }
    }
    return expired
  }

  insert(record: KinesisRecord): void {
    const number = numberOf(record)
    const last = this.#records[this.#records.length - 1]
    if (last === undefined || numberOf(last) <= number) {
      this.#records.push(record)
      return
    }
    const first = this.first
    if (this.#frontCount === 0 && first !== undefined && number < numberOf(first)) {
      this.#putInFront(record)
      return
    }
    const index = this.#firstAbove(number)
    this.#records.splice(index, 0, record)
    if (index < this.#head + this.#frontCount) this.#frontCount++
  }

  /** Puts a record before all others, whatever its number. */
  unshift(record: KinesisRecord): void {
    this.#frontCount++
    this.#putInFront(record)
  }

  shift(): KinesisRecord | undefined {
    const record = this.first
    if (record === undefined) return undefined
    this.#head++
    if (this.#frontCount > 0) this.#frontCount--
    const isMostlyDead = this.#head >= COMPACT_COUNT && this.#head * 2 >= this.#records.length
    if (this.#head === this.#records.length || isMostlyDead) {
      this.#records = this.#records.slice(this.#head)
      this.#head = 0
    }
    return record
  }

  /** Takes everything out, oldest first. */
  takeAll(): KinesisRecord[] {
    const all = this.#records.slice(this.#head)
    this.#records = []
    this.#head = 0
    this.#frontCount = 0
    return all
  }

  #firstAbove(number: number): number {
    let low = this.#head + this.#frontCount
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (numberOf(this.#records[middle]!) > number) high = middle
      else low = middle + 1
    }
    if (low > this.#head + this.#frontCount) return low
    // Before all that is ordered: what `unshift` put in front is in no order, and little.
    while (low > this.#head && numberOf(this.#records[low - 1]!) > number) low--
    return low
  }

  #putInFront(record: KinesisRecord): void {
    if (this.#head > 0) {
      this.#head--
      this.#records[this.#head] = record
    } else this.#records.unshift(record)
  }
}

function numberOf(record: KinesisRecord): number {
  return record.members.oldestNumber
}

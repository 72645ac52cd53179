/**
 * The stored records of one shard, in sequence order, within its retention.
 * Invariant: a position counts from the shard's first record ever and never changes its meaning when old ones go.
 */

/** One Kinesis record as it lies in a shard. `data` is the very array that was put, not a copy. */
export interface StoredRecord {
  /** The shard that holds it. */
  readonly shardId: string
  /** Its sequence number. */
  readonly sequenceNumber: string
  /** Its partition key; absent only on a stream with `AUTO` distribution. */
  readonly partitionKey?: string
  /** Its explicit hash key as it was given: decimal text. */
  readonly explicitHashKey?: string
  /** Its bytes: an aggregate, or the data of one user record. */
  readonly data: Uint8Array
  /** The time when it was stored. */
  readonly arrivalMs: number
}

export interface LogEntry extends StoredRecord {
  readonly ordinal: number
  /** Data and the key's UTF-8 bytes. */
  readonly bytes: number
}

/** Trimmed slots are cut off the array when there are more than this and they are more than half of it. */
const COMPACT_FROM_COUNT = 1_024

export class ShardLog {
  #entries: (LogEntry | undefined)[] = []
  /** Position of `#entries[0]`. */
  #basePosition = 0
  /** Slots of `#entries` that are trimmed already. */
  #trimmedCount = 0

  /** The position of the oldest record still kept. */
  get startPosition(): number {
    return this.#basePosition + this.#trimmedCount
  }

  /** The position that the next record will have. */
  get endPosition(): number {
    return this.#basePosition + this.#entries.length
  }

  /** O(1), amortised over trims. */
  append(entry: LogEntry): void {
    this.#entries.push(entry)
  }

  /** Forgets the records that arrived before `horizonMs`. */
  trim(horizonMs: number): void {
    while (this.#trimmedCount < this.#entries.length && this.#entries[this.#trimmedCount]!.arrivalMs < horizonMs) {
      this.#entries[this.#trimmedCount++] = undefined
    }
    const isMostlyTrimmed = this.#trimmedCount > COMPACT_FROM_COUNT && this.#trimmedCount * 2 > this.#entries.length
    if (!isMostlyTrimmed) return
    this.#entries = this.#entries.slice(this.#trimmedCount)
    this.#basePosition += this.#trimmedCount
    this.#trimmedCount = 0
  }

  /** Returns the record at `position`, or undefined when it is trimmed or not yet there. */
  at(position: number): LogEntry | undefined {
    return this.#entries[position - this.#basePosition]
  }

  /** Returns the kept records in order. */
  toArray(): LogEntry[] {
    return this.#entries.filter(entry => entry !== undefined)
  }

  /** Returns the position of the first kept record for which `isReached` holds; it must stay true from there on. */
  firstPosition(isReached: (entry: LogEntry) => boolean): number {
    let low = this.startPosition
    let high = this.endPosition
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isReached(this.at(middle)!)) high = middle
      else low = middle + 1
    }
    return low
  }
}

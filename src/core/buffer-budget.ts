/**
 * RecordValidator: how much the producer holds, and whether one more record may come in.
 * Invariant: `usedBytes` and `usedRecords` are the sums over accepted and unsettled records; never above the bounds,
 * and exactly zero when nothing is held.
 */

export interface BufferBudgetOptions {
  readonly bufferMaxBytes: number
  readonly bufferMaxRecords: number
  readonly maxUserRecordBytes: number
}

/** Room is announced when this part of the buffer is free, so that waiters do not wake for one record at a time. */
const ROOM_PART = 1 / 8
/** Beside a record's data: its key and what the record itself costs. */
const RECORD_ROOM_BYTES = 2048

export class BufferBudget {
  readonly maxBytes: number
  readonly maxRecords: number
  readonly #roomBytes: number
  readonly #roomRecords: number
  #bytes = 0
  #records = 0

  constructor({ bufferMaxBytes, bufferMaxRecords, maxUserRecordBytes }: BufferBudgetOptions) {
    this.maxBytes = bufferMaxBytes
    this.maxRecords = bufferMaxRecords
    const roomBytes = Math.max(bufferMaxBytes * ROOM_PART, maxUserRecordBytes + RECORD_ROOM_BYTES)
    this.#roomBytes = Math.min(bufferMaxBytes, roomBytes)
    this.#roomRecords = Math.max(1, Math.floor(bufferMaxRecords * ROOM_PART))
  }

  get usedBytes(): number {
    return this.#bytes
  }

  get usedRecords(): number {
    return this.#records
  }

  /** Whether a waiter should be woken: the largest record fits, and a good part of the buffer is free. */
  get hasRoom(): boolean {
    return this.maxBytes - this.#bytes >= this.#roomBytes && this.maxRecords - this.#records >= this.#roomRecords
  }

  /** Whether `records` more of `bytes` together stay within the bounds. */
  fits(bytes: number, records: number = 1): boolean {
    return this.#bytes + bytes <= this.maxBytes && this.#records + records <= this.maxRecords
  }

  /** Counts one record that `fits`. */
  take(bytes: number): void {
    this.#bytes += bytes
    this.#records++
  }

  release(bytes: number, records: number): void {
    this.#bytes -= bytes
    this.#records -= records
  }
}

/**
 * Records on their way to another thread: many in one ArrayBuffer, which is handed over and not copied.
 * Invariant: what `BatchWriter` wrote, `readBatch` reads; the data of the records lie in the buffer itself.
 *
 *   batch  := record*
 *   record := keyBytes:u32 dataBytes:u32 key data
 */
import type { UserRecord } from '../../src/index.ts'

/** The data as text or bytes, under a partition key. */
export type ThreadRecord = Pick<UserRecord, 'partitionKey' | 'data'>

export interface Batch {
  readonly bytes: ArrayBuffer
  /** The part of `bytes` that is in use. */
  readonly usedBytes: number
}

const HEAD_BYTES = 8

/** Returns the bytes that a record takes in a batch. */
export function sizeOf({ partitionKey, data }: ThreadRecord): number {
  const dataBytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
  return HEAD_BYTES + Buffer.byteLength(partitionKey) + dataBytes
}

export class BatchWriter {
  readonly #buffer: Buffer<ArrayBuffer>
  #usedBytes = 0

  constructor(capacityBytes: number) {
    this.#buffer = Buffer.from(new ArrayBuffer(capacityBytes))
  }

  hasRoomFor(recordBytes: number): boolean {
    return this.#usedBytes + recordBytes <= this.#buffer.length
  }

  /** Copies the record. There must be room for it. */
  add({ partitionKey, data }: ThreadRecord): void {
    const buffer = this.#buffer
    const headAt = this.#usedBytes
    const keyBytes = buffer.write(partitionKey, headAt + HEAD_BYTES)
    const dataAt = headAt + HEAD_BYTES + keyBytes
    const dataBytes = typeof data === 'string' ? buffer.write(data, dataAt) : data.byteLength
    if (typeof data !== 'string') buffer.set(data, dataAt)
    buffer.writeUInt32LE(keyBytes, headAt)
    buffer.writeUInt32LE(dataBytes, headAt + 4)
    this.#usedBytes = dataAt + dataBytes
  }

  /** The writer must not be used afterwards: the buffer goes to the other thread. */
  finish(): Batch {
    return { bytes: this.#buffer.buffer, usedBytes: this.#usedBytes }
  }
}

export function readBatch({ bytes, usedBytes }: Batch): ThreadRecord[] {
  const buffer = Buffer.from(bytes, 0, usedBytes)
  const records: ThreadRecord[] = []
  for (let at = 0; at < usedBytes; ) {
    const keyAt = at + HEAD_BYTES
    const dataAt = keyAt + buffer.readUInt32LE(at)
    at = dataAt + buffer.readUInt32LE(keyAt - 4)
    records.push({ partitionKey: buffer.toString('utf8', keyAt, dataAt), data: buffer.subarray(dataAt, at) })
  }
  return records
}

/**
 * User records to put, and the check that what arrived is what was put.
 * Invariant: record n of a pool has its number as the first digits of its text, so that any reader can check its key and
 * bytes. Texts are ASCII, and JSON from `JSON_BYTES` on.
 */

export interface LoadRecord {
  readonly partitionKey: string
  readonly data: Buffer
  /** `data` as text: what `JSON.stringify` gives from `JSON_BYTES` on. */
  readonly text: string
}

export interface PoolOptions {
  readonly recordBytes: number
  /** Different partition keys. */
  readonly keys: number
  /** Different records; default 4,096. */
  readonly records?: number
}

export const POOL_RECORDS = 4096
const JSON_BYTES = 48

export function makePool({ recordBytes, keys, records = POOL_RECORDS }: PoolOptions): LoadRecord[] {
  return Array.from({ length: records }, (_, n) => {
    const partitionKey = `user-${n % keys}`
    const text = textOf(n, partitionKey, recordBytes)
    return { partitionKey, data: Buffer.from(text, 'latin1'), text }
  })
}

function textOf(n: number, partitionKey: string, recordBytes: number): string {
  if (recordBytes < JSON_BYTES) return String(n).padStart(recordBytes, '0')
  const frame = JSON.stringify({ n, key: partitionKey, text: '' })
  return JSON.stringify({ n, key: partitionKey, text: 'x'.repeat(recordBytes - frame.length) })
}

/** Counts which records of a pool arrived, and refuses a record that is not of the pool. */
export class Ledger {
  readonly #pool: readonly LoadRecord[]
  readonly #counts: Uint32Array

  constructor(pool: readonly LoadRecord[]) {
    this.#pool = pool
    this.#counts = new Uint32Array(pool.length)
  }

  /** Throws when it is no record of the pool. Keys of unique-key runs are not the pool's: pass undefined. */
  note(partitionKey: string | undefined, data: Uint8Array): void {
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
    const n = Number(/\d+/.exec(text)?.[0])
    const record = this.#pool[n]
    const isKnown = record?.text === text && (partitionKey === undefined || record.partitionKey === partitionKey)
    if (!isKnown) throw new Error(`not a record that was put: ${partitionKey} ${text.slice(0, 60)}`)
    this.#counts[n]!++
  }

  /** Throws unless the first `count` puts, taken from the pool in turn, each arrived once. */
  assertArrived(count: number): void {
    this.#counts.forEach((arrived, n) => {
      const put = Math.floor(count / this.#pool.length) + (n < count % this.#pool.length ? 1 : 0)
      if (arrived !== put) throw new Error(`record ${n} was put ${put} times and arrived ${arrived} times`)
    })
  }
}

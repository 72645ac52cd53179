/**
 * Collects Kinesis records into PutRecords requests: a released record enters, a batch leaves when it is full, when one
 * shard has enough in it, or when the nearest deadline has come. It never knows lanes' limits, envelopes or answers.
 * Invariant: a batch has at most `collectionMaxCount` entries and `collectionMaxBytes` bytes, unless it is one record
 * that is larger by itself; records leave in the order they came. `hasRoom` bounds the waiting records.
 */

import { Fifo } from '../lanes/fifo.ts'
import type { LaneBatch, LaneRecord } from '../lanes/lane.ts'

export interface CollectorOptions {
  readonly collectionMaxCount: number
  readonly collectionMaxBytes: number
  readonly collectionMaxShardBytes: number
}

/** Full requests that may wait for a free slot; more stay with the limiter. */
const WAITING_REQUESTS = 2

export class Collector {
  readonly #options: CollectorOptions
  readonly #waiting = new Fifo<LaneRecord>()
  readonly #isolated = new Fifo<LaneBatch>()
  #bytes = 0
  #fullShards = 0
  #nearestMs = Number.POSITIVE_INFINITY
  /** No record here expires before this. */
  #expirationBoundMs = Number.POSITIVE_INFINITY

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  /** Records waiting, those of isolated batches not counted. */
  get count(): number {
    return this.#waiting.count
  }

  /** The records that wait, in their order, without those of isolated batches. */
  get waiting(): Iterable<LaneRecord> {
    return this.#waiting
  }

  /** Whether another record may be added; false: leave it where it is. */
  get hasRoom(): boolean {
    const { collectionMaxCount, collectionMaxBytes } = this.#options
    return (
      this.#waiting.count < WAITING_REQUESTS * collectionMaxCount && this.#bytes < WAITING_REQUESTS * collectionMaxBytes
    )
  }

  /** When a batch is due: 0 when one is full now, Infinity when nothing waits. */
  get nextDeadlineMs(): number {
    return this.#isolated.count > 0 || this.#isFull ? 0 : this.#nearestMs
  }

  add(record: LaneRecord): void {
    this.#waiting.push(record)
    this.#count(record, record.requestBytes)
    this.#nearestMs = Math.min(this.#nearestMs, record.deadlineMs)
    this.#expirationBoundMs = Math.min(this.#expirationBoundMs, record.expirationMs)
  }

  /** Puts in a batch that goes as it is, before all others. */
  addIsolated(entries: readonly LaneRecord[]): void {
    this.#isolated.push({ entries, requestBytes: sumBytes(entries), isIsolated: true })
    for (const { expirationMs } of entries) this.#expirationBoundMs = Math.min(this.#expirationBoundMs, expirationMs)
  }

  /** When `takeExpired` may have something. */
  get nextExpirationMs(): number {
    return this.#expirationBoundMs
  }

  /** Takes out what has expired while no request could leave. Cost: O(1) until then, O(records here) when it is due. */
  takeExpired(nowMs: number): LaneRecord[] {
    if (this.#expirationBoundMs > nowMs) return []
    const expired: LaneRecord[] = []
    const isLive = (record: LaneRecord): boolean => {
      if (record.expirationMs <= nowMs) expired.push(record)
      return record.expirationMs > nowMs
    }
    const isolated = this.#isolated.takeAll().map(({ entries }) => entries.filter(isLive))
    const waiting = this.takeAll().filter(isLive)
    for (const entries of isolated) if (entries.length > 0) this.addIsolated(entries)
    for (const record of waiting) this.add(record)
    return expired
  }

  /** Takes out the next batch if one is due; `isUrgent` makes whatever waits due. */
  take(nowMs: number, isUrgent: boolean): LaneBatch | undefined {
    const isolated = this.#isolated.shift()
    if (isolated !== undefined) {
      this.#findBounds()
      return isolated
    }
    if (this.#waiting.count === 0) return undefined
    const isDue = isUrgent || this.#isFull || this.#nearestMs <= nowMs
    return isDue ? this.#fill() : undefined
  }

  /** Takes out all that waits. */
  takeAll(): LaneRecord[] {
    const all = this.#waiting.takeAll()
    for (const batch of this.#isolated.takeAll()) all.push(...batch.entries)
    for (const { lane } of all) lane.collectedBytes = 0
    this.#bytes = 0
    this.#fullShards = 0
    this.#nearestMs = Number.POSITIVE_INFINITY
    this.#expirationBoundMs = Number.POSITIVE_INFINITY
    return all
  }

  get #isFull(): boolean {
    const { collectionMaxCount, collectionMaxBytes } = this.#options
    return this.#waiting.count >= collectionMaxCount || this.#bytes >= collectionMaxBytes || this.#fullShards > 0
  }

  #fill(): LaneBatch {
    const entries: LaneRecord[] = []
    let requestBytes = 0
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      const isFull =
        entries.length >= this.#options.collectionMaxCount ||
        (entries.length > 0 && requestBytes + next.requestBytes > this.#options.collectionMaxBytes)
      if (isFull) break
      this.#waiting.shift()
      this.#count(next, -next.requestBytes)
      requestBytes += next.requestBytes
      entries.push(next)
    }
    this.#findBounds()
    return { entries, requestBytes, isIsolated: false }
  }

  #findBounds(): void {
    this.#nearestMs = Number.POSITIVE_INFINITY
    this.#expirationBoundMs = Number.POSITIVE_INFINITY
    for (const { deadlineMs, expirationMs } of this.#waiting) {
      this.#nearestMs = Math.min(this.#nearestMs, deadlineMs)
      this.#expirationBoundMs = Math.min(this.#expirationBoundMs, expirationMs)
    }
    for (const { entries } of this.#isolated) {
      for (const { expirationMs } of entries) this.#expirationBoundMs = Math.min(this.#expirationBoundMs, expirationMs)
    }
  }

  #count(record: LaneRecord, changeBytes: number): void {
    this.#bytes += changeBytes
    const { lane } = record
    const beforeBytes = lane.collectedBytes
    const afterBytes = beforeBytes + changeBytes
    lane.collectedBytes = afterBytes
    const limitBytes = this.#options.collectionMaxShardBytes
    this.#fullShards += Number(afterBytes >= limitBytes) - Number(beforeBytes >= limitBytes)
  }
}

function sumBytes(entries: readonly LaneRecord[]): number {
  let bytes = 0
  for (const entry of entries) bytes += entry.requestBytes
  return bytes
}

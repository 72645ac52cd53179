/**
 * From sealed record to request: limiter, collector and breaker in their order. Sealed records enter, batches leave; what
 * may no longer be sent as it was sealed is handed back. It never knows envelopes or what answers mean.
 * Invariant: a record that entered is held here until it leaves in a batch, is handed back as stale, or is taken out.
 */

import { Limiter } from '../lanes/limiter.ts'
import type { Batch, KinesisRecord } from '../model/kinesis-record.ts'
import type { Random } from '../model/ports.ts'
import { Breaker } from './breaker.ts'
import { Collector } from './collector.ts'
import type { StreamOptions } from './stream-options.ts'

export interface OutboxPorts {
  hasFreeSlot(): boolean
  /** Whether whatever waits should go now. */
  isUrgent(): boolean
  send(batch: Batch): void
  /** A member's time is over, or it was taken back: the records must be taken apart, in this order. May add to the outbox. */
  returnStale(records: readonly KinesisRecord[]): void
}

export class Outbox {
  readonly limiter: Limiter
  readonly breaker: Breaker
  readonly #collector: Collector
  readonly #ports: OutboxPorts
  readonly #windowMs: number

  constructor(options: StreamOptions, random: Random, ports: OutboxPorts) {
    this.limiter = new Limiter(options, random)
    this.breaker = new Breaker(random)
    this.#collector = new Collector(options)
    this.#windowMs = options.collectionWindowMs
    this.#ports = ports
  }

  /** Records held. */
  get count(): number {
    return this.limiter.count + this.#collector.count
  }

  get nextDeadlineMs(): number {
    const sendMs = this.#ports.hasFreeSlot()
      ? Math.max(this.#collector.nextDeadlineMs, this.breaker.nextDeadlineMs)
      : Number.POSITIVE_INFINITY
    const releaseMs = this.#collector.hasRoom ? this.limiter.nextDeadlineMs : Number.POSITIVE_INFINITY
    return Math.min(sendMs, releaseMs, this.limiter.nextExpirationMs, this.#collector.nextExpirationMs)
  }

  /** Sends pieces of a request that was refused as a whole, each by itself. */
  addIsolated(entries: readonly KinesisRecord[]): void {
    this.#collector.addIsolated(entries)
  }

  /** Moves what may move: from the limiter to the collector, from the collector into requests. */
  pump(nowMs: number): void {
    this.#returnExpired(nowMs)
    do this.#release(nowMs)
    while (this.#sendOne(nowMs))
  }

  /** Takes out everything. */
  takeAll(nowMs: number): KinesisRecord[] {
    return [...this.#collector.takeAll(), ...this.limiter.takeAll(nowMs)]
  }

  /** What expires while no request can leave is not kept until one can. */
  #returnExpired(nowMs: number): void {
    this.#return(this.#collector.takeExpired(nowMs), nowMs)
    this.#return(this.limiter.takeExpired(nowMs), nowMs)
  }

  #release(nowMs: number): void {
    while (this.#collector.hasRoom) {
      const record = this.limiter.release(nowMs)
      if (record === undefined) return
      if (isStale(record, nowMs)) {
        this.#return([record], nowMs)
        continue
      }
      // A retry's own deadline is long past; a short new one lets retries of one moment share a request.
      if (record.attempts.length > 0) record.deadlineMs = nowMs + this.#windowMs
      this.#collector.add(record)
    }
  }

  #sendOne(nowMs: number): boolean {
    if (!this.#ports.hasFreeSlot() || !this.breaker.mayStart(nowMs)) return false
    const batch = this.#collector.take(nowMs, this.#ports.isUrgent())
    if (batch === undefined) return false
    const fresh = this.#withoutStale(batch, nowMs)
    if (fresh.entries.length > 0) {
      this.breaker.started()
      this.#ports.send(fresh)
    }
    return true
  }

  /** What became stale while it waited for a slot is handed back; the rest is sent. */
  #withoutStale(batch: Batch, nowMs: number): Batch {
    if (!batch.entries.some(record => isStale(record, nowMs))) return batch
    const entries: KinesisRecord[] = []
    let requestBytes = 0
    for (const record of batch.entries) {
      if (isStale(record, nowMs)) this.#return([record], nowMs)
      else {
        entries.push(record)
        requestBytes += record.requestBytes
      }
    }
    return { ...batch, entries, requestBytes }
  }

  #return(records: readonly KinesisRecord[], nowMs: number): void {
    for (const record of records) this.limiter.answered(record, nowMs)
    this.#ports.returnStale(records)
  }
}

/** Whether some member's time is over or it was taken back: the bytes as sealed must not be sent. */
export function isStale(record: KinesisRecord, nowMs: number): boolean {
  return record.expirationMs <= nowMs || record.members.abortedCount > 0
}

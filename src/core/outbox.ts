/**
 * From sealed record to request: limiter, collector and breaker in their order. Sealed records enter, batches leave; what
 * may no longer be sent as it was sealed is handed back. It never knows envelopes or what answers mean.
 * Invariant: a record that entered is held here until it leaves in a batch, is handed back as stale, or is taken out.
 */

import type { LaneBatch, LaneRecord } from '../lanes/lane.ts'
import { Limiter } from '../lanes/limiter.ts'
import type { Random } from '../model/ports.ts'
import { writeDigests } from '../wire/envelope-digest.ts'
import { Breaker } from './breaker.ts'
import { Collector } from './collector.ts'
import type { StreamOptions } from './stream-options.ts'

/** The records that leave together. `stale` records must be taken apart, in this order, before the batch is sent. */
export interface Outgoing {
  readonly stale: readonly LaneRecord[]
  readonly batch: LaneBatch | undefined
}

/** The producer's answer to a stream that wants to send. */
export interface Leave {
  /** Whether a request may start: there are slots for so many of all streams. */
  readonly hasFreeSlot: boolean
  /** Whether whatever waits should go now. */
  readonly isUrgent: boolean
}

/** Collected bytes that get their digests together. A full request has 5 MiB: in one step their digests hold the event loop for 3 ms. */
const DIGESTED_TOGETHER_BYTES = 1_048_576

export class Outbox {
  readonly limiter: Limiter
  readonly breaker: Breaker
  readonly #collector: Collector
  readonly #windowMs: number
  /** Collected bytes since digests were written; stale records count too. */
  #undigestedBytes = 0

  constructor(options: StreamOptions, random: Random) {
    this.limiter = new Limiter(options, random)
    this.breaker = new Breaker(random)
    this.#collector = new Collector(options)
    this.#windowMs = options.collectionWindowMs
  }

  /** Records held. */
  get count(): number {
    return this.limiter.count + this.#collector.count
  }

  /** When `next` may have something that it has not now. */
  nextDeadlineMs({ hasFreeSlot, isUrgent }: Leave): number {
    const dueMs = isUrgent && this.#collector.count > 0 ? 0 : this.#collector.nextDeadlineMs
    const sendMs = hasFreeSlot ? Math.max(dueMs, this.breaker.nextDeadlineMs) : Number.POSITIVE_INFINITY
    const releaseMs = this.#collector.hasRoom ? this.limiter.nextDeadlineMs : Number.POSITIVE_INFINITY
    return Math.min(sendMs, releaseMs, this.limiter.nextExpirationMs, this.#collector.nextExpirationMs)
  }

  /** Puts in pieces of a request that was refused as a whole, each to be sent by itself. */
  addIsolated(entries: readonly LaneRecord[]): void {
    this.#collector.addIsolated(entries)
  }

  /** Moves what may move, and takes out what has to leave next; undefined: nothing has. */
  next(leave: Leave, nowMs: number): Outgoing | undefined {
    // Records that expire while no request can leave are not kept until one can.
    for (const station of [this.#collector, this.limiter]) {
      const expired = station.takeExpired(nowMs)
      if (expired.length > 0) return this.#handBack(expired, nowMs)
    }
    const stale = this.#collect(nowMs)
    if (stale !== undefined) return this.#handBack([stale], nowMs)
    if (!leave.hasFreeSlot || !this.breaker.mayStart(nowMs)) return undefined
    const batch = this.#collector.take(nowMs, leave.isUrgent)
    return batch === undefined ? undefined : this.#checked(batch, nowMs)
  }

  /** Takes out everything. */
  takeAll(nowMs: number): LaneRecord[] {
    return [...this.#collector.takeAll(), ...this.limiter.takeAll(nowMs)]
  }

  /** Moves from the limiter to the collector, up to a record that has become stale: that one is returned. */
  #collect(nowMs: number): LaneRecord | undefined {
    while (this.#collector.hasRoom) {
      const record = this.limiter.release(nowMs)
      if (record === undefined) return undefined
      if (isStale(record, nowMs)) return record
      // A retry's own deadline is long past; a short new one lets retries of one moment share a request.
      if (record.attempts.length > 0) record.deadlineMs = nowMs + this.#windowMs
      this.#collector.add(record)
      if (!record.isDigested) this.#undigestedBytes += record.data.length
      if (this.#undigestedBytes >= DIGESTED_TOGETHER_BYTES) this.#digest(this.#collector.waiting)
    }
    return undefined
  }

  /** Writes the digests that are not there yet, together: a record that goes again has its own. */
  #digest(records: Iterable<LaneRecord>): void {
    const undigested = Array.from(records).filter(({ isDigested }) => !isDigested)
    writeDigests(undigested.map(({ data }) => data))
    for (const record of undigested) record.isDigested = true
    this.#undigestedBytes = 0
  }

  /** Records that became stale while they waited for a slot are returned; the rest is sent. */
  #checked(batch: LaneBatch, nowMs: number): Outgoing {
    const stale = batch.entries.filter(record => isStale(record, nowMs))
    const entries = stale.length === 0 ? batch.entries : batch.entries.filter(record => !isStale(record, nowMs))
    const fresh = stale.length === 0 ? batch : { ...batch, entries, requestBytes: sumBytes(entries) }
    this.#digest(entries)
    if (entries.length > 0) this.breaker.started()
    return { ...this.#handBack(stale, nowMs), batch: entries.length > 0 ? fresh : undefined }
  }

  #handBack(stale: readonly LaneRecord[], nowMs: number): Outgoing {
    for (const record of stale) this.limiter.answered(record, nowMs)
    return { stale, batch: undefined }
  }
}

/** Whether some member's time is over or it was taken back: the bytes as sealed must not be sent. */
export function isOver({ expirationMs, members }: LaneRecord, nowMs: number): boolean {
  return expirationMs <= nowMs || members.abortedCount > 0
}

/** Whether the bytes as sealed must not be sent: a member's time is over, or its lane is gone. */
export function isStale(record: LaneRecord, nowMs: number): boolean {
  return record.lane.isGone || isOver(record, nowMs)
}

function sumBytes(entries: readonly LaneRecord[]): number {
  return entries.reduce((bytes, { requestBytes }) => bytes + requestBytes, 0)
}

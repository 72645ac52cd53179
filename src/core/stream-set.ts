/**
 * All streams of one producer: the buffer's bounds, the slots for requests, flushes and settlements, and one stream
 * per stream name, made when the name is first used.
 * Invariant: `outstanding` records are exactly those accepted and not called back; nothing is counted that was not placed,
 * and nothing that a stream throws comes out of here, but as the error of a put that took nothing.
 */

import { EnvelopeMemory } from '../lanes/envelope-memory.ts'
import type { ProducerError } from '../model/errors.ts'
import type { Failure, Outcome } from '../model/exchange.ts'
import type { AbortTicket, AcceptedRecord, Batch } from '../model/kinesis-record.ts'
import type { Random, ShardHashRange, StreamSummary } from '../model/ports.ts'
import type { UserRecord } from '../model/records.ts'
import type { SettleCallback } from '../model/results.ts'
import { noteAnswer } from '../stats/diagnostics.ts'
import type { Spells } from '../stats/spells.ts'
import { DedupeTag } from '../wire/dedupe-tag.ts'
import { RecordValidator } from './record-validator.ts'
import { BufferBudget } from './buffer-budget.ts'
import { FlushLedger } from './flush-ledger.ts'
import { recordAttempt, unanswered } from './members.ts'
import type { Stream } from './stream.ts'
import type { StreamHost } from './stream-host.ts'
import type { StreamOptions } from './stream-options.ts'
import { Refusals } from './refusals.ts'
import { Settlements } from './settlements.ts'
import { internalFailure, refusalFor, Supervisor } from './supervisor.ts'

/** What the set asks of the producer. None of these may call back before they return. */
export interface SetPorts {
  readonly random: Random
  /** Whether `send` looks at no entry any more once it was answered: see `Transport.readsUntilAnswered`. */
  readonly readsUntilAnswered?: boolean | undefined
  send(stream: Stream, batch: Batch): void
  fetchShards(stream: Stream): void
  fetchSummary(stream: Stream): void
  warn(code: string, message: string): void
  /** Told what a log is to say. */
  readonly spells?: Spells | undefined
  /** A user's callback threw. */
  callbackThrew(error: unknown): void
}

export class StreamSet {
  readonly ledger: FlushLedger = new FlushLedger()
  readonly budget: BufferBudget
  readonly refusals: Refusals = new Refusals()
  /** The stream whose deadline may have come nearer by the last put. */
  #news: Stream | undefined
  readonly #options: StreamOptions
  readonly #ports: SetPorts
  readonly #validator: RecordValidator
  readonly #supervisor: Supervisor
  readonly #settlements: Settlements
  /** Lanes that refused a record since somebody last found room, by id; of two streams' equal ids one is enough. */
  readonly #crowded = new Map<string, Stream>()
  #nextNumber = 0
  #inFlight = 0
  #turn = 0

  constructor(options: StreamOptions, ports: SetPorts) {
    const tags = options.dedupeTags ? { dedupeTag: new DedupeTag(producerId(ports.random)) } : undefined
    const memory = ports.readsUntilAnswered ? new EnvelopeMemory(options.aggregationMaxBytes) : undefined
    this.#options = { ...options, ...tags, takeBytes: memory && (bytes => memory.take(bytes)) }
    this.#ports = ports
    this.budget = new BufferBudget(options)
    this.#validator = new RecordValidator(options.maxUserRecordBytes, options.dedupeTags)
    this.#settlements = new Settlements({
      budget: this.budget,
      ledger: this.ledger,
      memory,
      spells: ports.spells,
      callbackThrew: error => ports.callbackThrew(error),
      tellingThrew: error => this.#warnOf(error)
    })
    this.#supervisor = new Supervisor(this.#options, this.#hostPorts())
  }

  get inFlightRequests(): number {
    return this.#inFlight
  }

  get delivered(): number {
    return this.#settlements.delivered
  }

  get failed(): number {
    return this.#settlements.failed
  }

  get streams(): Iterable<Stream> {
    return this.#supervisor.streams
  }

  /** Whether whoever waits for room should try again: in the buffer, and in the lanes that refused a record. */
  get hasRoom(): boolean {
    for (const [laneId, stream] of this.#crowded) {
      this.#supervisor.guard(stream, this.#supervisor.nowMs, () => {
        if (!stream.isLaneFull(laneId)) this.#crowded.delete(laneId)
      })
      if (stream.isReplaced) this.#crowded.delete(laneId)
    }
    return this.budget.hasRoom && this.#crowded.size === 0
  }

  /** Whether callbacks wait for `runSettlements`. */
  get hasSettlements(): boolean {
    return this.#settlements.count > 0
  }

  /** When `advance` has something to do next. Cost: O(streams). */
  get nextDeadlineMs(): number {
    let nearestMs = Number.POSITIVE_INFINITY
    for (const stream of this.streams) nearestMs = Math.min(nearestMs, this.#supervisor.deadlineOf(stream))
    return nearestMs
  }

  /**
   * Takes a record, or returns false when the buffer is full. Throws InvalidRecordError; then, and when the buffer is
   * full, nothing was taken. Hot.
   */
  tryPut(user: UserRecord, settle: SettleCallback | AbortTicket, nowMs: number): boolean {
    let record: AcceptedRecord
    let stream: Stream
    try {
      record = this.#validator.examine(user)
      stream = this.#supervisor.open(record.streamName ?? this.#options.streamName)
    } catch (error) {
      throw this.refusals.errorFor(error, user)
    }
    const { budgetBytes } = record
    let isQuiet = false
    try {
      if (stream.hasFullLanes && this.#isLaneFull(stream, record)) return this.#refuse(stream)
      if (!this.budget.fits(budgetBytes)) return this.#refuse(stream)
      record.settle = settle
      if (typeof settle === 'object') settle.streamName = stream.streamName
      record.acceptedMs = nowMs
      record.number = this.#nextNumber
      record.deadlineMs = nowMs + this.#options.recordMaxBufferedTimeMs
      record.sealByMs = record.deadlineMs - this.#options.collectionWindowMs
      record.expirationMs = nowMs + this.#options.recordTtlMs
      isQuiet = stream.place(record, this.#validator.key, nowMs)
    } catch (error) {
      this.#putThrew(stream, budgetBytes, error, nowMs)
      return true
    }
    // Only now, so that nothing is counted that was not placed.
    this.#count(stream, budgetBytes, nowMs)
    this.#news = isQuiet ? undefined : this.#pumped(stream, nowMs)
    return true
  }

  /** Whether the last put has made something due before `armedMs`. */
  isSooner(armedMs: number): boolean {
    return this.#news !== undefined && (this.#supervisor.deadlineOf(this.#news) < armedMs || this.hasSettlements)
  }

  #count(stream: Stream, budgetBytes: number, nowMs: number): void {
    this.#nextNumber++
    this.budget.take(budgetBytes)
    this.ledger.accepted()
    stream.custody.placed(budgetBytes)
    // Not by `#tell`: a closure for each record.
    try {
      stream.telemetry.received(nowMs)
    } catch (error) {
      this.#warnOf(error)
    }
  }

  /** Sends what the put has sealed, if it has. Returns the stream that has the stream then. */
  #pumped(stream: Stream, nowMs: number): Stream | undefined {
    if (stream.hasSealed) this.#supervisor.guard(stream, nowMs, () => stream.pump())
    return this.#supervisor.find(stream.streamName)
  }

  /** A stream threw while it placed a record: throws KPL_ERR_INTERNAL, or fails the record with the rest if it holds it. */
  #putThrew(stream: Stream, budgetBytes: number, cause: unknown, nowMs: number): void {
    const isPlaced = stream.custody.holds(this.#nextNumber)
    if (isPlaced) this.#count(stream, budgetBytes, nowMs)
    this.#supervisor.replace(stream, cause, nowMs)
    this.#news = this.#supervisor.find(stream.streamName)
    if (!isPlaced) throw refusalFor(cause)
  }

  /** Opens a stream's stream before its first record, so that its shard map is there in time. */
  open(streamName: string): Stream {
    return this.#supervisor.open(streamName)
  }

  /** Does whatever is due on every stream; streams take turns at being first, since slots are shared. */
  advance(nowMs: number): void {
    const streams = [...this.streams]
    this.#turn++
    for (let i = 0; i < streams.length; i++) {
      const stream = streams[(i + this.#turn) % streams.length]!
      this.#supervisor.guard(stream, nowMs, () => stream.advance(nowMs))
    }
  }

  /** Calls `done` once every record accepted so far has been called back, and sends what is buffered now. */
  flush(nowMs: number, done: () => void): void {
    this.ledger.flush(this.#nextNumber, done)
    for (const stream of this.streams) this.#supervisor.guard(stream, nowMs, () => stream.flush(nowMs))
  }

  /** Takes the answer to a request and frees its slot. */
  complete(stream: Stream, batch: Batch, outcome: Outcome): void {
    this.#inFlight--
    if (stream.isReplaced) return
    for (const { members } of batch.entries) members.sentMs = undefined
    try {
      const publish = noteAnswer(stream, batch, outcome)
      stream.complete(batch, outcome, outcome.endMs)
      publish?.()
    } catch (error) {
      // The answer may have been that they are stored.
      for (const record of batch.entries) record.persisted = 'maybe'
      this.#supervisor.replace(stream, error, outcome.endMs)
    }
    const { spells } = this.#ports
    if (spells === undefined || stream.isReplaced) return
    this.#tell(() => spells.requestEnded(stream.streamName, batch, outcome, stream.gauges.isBreakerOpen))
  }

  /** Takes the open shards; undefined: they could not be had. Returns the error of a listing that is not believed. */
  listed(stream: Stream, listing: readonly ShardHashRange[] | undefined, nowMs: number): ProducerError | undefined {
    let refusal: ProducerError | undefined
    this.#supervisor.guard(stream, nowMs, () => {
      if (listing === undefined) stream.shardsFailed(nowMs)
      else refusal = stream.shardsListed(listing, nowMs)
    })
    return refusal
  }

  /** Takes a stream's summary; undefined: it could not be had. */
  described(stream: Stream, summary: StreamSummary | undefined, nowMs: number, errorCode?: string): void {
    this.#supervisor.guard(stream, nowMs, () => stream.described(summary, nowMs, errorCode))
  }

  /** Fails everything, `inFlight` included: nobody waits for those answers any more. */
  abandon(inFlight: Iterable<{ stream: Stream; batch: Batch }>, failure: Failure, nowMs: number): void {
    for (const { stream, batch } of inFlight) {
      this.#inFlight--
      this.#supervisor.guard(stream, nowMs, () => {
        for (const record of batch.entries) {
          record.persisted = 'maybe'
          recordAttempt(record, unanswered(record.members.sentMs ?? nowMs, nowMs))
          stream.fail(record, failure)
        }
      })
    }
    for (const stream of this.streams) {
      this.#supervisor.guard(stream, nowMs, () => stream.abandon(failure, nowMs))
    }
  }

  /**
   * Takes one record back. Does nothing once its fate is decided, even if it has not been called back yet: it may be
   * stored, and is told so. Its bytes are freed when its Kinesis record is.
   */
  abort(ticket: AbortTicket, nowMs: number): void {
    this.#settlements.abort(ticket, this.#supervisor.find(ticket.streamName)?.telemetry, nowMs)
  }

  /** Calls back whoever waits for a settlement. A callback may put, flush or close; what that settles waits its turn. */
  runSettlements(nowMs: number): void {
    this.#settlements.run(nowMs)
  }

  #hostPorts(): StreamHost<Stream> {
    const { random, fetchShards, fetchSummary, warn } = this.#ports
    return {
      random,
      validator: this.#validator,
      isFlushing: () => this.ledger.isFlushing,
      hasFreeSlot: () => this.#inFlight < this.#options.maxInFlightRequests,
      send: (stream, batch, nowMs) => this.#send(stream, batch, nowMs),
      fetchShards,
      fetchSummary,
      settle: (stream, settlement) => {
        stream.custody.decided(settlement.members)
        this.#settlements.add(stream, settlement)
      },
      warn
    }
  }

  #warnOf(error: unknown): void {
    this.#ports.warn('KPL_WARN_INTERNAL', internalFailure(error).message)
  }

  #refuse({ telemetry }: Stream): false {
    this.refusals.noRoom()
    this.#tell(() => telemetry.refused())
    return false
  }

  /** For what only counts or tells: when it throws, no record is touched. */
  #tell(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#warnOf(error)
    }
  }

  #isLaneFull(stream: Stream, record: AcceptedRecord): boolean {
    const laneId = stream.laneOf(record, this.#validator.key)
    if (!stream.isLaneFull(laneId)) return false
    this.#crowded.set(laneId, stream)
    return true
  }

  #send(stream: Stream, batch: Batch, nowMs: number): void {
    this.#inFlight++
    stream.telemetry.requests++
    for (const { members } of batch.entries) members.sentMs = nowMs
    this.#ports.send(stream, batch)
  }
}

/** Returns 64 random bits as 11 characters of base64url: no two producers of a consumer's window may share them. */
function producerId(random: Random): string {
  const bits = Uint32Array.from({ length: 2 }, () => random() * 2 ** 32)
  return Buffer.from(bits.buffer).toString('base64url')
}

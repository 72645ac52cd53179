/**
 * All streams of one producer, without promises, timers and network: what a user or the world does enters, requests and
 * callbacks leave through one `CoreHost`. `KinesisProducer` and the simulation drive the same object.
 * Invariant: whatever happens is followed by callbacks and by a wake-up asked for no later than the next thing due; every
 * request handed to the host is heard of once at most; after the end of `close` nothing is sent, woken or heard. Nothing is
 * counted that was not placed, and nothing that a stream throws comes out of here, but as the error of a put that took nothing.
 *
 *   put ----> Stream ----> host.send(flight) ... landed(flight, outcome) ----> callbacks ----> host.wakeAt
 */

import type { LaneBatch } from '../lanes/lane.ts'
import { InvalidRecordError, ProducerError, TransportError } from '../model/errors.ts'
import type { Failure, Outcome } from '../model/exchange.ts'
import { UNANSWERED } from '../model/failure-story.ts'
import { type AbortTicket, type AcceptedRecord, isTicket, type Settler } from '../model/kinesis-record.ts'
import type { Random, ShardHashRange, StreamSummary } from '../model/ports.ts'
import { unreadField } from '../model/record-hints.ts'
import type { UserRecord } from '../model/records.ts'
import type { CloseResult } from '../model/results.ts'
import { noteAnswer } from '../stats/diagnostics.ts'
import type { ControlCall } from '../stats/outage-spells.ts'
import { BlockPool } from '../wire/block-pool.ts'
import { DedupeTag } from '../wire/dedupe-tag.ts'
import { BufferBudget } from './buffer-budget.ts'
import { Closing } from './closing.ts'
import type { CallFailure, CoreHost, Flight } from './core-host.ts'
import { Flights } from './flights.ts'
import { FlushLedger } from './flush-ledger.ts'
import { recordAttempt, unanswered } from './members.ts'
import { forget, RecordValidator } from './record-validator.ts'
import { Refusals } from './refusals.ts'
import { Settlements } from './settlement.ts'
import type { Placing, Stream } from './stream.ts'
import type { StreamHost } from './stream-host.ts'
import type { StreamOptions } from './stream-options.ts'
import { refusalFor, Supervisor } from './supervisor.ts'

const MAX_FREE_ENVELOPE_BYTES = 16_777_216
/** Records whose other fields are looked at. */
const RECORDS_LOOKED_AT = 100
const NEVER_MS = Number.POSITIVE_INFINITY

export class Core {
  readonly buffer: BufferBudget
  readonly ledger: FlushLedger = new FlushLedger()
  readonly refusals: Refusals = new Refusals()
  readonly #options: StreamOptions
  readonly #host: CoreHost
  readonly #validator: RecordValidator
  readonly #supervisor: Supervisor
  readonly #settlements: Settlements
  readonly #flights: Flights
  /** Streams with a shard that refused a record since somebody last found room. */
  readonly #crowded = new Set<Stream>()
  #roomWaiters: ((refusal: ProducerError | undefined) => void)[] = []
  #nextNumber = 0
  #hasWarnedOfField = false
  #armedMs = NEVER_MS
  #closing: Closing | undefined
  #isClosed = false

  constructor(options: StreamOptions, host: CoreHost) {
    const tags = options.dedupeTags ? { dedupeTag: new DedupeTag(producerId(host.random)) } : undefined
    const memory = host.readsUntilAnswered ? envelopePool(options.aggregationMaxBytes) : undefined
    this.#options = { ...options, ...tags, takeBytes: memory && (bytes => memory.take(bytes)) }
    this.#host = host
    this.buffer = new BufferBudget(options)
    this.#validator = new RecordValidator(options.maxUserRecordBytes, options.dedupeTags)
    this.#flights = new Flights(options.requestTimeoutMs)
    this.#settlements = new Settlements({ buffer: this.buffer, ledger: this.ledger, memory }, host)
    this.#supervisor = new Supervisor(this.#options, this.#streamHost())
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get streams(): Iterable<Stream> {
    return this.#supervisor.streams
  }

  get inFlightRequests(): number {
    return this.#flights.count
  }

  get delivered(): number {
    return this.#settlements.delivered
  }

  get failed(): number {
    return this.#settlements.failed
  }

  /** Whether callers that wait for room should try again: in the buffer, and in the lanes that refused a record. */
  get hasRoom(): boolean {
    for (const stream of this.#crowded) {
      this.#supervisor.guard(stream, this.#supervisor.nowMs, () => {
        if (!stream.isCrowded) this.#crowded.delete(stream)
      })
      if (stream.isReplaced) this.#crowded.delete(stream)
    }
    return this.buffer.hasRoom && this.#crowded.size === 0
  }

  /**
   * Takes a record, or returns false when the buffer is full. `context` goes to the callback with the answer. Throws KPL_ERR_CLOSED, InvalidRecordError, or KPL_ERR_INTERNAL;
   * then, and when the buffer is full, nothing was taken. Callbacks run later. Hot.
   */
  tryPut(user: UserRecord, settle: Settler, nowMs: number, context?: unknown): boolean {
    if (this.#closing !== undefined) throw closed()
    let record: AcceptedRecord
    let stream: Stream
    try {
      record = this.#validator.examine(user)
      const { streamName = this.#options.streamName } = record
      stream = this.#supervisor.open(streamName)
    } catch (error) {
      throw this.refusals.errorFor(error, user)
    }
    // To read a record's fields may have called back, and closed.
    if (this.#closing !== undefined) throw closed()
    const { budgetBytes } = record
    let placing: Placing
    try {
      if (stream.hasFullLanes && this.#isLaneFull(stream, record, nowMs)) return this.#refuse(stream)
      if (!this.buffer.fits(budgetBytes)) return this.#refuse(stream)
      record.settle = settle
      record.context = context
      if (isTicket(settle)) settle.streamName = stream.streamName
      record.acceptedMs = nowMs
      record.number = this.#nextNumber
      record.deadlineMs = nowMs + this.#options.recordMaxBufferedTimeMs
      record.sealByMs = record.deadlineMs
      record.expirationMs = nowMs + this.#options.recordTtlMs
      placing = stream.place(record, this.#validator.key, nowMs)
    } catch (error) {
      this.#putThrew(stream, budgetBytes, error, nowMs)
      return true
    } finally {
      forget(record)
    }
    // Only now, so that nothing is counted that was not placed.
    this.#count(stream, budgetBytes, nowMs)
    if (placing !== 'joined') this.#placed(stream, placing, nowMs)
    if (this.#nextNumber <= RECORDS_LOOKED_AT) this.#lookAt(user)
    return true
  }

  /**
   * Whether the buffer has room for all of these records together. A value that is not a record needs no room. Cost:
   * O(records).
   */
  fits(records: Iterable<UserRecord>): boolean {
    let bytes = 0
    let count = 0
    for (const user of records) {
      try {
        bytes += this.#validator.examine(user).budgetBytes
        count++
      } catch (error) {
        if (!(error instanceof InvalidRecordError)) throw refusalFor(error)
      }
    }
    return this.buffer.fits(bytes, count)
  }

  /** Opens a stream before its first record, so that its shard map is there in time. */
  open(streamName: string, nowMs: number): void {
    this.#supervisor.open(streamName)
    this.#rest(nowMs)
  }

  /**
   * Takes records back. Does nothing for a decided record, even if its callback has not run yet: the record may be stored, and
   * its callback says so. The bytes of a record are freed when its Kinesis record is.
   */
  abort(tickets: Iterable<AbortTicket>, nowMs: number): void {
    for (const ticket of tickets) {
      this.#settlements.abort(ticket, this.#supervisor.find(ticket.streamName)?.telemetry, nowMs)
    }
    this.#arm(nowMs)
  }

  /** Calls `done` when the buffer has room for the largest record, maybe at once; with an error when it will have none. */
  whenRoom(nowMs: number, done: (refusal: ProducerError | undefined) => void): void {
    if (this.#closing !== undefined) {
      done(closed())
      return
    }
    const { hasRoom } = this
    // Asking may throw inside, and then records fail.
    this.#armIfSettled(nowMs)
    if (hasRoom) done(undefined)
    else this.#roomWaiters.push(done)
  }

  /** Sends what is buffered, and calls `done` once every record accepted so far has been called back. */
  flush(nowMs: number, done: () => void): void {
    this.#flush(nowMs, () => this.#call(done))
    this.#rest(nowMs)
  }

  /**
   * Stops intake, flushes, and calls `done` when everything has settled, or has been failed because `timeoutMs` are over.
   * A later call gets the same answer; it may shorten the wait.
   */
  close(nowMs: number, timeoutMs: number, done: (result: CloseResult) => void): void {
    const isFirst = this.#closing === undefined
    this.#closing ??= new Closing(this.delivered, this.failed)
    const closing = this.#closing
    if (closing.join(nowMs, timeoutMs, done)) return
    if (isFirst) {
      this.#tellRoom(closed())
      this.#flush(nowMs, () => {
        closing.isDrained = true
      })
    }
    this.#rest(nowMs)
  }

  /** The time that was asked for has come. Streams take turns at being first, since slots are shared. */
  wake(nowMs: number): void {
    this.#armedMs = NEVER_MS
    if (this.#isClosed) return
    this.#giveUpFlights(nowMs)
    for (const stream of this.#supervisor.due(nowMs, this.#hasFreeSlot)) {
      this.#supervisor.guard(stream, nowMs, () => stream.advance(nowMs))
    }
    this.#rest(nowMs)
    if (this.#closing !== undefined && nowMs >= this.#closing.endMs) this.#end(this.#closing, nowMs)
  }

  /** Takes the outcome of a request. A second outcome, or one after the request was given up, is ignored. */
  landed(flight: Flight, outcome: Outcome): void {
    if (!this.#flights.land(flight)) return
    const { stream, batch } = flight
    this.#complete(stream, batch, outcome)
    this.#rest(outcome.endMs)
  }

  /**
   * The open shards; undefined: the call failed, with `failure`. Returns why a listing is not believed: the last good
   * map serves on, and the next fetch is planned.
   */
  listed(
    stream: Stream,
    listing: readonly ShardHashRange[] | undefined,
    nowMs: number,
    failure?: CallFailure
  ): ProducerError | undefined {
    if (this.#isClosed) return undefined
    const isExpected = failure !== undefined && stream.description.explainsNoShards(failure.errorCode)
    let refusal: ProducerError | undefined
    this.#supervisor.guard(stream, nowMs, () => {
      if (listing === undefined) stream.shardsFailed(nowMs)
      else refusal = stream.shardsListed(listing, nowMs)
    })
    this.#rest(nowMs)
    const text = refusal === undefined ? failure?.text : `${refusal.name}: ${refusal.message}`
    if (!isExpected) this.#callEnded(stream, 'ListShards', nowMs, text)
    return refusal
  }

  /** The stream's summary; undefined: the call failed, with `failure`. */
  described(stream: Stream, summary: StreamSummary | undefined, nowMs: number, failure?: CallFailure): void {
    if (this.#isClosed) return
    this.#supervisor.guard(stream, nowMs, () => stream.described(summary, nowMs, failure?.errorCode))
    this.#rest(nowMs)
    this.#callEnded(stream, 'DescribeStreamSummary', nowMs, failure?.text)
  }

  get #hasFreeSlot(): boolean {
    return this.#flights.count < this.#options.maxInFlightRequests
  }

  /** The calls of a stream that concern all streams together. */
  #streamHost(): StreamHost<Stream> {
    const host = this.#host
    return {
      random: host.random,
      validator: this.#validator,
      isFlushing: () => this.ledger.isFlushing,
      hasFreeSlot: () => this.#hasFreeSlot,
      send: (stream, batch, nowMs) => this.#send(stream, batch, nowMs),
      fetchShards: stream => host.fetchShards(stream),
      fetchSummary: stream => host.fetchSummary(stream),
      settle: (stream, settlement) => {
        stream.custody.decided(settlement.members)
        this.#settlements.add(stream, settlement)
      },
      warn: (code, message) => host.warn(code, message)
    }
  }

  #send(stream: Stream, batch: LaneBatch, nowMs: number): void {
    const flight = this.#flights.start(stream, batch)
    stream.telemetry.requests++
    for (const { members } of batch.entries) members.sentMs = nowMs
    this.#host.send(flight)
  }

  /** Ends requests that a transport never answers. */
  #giveUpFlights(nowMs: number): void {
    for (const { stream, batch } of this.#flights.takeLate(nowMs)) {
      const startMs = batch.entries[0]?.members.sentMs ?? nowMs
      const failure = { errorCode: UNANSWERED, message: 'the transport gave no answer', persisted: 'maybe' } as const
      const outcome: Outcome = { kind: 'failed', startMs, endMs: nowMs, error: new TransportError(failure) }
      this.#complete(stream, batch, outcome)
    }
  }

  #complete(stream: Stream, batch: LaneBatch, outcome: Outcome): void {
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
    this.#supervisor.touched(stream)
    const { spells } = this.#host
    if (spells === undefined || stream.isReplaced) return
    this.#settlements.tell(() => spells.requestEnded(stream.streamName, batch, outcome, stream.gauges.isBreakerOpen))
  }

  #count(stream: Stream, budgetBytes: number, nowMs: number): void {
    this.#nextNumber++
    this.buffer.take(budgetBytes)
    this.ledger.accepted()
    stream.custody.placed(budgetBytes)
    // Not by `tell`: a closure for each record.
    try {
      stream.telemetry.received(nowMs)
    } catch (error) {
      this.#settlements.tellingThrew(error)
    }
  }

  /** A record that was placed made something due sooner, or something may be sent. */
  #placed(stream: Stream, placing: Placing, nowMs: number): void {
    if (placing === 'sealed') this.#supervisor.guard(stream, nowMs, () => stream.pump())
    else this.#supervisor.touched(stream)
    const dueMs = Math.min(this.#supervisor.nextDeadlineMs(this.#hasFreeSlot), this.#flights.nextDeadlineMs)
    if (dueMs < this.#armedMs || this.#settlements.count > 0) this.#arm(nowMs)
  }

  /** A stream threw while it placed a record: throws KPL_ERR_INTERNAL, or fails the record with the rest if it holds it. */
  #putThrew(stream: Stream, budgetBytes: number, cause: unknown, nowMs: number): void {
    const isPlaced = stream.custody.holds(this.#nextNumber)
    if (isPlaced) this.#count(stream, budgetBytes, nowMs)
    this.#supervisor.replace(stream, cause, nowMs)
    this.#armIfSettled(nowMs)
    if (!isPlaced) throw refusalFor(cause)
  }

  /** A slip in the name of an optional field is in every record, so the first ones tell. */
  #lookAt(user: UserRecord): void {
    const fact = this.#hasWarnedOfField ? undefined : unreadField(user)
    if (fact === undefined) return
    this.#hasWarnedOfField = true
    this.#host.warn('KPL_WARN_RECORD_FIELD', `the producer took a record and ignored one of its fields: ${fact}`)
  }

  #refuse({ telemetry }: Stream): false {
    this.refusals.noRoom()
    this.#settlements.tell(() => telemetry.refused())
    return false
  }

  #isLaneFull(stream: Stream, record: AcceptedRecord, nowMs: number): boolean {
    const isFull = stream.refuses(record, this.#validator.key, nowMs)
    if (isFull) {
      this.#crowded.add(stream)
      this.#supervisor.touched(stream)
    }
    return isFull
  }

  #flush(nowMs: number, done: () => void): void {
    this.ledger.flush(this.#nextNumber, done)
    for (const stream of this.streams) this.#supervisor.guard(stream, nowMs, () => stream.flush(nowMs))
  }

  #callEnded({ streamName }: Stream, call: ControlCall, nowMs: number, text: string | undefined): void {
    this.#host.spells?.callEnded(streamName, call, nowMs, text)
  }

  /** Nothing is in the middle of anything: callbacks run, waiters hear of room, the next wake-up is asked for. */
  #rest(nowMs: number): void {
    this.#settlements.run(nowMs)
    if (this.#roomWaiters.length > 0 && this.hasRoom) this.#tellRoom(undefined)
    if (this.#closing?.isDrained) this.#end(this.#closing, nowMs)
    this.#arm(nowMs)
  }

  #tellRoom(refusal: ProducerError | undefined): void {
    const waiters = this.#roomWaiters
    this.#roomWaiters = []
    for (const done of waiters) this.#call(() => done(refusal))
  }

  #armIfSettled(nowMs: number): void {
    if (this.#settlements.count > 0) this.#arm(nowMs)
  }

  /** Asks for the next wake-up: at once when callbacks wait. */
  #arm(nowMs: number): void {
    if (this.#isClosed) return
    // Asked first: that may throw inside, and then there are settlements.
    const streamMs = this.#supervisor.nextDeadlineMs(this.#hasFreeSlot)
    const dueMs = Math.min(streamMs, this.#flights.nextDeadlineMs, this.#closing?.endMs ?? NEVER_MS)
    const nextMs = this.#settlements.count > 0 ? nowMs : dueMs
    if (nextMs === this.#armedMs) return
    this.#armedMs = nextMs
    this.#host.wakeAt(nextMs)
  }

  #end(closing: Closing, nowMs: number): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const message = `not acknowledged within close's ${closing.timeoutMs} ms`
    // Records that were taken back are settled, and may still be held; and requests may be out although the core waits for none.
    this.#abandon({ code: 'KPL_ERR_CLOSE_TIMEOUT', message }, nowMs)
    this.#settlements.run(nowMs)
    this.#host.wakeAt(NEVER_MS)
    for (const tell of closing.end(this.delivered, this.failed)) this.#call(tell)
  }

  /** Fails everything, what is out included: the core does not wait for those answers any more. */
  #abandon(failure: Failure, nowMs: number): void {
    for (const { stream, batch } of this.#flights.takeAll()) {
      this.#supervisor.guard(stream, nowMs, () => {
        for (const record of batch.entries) {
          record.persisted = 'maybe'
          recordAttempt(record, unanswered(record.members.sentMs ?? nowMs, nowMs))
          stream.fail(record, failure)
        }
      })
    }
    for (const stream of this.streams) this.#supervisor.guard(stream, nowMs, () => stream.abandon(failure, nowMs))
  }

  /** Waiting callers are called last, when the books are right. An error that they throw changes nothing for others. */
  #call(done: () => void): void {
    try {
      done()
    } catch (error) {
      this.#host.callbackThrew(error)
    }
  }
}

/**
 * Memory of sealed envelopes: what one burst of answers gives back is kept, and a block is worth it only for an envelope that is
 * nearly full, so that a buffer full of records takes little more than they do.
 */
function envelopePool(grainBytes: number): BlockPool {
  return new BlockPool({ grainBytes, maxFreeCount: Math.floor(MAX_FREE_ENVELOPE_BYTES / grainBytes), minFill: 3 / 4 })
}

function closed(): ProducerError {
  return new ProducerError('KPL_ERR_CLOSED', 'the producer is closed')
}

/** Returns 64 random bits as 11 characters of base64url: no two producers of a consumer's window may share them. */
function producerId(random: Random): string {
  const bits = Uint32Array.from({ length: 2 }, () => random() * 2 ** 32)
  return Buffer.from(bits.buffer).toString('base64url')
}

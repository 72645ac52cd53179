/**
 * All streams of one producer: the buffer's bounds, the slots for requests, flushes and settlements, and one pipeline
 * per stream name, made when the name is first used.
 * Invariant: `outstanding` records are exactly those accepted and not called back; nothing is counted that was not placed,
 * and nothing that a pipeline throws comes out of here, but as the error of a put that took nothing.
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
import { Admission } from './admission.ts'
import { Budget } from './budget.ts'
import { FlushLedger } from './flush-ledger.ts'
import { recordAttempt, unanswered } from './members.ts'
import type { Pipeline } from './pipeline.ts'
import type { PipelineHost } from './pipeline-host.ts'
import type { PipelineOptions } from './pipeline-options.ts'
import { Refusals } from './refusals.ts'
import { Settlements } from './settlements.ts'
import { internalFailure, refusalFor, Supervisor } from './supervisor.ts'

/** What the set asks of the producer. None of these may call back before they return. */
export interface SetPorts {
  readonly random: Random
  /** Whether `send` looks at no entry any more once it was answered: see `Transport.readsUntilAnswered`. */
  readonly readsUntilAnswered?: boolean | undefined
  send(pipeline: Pipeline, batch: Batch): void
  fetchShards(pipeline: Pipeline): void
  fetchSummary(pipeline: Pipeline): void
  warn(code: string, message: string): void
  /** Told what a log is to say. */
  readonly spells?: Spells | undefined
  /** A user's callback threw. */
  callbackThrew(error: unknown): void
}

export class PipelineSet {
  readonly ledger: FlushLedger = new FlushLedger()
  readonly budget: Budget
  readonly refusals: Refusals = new Refusals()
  /** The pipeline whose deadline may have come nearer by the last put. */
  #news: Pipeline | undefined
  readonly #options: PipelineOptions
  readonly #ports: SetPorts
  readonly #admission: Admission
  readonly #supervisor: Supervisor
  readonly #settlements: Settlements
  /** Lanes that refused a record since somebody last found room, by id; of two streams' equal ids one is enough. */
  readonly #crowded = new Map<string, Pipeline>()
  #nextNumber = 0
  #inFlight = 0
  #turn = 0

  constructor(options: PipelineOptions, ports: SetPorts) {
    const tags = options.dedupeTags ? { dedupeTag: new DedupeTag(producerId(ports.random)) } : undefined
    const memory = ports.readsUntilAnswered ? new EnvelopeMemory(options.aggregationMaxBytes) : undefined
    this.#options = { ...options, ...tags, takeBytes: memory && (bytes => memory.take(bytes)) }
    this.#ports = ports
    this.budget = new Budget(options)
    this.#admission = new Admission(options.maxUserRecordBytes, options.dedupeTags)
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

  get pipelines(): Iterable<Pipeline> {
    return this.#supervisor.pipelines
  }

  /** Whether whoever waits for room should try again: in the buffer, and in the lanes that refused a record. */
  get hasRoom(): boolean {
    for (const [laneId, pipeline] of this.#crowded) {
      this.#supervisor.guard(pipeline, this.#supervisor.nowMs, () => {
        if (!pipeline.isLaneFull(laneId)) this.#crowded.delete(laneId)
      })
      if (pipeline.isReplaced) this.#crowded.delete(laneId)
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
    for (const pipeline of this.pipelines) nearestMs = Math.min(nearestMs, this.#supervisor.deadlineOf(pipeline))
    return nearestMs
  }

  /**
   * Takes a record, or returns false when the buffer is full. Throws InvalidRecordError; then, and when the buffer is
   * full, nothing was taken. Hot.
   */
  tryPut(user: UserRecord, settle: SettleCallback | AbortTicket, nowMs: number): boolean {
    let record: AcceptedRecord
    let pipeline: Pipeline
    try {
      record = this.#admission.examine(user)
      pipeline = this.#supervisor.open(record.streamName ?? this.#options.streamName)
    } catch (error) {
      throw this.refusals.errorFor(error, user)
    }
    const { budgetBytes } = record
    let isQuiet = false
    try {
      if (pipeline.hasFullLanes && this.#isLaneFull(pipeline, record)) return this.#refuse(pipeline)
      if (!this.budget.fits(budgetBytes)) return this.#refuse(pipeline)
      record.settle = settle
      if (typeof settle === 'object') settle.streamName = pipeline.streamName
      record.acceptedMs = nowMs
      record.number = this.#nextNumber
      record.deadlineMs = nowMs + this.#options.recordMaxBufferedTimeMs
      record.sealByMs = record.deadlineMs - this.#options.collectionWindowMs
      record.expirationMs = nowMs + this.#options.recordTtlMs
      isQuiet = pipeline.place(record, this.#admission.key, nowMs)
    } catch (error) {
      this.#putThrew(pipeline, budgetBytes, error, nowMs)
      return true
    }
    // Only now, so that nothing is counted that was not placed.
    this.#count(pipeline, budgetBytes, nowMs)
    this.#news = isQuiet ? undefined : this.#pumped(pipeline, nowMs)
    return true
  }

  /** Whether the last put has made something due before `armedMs`. */
  isSooner(armedMs: number): boolean {
    return this.#news !== undefined && (this.#supervisor.deadlineOf(this.#news) < armedMs || this.hasSettlements)
  }

  #count(pipeline: Pipeline, budgetBytes: number, nowMs: number): void {
    this.#nextNumber++
    this.budget.take(budgetBytes)
    this.ledger.accepted()
    pipeline.custody.placed(budgetBytes)
    // Not by `#tell`: a closure for each record.
    try {
      pipeline.telemetry.received(nowMs)
    } catch (error) {
      this.#warnOf(error)
    }
  }

  /** Sends what the put has sealed, if it has. Returns the pipeline that has the stream then. */
  #pumped(pipeline: Pipeline, nowMs: number): Pipeline | undefined {
    if (pipeline.hasSealed) this.#supervisor.guard(pipeline, nowMs, () => pipeline.pump())
    return this.#supervisor.find(pipeline.streamName)
  }

  /** A pipeline threw while it placed a record: throws KPL_ERR_INTERNAL, or fails the record with the rest if it holds it. */
  #putThrew(pipeline: Pipeline, budgetBytes: number, cause: unknown, nowMs: number): void {
    const isPlaced = pipeline.custody.holds(this.#nextNumber)
    if (isPlaced) this.#count(pipeline, budgetBytes, nowMs)
    this.#supervisor.replace(pipeline, cause, nowMs)
    this.#news = this.#supervisor.find(pipeline.streamName)
    if (!isPlaced) throw refusalFor(cause)
  }

  /** Opens a stream's pipeline before its first record, so that its shard map is there in time. */
  open(streamName: string): Pipeline {
    return this.#supervisor.open(streamName)
  }

  /** Does whatever is due on every stream; streams take turns at being first, since slots are shared. */
  advance(nowMs: number): void {
    const pipelines = [...this.pipelines]
    this.#turn++
    for (let i = 0; i < pipelines.length; i++) {
      const pipeline = pipelines[(i + this.#turn) % pipelines.length]!
      this.#supervisor.guard(pipeline, nowMs, () => pipeline.advance(nowMs))
    }
  }

  /** Calls `done` once every record accepted so far has been called back, and sends what is buffered now. */
  flush(nowMs: number, done: () => void): void {
    this.ledger.flush(this.#nextNumber, done)
    for (const pipeline of this.pipelines) this.#supervisor.guard(pipeline, nowMs, () => pipeline.flush(nowMs))
  }

  /** Takes the answer to a request and frees its slot. */
  complete(pipeline: Pipeline, batch: Batch, outcome: Outcome): void {
    this.#inFlight--
    if (pipeline.isReplaced) return
    for (const { members } of batch.entries) members.sentMs = undefined
    try {
      const publish = noteAnswer(pipeline, batch, outcome)
      pipeline.complete(batch, outcome, outcome.endMs)
      publish?.()
    } catch (error) {
      // The answer may have been that they are stored.
      for (const record of batch.entries) record.persisted = 'maybe'
      this.#supervisor.replace(pipeline, error, outcome.endMs)
    }
    const { spells } = this.#ports
    if (spells === undefined || pipeline.isReplaced) return
    this.#tell(() => spells.requestEnded(pipeline.streamName, batch, outcome, pipeline.gauges.isBreakerOpen))
  }

  /** Takes the open shards; undefined: they could not be had. Returns the error of a listing that is not believed. */
  listed(pipeline: Pipeline, listing: readonly ShardHashRange[] | undefined, nowMs: number): ProducerError | undefined {
    let refusal: ProducerError | undefined
    this.#supervisor.guard(pipeline, nowMs, () => {
      if (listing === undefined) pipeline.shardsFailed(nowMs)
      else refusal = pipeline.shardsListed(listing, nowMs)
    })
    return refusal
  }

  /** Takes a stream's summary; undefined: it could not be had. */
  described(pipeline: Pipeline, summary: StreamSummary | undefined, nowMs: number, errorCode?: string): void {
    this.#supervisor.guard(pipeline, nowMs, () => pipeline.described(summary, nowMs, errorCode))
  }

  /** Fails everything, `inFlight` included: nobody waits for those answers any more. */
  abandon(inFlight: Iterable<{ pipeline: Pipeline; batch: Batch }>, failure: Failure, nowMs: number): void {
    for (const { pipeline, batch } of inFlight) {
      this.#inFlight--
      this.#supervisor.guard(pipeline, nowMs, () => {
        for (const record of batch.entries) {
          record.persisted = 'maybe'
          recordAttempt(record, unanswered(record.members.sentMs ?? nowMs, nowMs))
          pipeline.fail(record, failure)
        }
      })
    }
    for (const pipeline of this.pipelines) {
      this.#supervisor.guard(pipeline, nowMs, () => pipeline.abandon(failure, nowMs))
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

  #hostPorts(): PipelineHost<Pipeline> {
    const { random, fetchShards, fetchSummary, warn } = this.#ports
    return {
      random,
      admission: this.#admission,
      isFlushing: () => this.ledger.isFlushing,
      hasFreeSlot: () => this.#inFlight < this.#options.maxInFlightRequests,
      send: (pipeline, batch, nowMs) => this.#send(pipeline, batch, nowMs),
      fetchShards,
      fetchSummary,
      settle: (pipeline, settlement) => {
        pipeline.custody.decided(settlement.members)
        this.#settlements.add(pipeline, settlement)
      },
      warn
    }
  }

  #warnOf(error: unknown): void {
    this.#ports.warn('KPL_WARN_INTERNAL', internalFailure(error).message)
  }

  #refuse({ telemetry }: Pipeline): false {
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

  #isLaneFull(pipeline: Pipeline, record: AcceptedRecord): boolean {
    const laneId = pipeline.laneOf(record, this.#admission.key)
    if (!pipeline.isLaneFull(laneId)) return false
    this.#crowded.set(laneId, pipeline)
    return true
  }

  #send(pipeline: Pipeline, batch: Batch, nowMs: number): void {
    this.#inFlight++
    pipeline.telemetry.requests++
    for (const { members } of batch.entries) members.sentMs = nowMs
    this.#ports.send(pipeline, batch)
  }
}

/** Returns 64 random bits as 11 characters of base64url: no two producers of a consumer's window may share them. */
function producerId(random: Random): string {
  const bits = Uint32Array.from({ length: 2 }, () => random() * 2 ** 32)
  return Buffer.from(bits.buffer).toString('base64url')
}

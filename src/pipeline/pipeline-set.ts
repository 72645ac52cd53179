/**
 * All streams of one producer: the buffer's bounds, the slots for requests, flushes and settlements, and one pipeline
 * per stream name, made when the name is first used.
 * Invariant: `outstanding` records are exactly those accepted and not called back; each is called back once, and never
 * from inside a put: callbacks run in `runSettlements`, when every pipeline is at rest.
 */
import { InvalidRecordError, RecordFailedError } from '../model/errors.ts'
import type { AbortTicket, AcceptedRecord, Batch } from '../model/kinesis-record.ts'
import type { Random } from '../model/ports.ts'
import { streamNameFault, type UserRecord } from '../model/records.ts'
import type { SettleCallback } from '../model/results.ts'
import { EnvelopeMemory } from '../stages/envelope-memory.ts'
import { Fifo } from '../stages/fifo.ts'
import { DedupeTag } from '../wire/dedupe-tag.ts'
import { Admission, refusalOf } from './admission.ts'
import { Budget } from './budget.ts'
import { noteAnswer, publishFailed, publishFailure } from './diagnostics.ts'
import { FlushLedger } from './flush-ledger.ts'
import { recordAttempt, takenBack, unanswered } from './members.ts'
import { Pipeline } from './pipeline.ts'
import type { Outcome, PipelineHost } from './pipeline-host.ts'
import type { PipelineOptions } from './pipeline-options.ts'
import { callBack, type Failure, type Settlement, shardOf } from './settlement.ts'
import type { Spells } from './spells.ts'

/** What the set asks of the producer. None of these may call back before they return. */
export interface SetPorts {
  readonly random: Random
  /** Whether `send` looks at no entry any more once it was answered: see `Transport.readsUntilAnswered`. */
  readonly readsUntilAnswered?: boolean | undefined
  send(pipeline: Pipeline, batch: Batch): void
  fetchShards(pipeline: Pipeline): void
  warn(code: string, message: string): void
  /** Told what a log is to say. */
  readonly spells?: Spells | undefined
  /** A user's callback threw. */
  callbackThrew(error: unknown): void
}

/** More streams than one producer may serve: names are often made from data, and every pipeline is kept. */
const MAX_STREAMS = 10_000

export class PipelineSet {
  readonly ledger: FlushLedger = new FlushLedger()
  readonly budget: Budget
  /** Settled user records, and puts that took nothing: for want of room, or for what was in the record. */
  readonly totals = { delivered: 0, failed: 0, refused: 0, invalid: 0 }
  /** Set by `tryPut`. */
  news: Pipeline | undefined
  readonly #options: PipelineOptions
  readonly #ports: SetPorts
  readonly #host: PipelineHost
  readonly #admission: Admission
  readonly #memory: EnvelopeMemory | undefined
  readonly #pipelines = new Map<string, Pipeline>()
  readonly #settlements = new Fifo<{ readonly pipeline: Pipeline; readonly settlement: Settlement }>()
  /** Lanes that refused a record since somebody last found room, by id; of two streams' equal ids one is enough. */
  readonly #crowded = new Map<string, Pipeline>()
  #nextNumber = 0
  #inFlight = 0
  #turn = 0
  #isSettling = false

  constructor(options: PipelineOptions, ports: SetPorts) {
    const tags = options.dedupeTags ? { dedupeTag: new DedupeTag(producerId(ports.random)) } : undefined
    const memory = ports.readsUntilAnswered ? new EnvelopeMemory(options.aggregationMaxBytes) : undefined
    this.#options = { ...options, ...tags, takeBytes: memory && (bytes => memory.take(bytes)) }
    this.#memory = memory
    this.#ports = ports
    this.budget = new Budget(options)
    this.#admission = new Admission(options.maxUserRecordBytes, options.dedupeTags)
    this.#host = {
      random: ports.random,
      admission: this.#admission,
      isFlushing: () => this.ledger.isFlushing,
      hasFreeSlot: () => this.#inFlight < options.maxInFlightRequests,
      send: (pipeline, batch, nowMs) => this.#send(pipeline, batch, nowMs),
      fetchShards: ports.fetchShards,
      settle: (pipeline, settlement) => {
        settlement.members.isDecided = true
        this.#settlements.push({ pipeline, settlement })
      },
      warn: ports.warn
    }
  }

  get inFlightRequests(): number {
    return this.#inFlight
  }

  get pipelines(): Iterable<Pipeline> {
    return this.#pipelines.values()
  }

  /** Whether whoever waits for room should try again: in the buffer, and in the lanes that refused a record. */
  get hasRoom(): boolean {
    for (const [laneId, pipeline] of this.#crowded) {
      if (!pipeline.isLaneFull(laneId)) this.#crowded.delete(laneId)
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
    for (const pipeline of this.#pipelines.values()) nearestMs = Math.min(nearestMs, pipeline.nextDeadlineMs)
    return nearestMs
  }

  /**
   * Takes a record, or returns false when the buffer is full. Throws InvalidRecordError; then, and when the buffer is
   * full, nothing was taken. Afterwards `news` is the pipeline whose deadline may have come nearer, if any. Hot.
   */
  tryPut(user: UserRecord, settle: SettleCallback | AbortTicket, nowMs: number): boolean {
    let pipeline: Pipeline
    let record: AcceptedRecord
    try {
      const { streamName = this.#options.streamName } = user
      pipeline = this.#pipelines.get(streamName ?? '') ?? this.#open(streamName)
      record = this.#admission.examine(user)
    } catch (error) {
      throw this.#explained(error, user)
    }
    if (pipeline.hasFullLanes && this.#isLaneFull(pipeline, record)) return this.#refuse(pipeline)
    if (!this.budget.tryTake(record.budgetBytes)) return this.#refuse(pipeline)
    record.settle = settle
    if (typeof settle === 'object') settle.streamName = pipeline.streamName
    record.acceptedMs = nowMs
    record.number = this.#nextNumber++
    record.deadlineMs = nowMs + this.#options.recordMaxBufferedTimeMs
    record.sealByMs = record.deadlineMs - this.#options.collectionWindowMs
    record.expirationMs = nowMs + this.#options.recordTtlMs
    this.ledger.accepted()
    const isQuiet = pipeline.accept(record, this.#admission.key, nowMs)
    this.news = isQuiet ? undefined : pipeline
    return true
  }

  /** Opens a stream's pipeline before its first record, so that its shard map is there in time. */
  open(streamName: string): Pipeline {
    return this.#pipelines.get(streamName) ?? this.#open(streamName)
  }

  /** Does whatever is due on every stream; streams take turns at being first, since slots are shared. */
  advance(nowMs: number): void {
    const pipelines = [...this.#pipelines.values()]
    this.#turn++
    for (let i = 0; i < pipelines.length; i++) pipelines[(i + this.#turn) % pipelines.length]!.advance(nowMs)
  }

  /** Calls `done` once every record accepted so far has been called back, and sends what is buffered now. */
  flush(nowMs: number, done: () => void): void {
    this.ledger.flush(this.#nextNumber, done)
    for (const pipeline of this.#pipelines.values()) pipeline.flush(nowMs)
  }

  /** Takes the answer to a request and frees its slot. */
  complete(pipeline: Pipeline, batch: Batch, outcome: Outcome): void {
    this.#inFlight--
    for (const { members } of batch.entries) members.sentMs = undefined
    const publish = noteAnswer(pipeline, batch, outcome)
    pipeline.complete(batch, outcome, outcome.endMs)
    publish?.()
    this.#ports.spells?.requestEnded(pipeline.streamName, batch, outcome, pipeline.gauges.isBreakerOpen)
  }

  /** Fails everything, `inFlight` included: nobody waits for those answers any more. */
  abandon(inFlight: Iterable<{ pipeline: Pipeline; batch: Batch }>, failure: Failure, nowMs: number): void {
    for (const { pipeline, batch } of inFlight) {
      this.#inFlight--
      for (const record of batch.entries) {
        record.persisted = 'maybe'
        recordAttempt(record, unanswered(record.members.sentMs ?? nowMs, nowMs))
        pipeline.fail(record, failure)
      }
    }
    for (const pipeline of this.#pipelines.values()) pipeline.abandon(failure, nowMs)
  }

  /**
   * Takes one record back. Does nothing once its fate is decided, even if it has not been called back yet: it may be
   * stored, and is told so. Its bytes are freed when its Kinesis record is.
   */
  abort(ticket: AbortTicket, nowMs: number): void {
    const { members, index, streamName } = ticket
    if (members === undefined || members.isDecided) return
    const told = takenBack(members, index, nowMs)
    members.settles[index] = undefined
    members.abortedCount++
    ticket.members = undefined
    this.totals.failed++
    this.#pipelines.get(streamName)?.telemetry.failed('KPL_ERR_ABORTED', 1, shardOf({ members }))
    publishFailure(streamName, told, shardOf({ members }), 1)
    this.#ports.spells?.takenBack(streamName, told, nowMs)
    this.#call(() => ticket.settle(new RecordFailedError(told), undefined))
    this.ledger.settled(members.numbers[index]!)
  }

  /** Calls back whoever waits for a settlement. A callback may put, flush or close; what that settles waits its turn. */
  runSettlements(nowMs: number): void {
    if (this.#isSettling) return
    this.#isSettling = true
    try {
      for (let next = this.#settlements.shift(); next !== undefined; next = this.#settlements.shift()) {
        this.#settle(next.pipeline, next.settlement, nowMs)
      }
    } finally {
      this.#isSettling = false
      this.#ports.spells?.atRest(nowMs)
    }
  }

  #settle({ telemetry, streamName }: Pipeline, settlement: Settlement, nowMs: number): void {
    const { members, failure } = settlement
    const liveCount = members.count - members.abortedCount
    this.budget.release(members.budgetBytes, members.count)
    if (failure === undefined) {
      this.totals.delivered += liveCount
    } else {
      this.totals.failed += liveCount
    }
    telemetry.settled(settlement, nowMs)
    publishFailed(streamName, settlement)
    if (failure !== undefined) this.#ports.spells?.settled(streamName, settlement)
    callBack(
      settlement,
      number => this.ledger.settled(number),
      error => this.#ports.callbackThrew(error)
    )
    // Whoever did not answer may still be reading, so a record with a doubtful attempt keeps its memory.
    const isUnread = failure === undefined && settlement.persisted === 'no'
    if (isUnread && members.sealedAs !== undefined) this.#memory?.release(members.sealedAs.data)
  }

  #refuse({ telemetry }: Pipeline): false {
    this.totals.refused++
    telemetry.refused()
    return false
  }

  /** What a record is refused with: counted, and with what to write instead. */
  #explained(error: unknown, user: unknown): unknown {
    const refusal = refusalOf(error, user)
    if (refusal === undefined) return error
    this.totals.invalid++
    return refusal
  }

  #isLaneFull(pipeline: Pipeline, record: AcceptedRecord): boolean {
    const laneId = pipeline.laneOf(record, this.#admission.key)
    if (!pipeline.isLaneFull(laneId)) return false
    this.#crowded.set(laneId, pipeline)
    return true
  }

  #call(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.#ports.callbackThrew(error)
    }
  }

  #send(pipeline: Pipeline, batch: Batch, nowMs: number): void {
    this.#inFlight++
    pipeline.telemetry.requests++
    for (const { members } of batch.entries) members.sentMs = nowMs
    this.#ports.send(pipeline, batch)
  }

  #open(streamName: string | undefined): Pipeline {
    const fault = streamName === undefined ? 'is missing, and the producer has no default' : streamNameFault(streamName)
    if (fault !== undefined || streamName === undefined) {
      throw new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'streamName', fault ?? '')
    }
    if (this.#pipelines.size >= MAX_STREAMS) {
      throw new InvalidRecordError(
        'KPL_ERR_INVALID_RECORD',
        'streamName',
        `is new, and one producer serves at most ${MAX_STREAMS} streams`
      )
    }
    const pipeline = new Pipeline(streamName, this.#options, this.#host)
    this.#pipelines.set(streamName, pipeline)
    return pipeline
  }
}

/** Returns 64 random bits as 11 characters of base64url: no two producers of a consumer's window may share them. */
function producerId(random: Random): string {
  const bits = Uint32Array.from({ length: 2 }, () => random() * 2 ** 32)
  return Buffer.from(bits.buffer).toString('base64url')
}

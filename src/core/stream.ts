/**
 * One stream's stream: accepted records enter, batches and settlements leave through the host.
 *
 *   accept -> aggregator -> outbox (limiter -> collector) -> host.send ... complete -> retrier -> host.settle
 *                 ^ members     ^ sealed                                                  |
 *                 +-------------+----------------------- #apply <-------------------------+
 *
 * `#relane`, what is stale in `pump` and the halving in `#applyToAll` lead back too.
 * Invariant: between two calls every accepted record is in exactly one place: an envelope, the outbox, a request, on hold.
 */

import { assertNever, type ProducerError } from '../model/errors.ts'
import {
  type AnsweredRequest,
  type Decision,
  type Failure,
  isAcknowledged,
  type Outcome,
  type StreamGauges
} from '../model/exchange.ts'
import type { AcceptedRecord, Batch, KinesisRecord } from '../model/kinesis-record.ts'
import type { ShardHashRange, StreamSummary } from '../model/ports.ts'
import { type StreamRef, streamRef } from '../model/records.ts'
import { STREAM_NOT_FOUND } from '../model/service-errors.ts'
import { publishShardMap } from '../stats/diagnostics.ts'
import { StreamTelemetry } from '../stats/telemetry.ts'
import { Custody } from './custody.ts'
import { Description } from './description.ts'
import { gaugesOf } from './gauges.ts'
import { type AnsweredRecord, HeldAnswers } from './held-answers.ts'
import { Intake } from './intake.ts'
import type { HashedKey } from './key-cache.ts'
import { attemptOf, recordAttempt } from './members.ts'
import { OrderWatch, orderBroken } from './order-watch.ts'
import { isStale, Outbox, type Outgoing } from './outbox.ts'
import { Repack } from './repack.ts'
import { type RequestJudgement, Retrier } from './retrier.ts'
import { Router } from './router.ts'
import type { FormerStream, StreamHost } from './stream-host.ts'
import type { StreamOptions } from './stream-options.ts'

export class Stream {
  readonly streamName: string
  readonly ref: StreamRef
  readonly telemetry: StreamTelemetry
  readonly custody: Custody = new Custody()
  readonly description: Description
  readonly #options: StreamOptions
  readonly #host: StreamHost<Stream>
  readonly #router: Router
  readonly #intake: Intake
  readonly #outbox: Outbox
  readonly #retrier: Retrier
  readonly #held = new HeldAnswers()
  readonly #orderWatch = new OrderWatch()
  readonly #repack: Repack
  /** Set once it threw and another has taken its place: nothing may be asked of it any more. */
  isReplaced = false
  /** Whether something was sealed since the last `pump`. */
  hasSealed = false
  #nowMs = 0

  /** `former`: the stream that this one takes over from, after it threw. */
  constructor(streamName: string, options: StreamOptions, host: StreamHost<Stream>, former?: FormerStream) {
    this.streamName = streamName
    this.telemetry = former?.telemetry ?? new StreamTelemetry()
    this.ref = streamRef(streamName)
    this.#options = options
    this.#host = host
    this.#router = new Router(options, host.random, former?.blindUntilMs)
    const openMembers = (expectedCount: number) => this.custody.open(expectedCount)
    this.#intake = new Intake({ ...options, openMembers }, this.#router, record => {
      if (!this.#repack.catches(record)) this.#queue(record, false)
    })
    this.#outbox = new Outbox(options, host.random)
    const { breaker } = this.#outbox
    this.#retrier = new Retrier({ streamName, failIfThrottled: options.failIfThrottled }, breaker)
    this.description = new Description(
      { streamName, options, host, router: this.#router, breaker },
      former?.blindUntilMs
    )
    this.#repack = new Repack({
      options,
      validator: host.validator,
      intake: this.#intake,
      custody: this.custody,
      settle: settlement => host.settle(this, settlement),
      queueFirst: record => this.#queue(record, true)
    })
  }

  /** The earliest moment at which `advance` has something to do. */
  get nextDeadlineMs(): number {
    return Math.min(
      this.#intake.nextDeadlineMs,
      this.#outbox.nextDeadlineMs(this.#host.hasFreeSlot()),
      this.#router.directory.nextDeadlineMs,
      this.#router.awaitUntilMs,
      this.description.status.nextDeadlineMs,
      this.#held.nextDeadlineMs
    )
  }

  get gauges(): StreamGauges {
    return gaugesOf(this.#intake, this.#outbox, this.#router)
  }

  /** Whether some shard's records take up more than their share of the buffer. */
  get hasFullLanes(): boolean {
    return this.#outbox.limiter.hasFullLanes
  }

  isLaneFull(laneId: string): boolean {
    return this.#outbox.limiter.isFull(laneId)
  }

  /** The lane that a record would go to now. */
  laneOf(record: AcceptedRecord, key: HashedKey | undefined): string {
    this.#router.route(record, key)
    return record.predictedShard
  }

  /**
   * Puts a record into its envelope; times and number are set, bytes are copied before this returns. `key`: its cached
   * hash key. Nothing is sent yet: see `hasSealed`.
   * Returns true when it quietly joined an open envelope: `nextDeadlineMs` is what it was.
   */
  place(record: AcceptedRecord, key: HashedKey | undefined, nowMs: number): boolean {
    this.#nowMs = nowMs
    return this.#intake.add(record, key, false)
  }

  /** Does whatever is due. */
  advance(nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#router.directory.startIfDue(nowMs)) {
      this.#router.startAwaiting(nowMs)
      this.#host.fetchShards(this)
      this.description.status.ask(nowMs)
    }
    if (this.description.status.startIfDue(nowMs)) this.#host.fetchSummary(this)
    if (this.#router.stopAwaitingIfDue(nowMs)) this.#relane()
    this.#giveUpHeld()
    this.#intake.sealDue(nowMs)
    this.pump()
  }

  /** Seals what is open, so that a flush need not wait for buffering times. */
  flush(nowMs: number): void {
    this.#nowMs = nowMs
    this.#intake.sealAll()
    this.pump()
  }

  /** Takes what became of a batch that was sent. */
  complete(batch: Batch, outcome: Outcome, nowMs: number): void {
    this.#nowMs = nowMs
    this.telemetry.requestEnded(batch, outcome, nowMs)
    if (outcome.kind === 'answered') this.#answered(batch, outcome)
    else {
      const { error, startMs } = outcome
      // A stream that is made anew has the same shard ids with other ranges.
      if (error.errorCode === STREAM_NOT_FOUND) this.#forgetStream()
      const userRecords = batch.entries.reduce((count, { members }) => count + members.count, 0)
      this.telemetry.error(error.errorCode, '', userRecords)
      this.#applyToAll(batch.entries, this.#retrier.judgeFailed(batch, outcome), startMs)
    }
    this.pump()
  }

  /** Takes the open shards. Returns KPL_ERR_BAD_SHARD_MAP when they are not believed; the last map stays. */
  shardsListed(listing: readonly ShardHashRange[], nowMs: number): ProducerError | undefined {
    this.#nowMs = nowMs
    if (Array.isArray(listing) && listing.length === 0 && this.description.explainsNoShards()) {
      this.shardsFailed(nowMs)
      return undefined
    }
    this.telemetry.shardMapRefreshes++
    const refusal = this.#router.directory.loaded(listing, nowMs)
    if (refusal === undefined) {
      this.#router.listingCame()
      this.#relane()
    }
    this.#outbox.limiter.resumeAll(nowMs)
    for (const answered of this.#held.takeAll()) this.#judgeHeld(answered)
    this.pump()
    publishShardMap(this, nowMs)
    return refusal
  }

  shardsFailed(nowMs: number): void {
    this.#nowMs = nowMs
    this.#router.directory.failed(nowMs)
    this.#router.listingCame()
    this.#relane()
    this.#outbox.limiter.resumeAll(nowMs)
    this.pump()
    publishShardMap(this, nowMs)
  }

  /** Takes the stream's summary; undefined: it could not be had, for the service's `errorCode`. */
  described(summary: StreamSummary | undefined, nowMs: number, errorCode?: string): void {
    this.#nowMs = nowMs
    this.description.came(summary, errorCode, nowMs)
    this.#relane()
    this.pump()
  }

  /** Fails everything that is not in a request. */
  abandon(failure: Failure, nowMs: number): void {
    this.#nowMs = nowMs
    this.#intake.sealAll()
    const waiting = [...this.#intake.takeUnrouted(), ...this.#outbox.takeAll(nowMs)]
    const held = this.#held.takeAll().map(answered => this.#recordStored(answered))
    for (const record of [...waiting, ...held]) this.fail(record, failure)
    this.hasSealed = false
  }

  /** Fails one record that is out, or that has just been taken out. */
  fail(record: KinesisRecord, failure: Failure): void {
    const { members, attempts, persisted } = record
    this.#outbox.limiter.answered(record, this.#nowMs)
    this.#host.settle(this, { kind: 'failed', members, attempts, persisted, failure })
  }

  #queue(record: KinesisRecord, isFirst: boolean): void {
    if (isFirst) this.#outbox.limiter.addFirst(record, this.#nowMs)
    else this.#outbox.limiter.add(record, this.#nowMs)
    this.hasSealed = true
  }

  /** Sends what may go. */
  pump(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (next.isEach) for (const r of next.stale) this.#repack.takeApart([r], false, this.#nowMs)
      else if (next.stale.length > 0) this.#repack.takeApart(next.stale, false, this.#nowMs)
      if (next.batch !== undefined) this.#host.send(this, next.batch, this.#nowMs)
    }
    this.hasSealed = false
  }

  #next(): Outgoing | undefined {
    const leave = { hasFreeSlot: this.#host.hasFreeSlot(), isUrgent: this.#host.isFlushing() }
    return this.#outbox.next(leave, this.#nowMs)
  }

  /** A new map or mode: what waits in a lane that is no more is taken apart into the lanes that are. */
  #relane(): void {
    const unrouted = this.#intake.relane()
    const misplaced = this.#outbox.limiter.takeLanes(laneId => !this.#router.isCurrent(laneId))
    this.#repack.takeApart([...unrouted, ...misplaced], false, this.#nowMs)
    for (const drainingId of this.#outbox.limiter.drainingIds) {
      for (const laneId of this.#router.lanesOver(drainingId)) {
        this.#outbox.limiter.blockOn(laneId, drainingId, this.#nowMs)
      }
    }
  }

  #forgetStream(): void {
    this.#orderWatch.forget()
    if (this.#router.forget(this.#nowMs)) this.#relane()
  }

  #answered({ entries }: Batch, { records, startMs, endMs }: AnsweredRequest): void {
    this.description.status.answered(this.#nowMs)
    if (this.#outbox.breaker.answered()) this.#outbox.limiter.forgive(this.#nowMs)
    for (const [i, record] of entries.entries()) {
      const answer = records[i] ?? {}
      if (isAcknowledged(answer)) {
        this.#watchOrder(answer)
        this.#learn(record, answer.shardId, startMs)
      }
      this.#judge({ record, answer, startMs, endMs })
    }
    if (this.description.noticesMisroutes()) this.#relane()
  }

  #watchOrder({ shardId, sequenceNumber }: { readonly shardId: string; readonly sequenceNumber: string }): void {
    if (this.#options.ordering === 'none' || this.#orderWatch.isInOrder(shardId, sequenceNumber)) return
    this.#host.warn('KPL_WARN_ORDER', orderBroken(this.streamName, shardId))
  }

  /** Takes an acknowledgement as evidence of the shards. */
  #learn(record: KinesisRecord, shardId: string, startMs: number): void {
    if (!this.#router.learn(record, shardId, startMs, this.#nowMs)) return
    this.telemetry.mispredicted(record.predictedShard)
    // Its shard has split or merged: what waits for it would be misrouted too, and the new map is a moment away.
    const isExplainedSoon = record.isAggregate && this.#router.directory.isRefreshing
    if (isExplainedSoon) this.#outbox.limiter.hold(record.predictedShard, this.#nowMs)
  }

  /** Decides what becomes of a record that was answered, and acts on it; or holds it until a map tells where it landed. */
  #judge(answered: AnsweredRecord): void {
    const { record, answer, startMs } = answered
    const placement = isAcknowledged(answer) ? this.#router.placementOf(record, answer.shardId) : 'fits'
    if (placement === 'unknown') {
      this.#held.hold(answered)
      return
    }
    const { attempt, lesson, decision } = this.#retrier.judge(record, answer, placement, answered)
    recordAttempt(record, attempt)
    if (!isAcknowledged(answer)) {
      this.telemetry.error(answer.errorCode ?? 'MalformedAnswer', record.predictedShard, record.members.count)
      if (lesson === 'throttled') this.telemetry.throttled(record.predictedShard)
    }
    this.#outbox.limiter.learn(record.predictedShard, lesson, startMs, this.#nowMs)
    this.#apply(record, decision)
  }

  /**
   * Judges an answer that was held; its record is out until then. Sequence that the order is for: two stored records are held
   * -> a map comes, and deciding about the first one throws -> the second one fails, and may be stored.
   */
  #judgeHeld(answered: AnsweredRecord): void {
    const { members } = answered.record
    this.#judge(answered)
    if (!this.#held.holdsLast(answered.record)) members.sentMs = undefined
  }

  /** Gives up on held answers whose records' time is over: stored somewhere, but where nobody may look. */
  #giveUpHeld(): void {
    for (const answered of this.#held.takeStale(this.#nowMs, record => isStale(record, this.#nowMs))) {
      this.#apply(this.#recordStored(answered), { kind: 'retryMembers', alone: false })
    }
  }

  /** Notes what was stored, but perhaps where no consumer accepts it. */
  #recordStored({ record, answer, startMs, endMs }: AnsweredRecord): KinesisRecord {
    record.persisted = 'maybe'
    record.members.sentMs = undefined
    recordAttempt(record, attemptOf(answer, true, { startMs, endMs }))
    return record
  }

  /** Acts on what a failed request means for its records, and perhaps for all that waits. */
  #applyToAll(entries: readonly KinesisRecord[], judgement: RequestJudgement, startMs: number): void {
    for (const record of entries) recordAttempt(record, judgement.attempt)
    if (judgement.kind === 'halve') {
      const middle = entries.length >> 1
      this.#outbox.addIsolated(entries.slice(0, middle))
      this.#outbox.addIsolated(entries.slice(middle))
      return
    }
    const { decisions, lesson, refusal } = judgement
    // Every lane knows before anything moves.
    for (const { predictedShard } of entries) this.#outbox.limiter.learn(predictedShard, lesson, startMs, this.#nowMs)
    for (const [i, record] of entries.entries()) this.#apply(record, decisions[i]!)
    const isBelieved = refusal !== undefined && this.description.believes(refusal.serviceCode, this.#nowMs)
    if (isBelieved) this.abandon(refusal, this.#nowMs)
  }

  /** Acts on a decision: the record is settled, or goes back into the stages. */
  #apply(record: KinesisRecord, decision: Decision): void {
    this.#outbox.limiter.answered(record, this.#nowMs)
    switch (decision.kind) {
      case 'deliver':
        this.#deliver(record, decision)
        return
      case 'fail':
        this.fail(record, decision.failure)
        return
      case 'retrySealed':
        this.telemetry.retries++
        if (decision.persisted === 'maybe') record.persisted = 'maybe'
        if (this.#mayGoAgain(record)) this.#queue(record, this.#options.ordering === 'key')
        else this.#repack.takeApart([record], false, this.#nowMs)
        return
      case 'retryMembers':
        this.telemetry.retries++
        // A misrouted aggregate is stored: a reader that does not look at ranges sees it, the KCL does not.
        if (!decision.alone) record.persisted = 'maybe'
        this.#repack.takeApart([record], decision.alone, this.#nowMs)
        return
      default:
        assertNever(decision)
    }
  }

  /** Whether it may go as it is sealed, to its own lane: a lane that a new map did away with must not come back. */
  #mayGoAgain(record: KinesisRecord): boolean {
    return !isStale(record, this.#nowMs) && this.#router.isCurrent(record.predictedShard)
  }

  #deliver(record: KinesisRecord, { shardId, sequenceNumber }: Extract<Decision, { kind: 'deliver' }>): void {
    const { members, attempts, persisted, isAggregate } = record
    this.telemetry.delivered(shardId, members.count - members.abortedCount, members.dataBytes)
    const settlement = { members, attempts, persisted, isAggregate, shardId, sequenceNumber }
    this.#host.settle(this, { kind: 'delivered', ...settlement })
  }
}

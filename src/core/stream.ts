/**
 * One stream's stream: accepted records enter, batches and settlements leave through the host.
 *
 *   accept -> aggregator -> outbox (limiter -> collector) -> host.send ... complete -> retrier -> host.settle
 *                 ^ members     ^ sealed                                                  |
 *                 +-------------+----------------------- #apply <-------------------------+
 *
 * `#relane`, the outbox's `returnStale` and the halving in `#applyToAll` lead back too.
 * Invariant: between two calls every accepted record is in exactly one place: an envelope, the outbox, a request, on hold.
 */

import { assertNever, type ProducerError } from '../model/errors.ts'
import type { Failure, Outcome, StreamGauges } from '../model/exchange.ts'
import type { AcceptedRecord, Batch, KinesisRecord } from '../model/kinesis-record.ts'
import type { ShardHashRange, StreamSummary } from '../model/ports.ts'
import { type StreamRef, streamRef } from '../model/records.ts'
import { STREAM_NOT_FOUND } from '../model/service-errors.ts'
import { publishShardMap } from '../stats/diagnostics.ts'
import { StreamTelemetry } from '../stats/telemetry.ts'
import { Answers } from './answers.ts'
import { Custody } from './custody.ts'
import { Description } from './description.ts'
import { gaugesOf } from './gauges.ts'
import { Intake } from './intake.ts'
import type { HashedKey } from './key-cache.ts'
import { orderBroken } from './order-watch.ts'
import { isStale, Outbox } from './outbox.ts'
import type { FormerStream, StreamHost } from './stream-host.ts'
import type { StreamOptions } from './stream-options.ts'
import { Repack } from './repack.ts'
import { type RequestDecision, RequestFailures } from './request-failures.ts'
import type { Decision } from './retrier.ts'
import { Router } from './router.ts'

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
  readonly #requestFailures: RequestFailures
  readonly #answers: Answers
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
    this.#outbox = new Outbox(options, host.random, {
      hasFreeSlot: () => host.hasFreeSlot(),
      isUrgent: () => host.isFlushing(),
      send: batch => host.send(this, batch, this.#nowMs),
      returnStale: records => this.#repack.takeApart(records, false, this.#nowMs)
    })
    const parts = { router: this.#router, outbox: this.#outbox }
    this.description = new Description({ streamName, options, host, ...parts }, former?.blindUntilMs)
    this.#requestFailures = new RequestFailures({
      streamName,
      failIfThrottled: options.failIfThrottled,
      outbox: this.#outbox,
      telemetry: this.telemetry
    })
    this.#repack = new Repack({
      options,
      validator: host.validator,
      intake: this.#intake,
      custody: this.custody,
      settle: settlement => host.settle(this, settlement),
      queueFirst: record => this.#queue(record, true)
    })
    this.#answers = new Answers({
      streamName,
      failIfThrottled: options.failIfThrottled,
      ordering: options.ordering,
      router: this.#router,
      outbox: this.#outbox,
      requestFailures: this.#requestFailures,
      telemetry: this.telemetry,
      apply: (record, decision) => this.#apply(record, decision),
      orderBroken: shardId => host.warn('KPL_WARN_ORDER', orderBroken(streamName, shardId))
    })
  }

  /** The earliest moment at which `advance` has something to do. */
  get nextDeadlineMs(): number {
    return Math.min(
      this.#intake.nextDeadlineMs,
      this.#outbox.nextDeadlineMs,
      this.#router.directory.nextDeadlineMs,
      this.#router.awaitUntilMs,
      this.description.status.nextDeadlineMs,
      this.#answers.nextDeadlineMs
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
    this.#answers.expireHeld(nowMs)
    this.#intake.sealDue(nowMs)
    this.pump()
  }

  /** Seals what is open, so that a flush need not wait for buffering times. */
  flush(nowMs: number): void {
    this.#nowMs = nowMs
    this.#intake.sealAll()
    this.pump()
  }

  /** Takes the answer to a batch that was sent. */
  complete(batch: Batch, outcome: Outcome, nowMs: number): void {
    this.#nowMs = nowMs
    this.telemetry.requestEnded(batch, outcome, nowMs)
    if (outcome.error !== undefined) {
      // A stream that is made anew has the same shard ids with other ranges.
      if (outcome.error.errorCode === STREAM_NOT_FOUND) this.#forgetStream()
      const decision = this.#requestFailures.decide(batch, outcome.error, outcome.startMs, nowMs)
      this.#applyToAll(batch.entries, decision)
    } else {
      this.description.status.answered(nowMs)
      this.#answers.handle(batch, outcome, nowMs)
      if (this.description.noticesMisroutes()) this.#relane()
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
    this.#answers.judgeHeld(nowMs)
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
    for (const record of [...waiting, ...this.#answers.takeHeldRecords()]) this.fail(record, failure)
    this.hasSealed = false
  }

  /** Fails one record that is out, or that has just been taken out. */
  fail(record: KinesisRecord, failure: Failure): void {
    const { members, attempts, persisted, isAggregate } = record
    this.#outbox.limiter.answered(record, this.#nowMs)
    this.#host.settle(this, { members, attempts, persisted, isAggregate, failure })
  }

  #queue(record: KinesisRecord, isFirst: boolean): void {
    if (isFirst) this.#outbox.limiter.addFirst(record, this.#nowMs)
    else this.#outbox.limiter.add(record, this.#nowMs)
    this.hasSealed = true
  }

  /** Sends what may go. */
  pump(): void {
    do {
      this.hasSealed = false
      this.#outbox.pump(this.#nowMs)
    } while (this.hasSealed)
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
    this.#answers.forget()
    if (this.#router.forget(this.#nowMs)) this.#relane()
  }

  /** What a failed request means for its entries, and perhaps for all that waits. */
  #applyToAll(entries: readonly KinesisRecord[], decision: RequestDecision): void {
    if (decision.kind === 'halve') {
      const middle = entries.length >> 1
      this.#outbox.addIsolated(entries.slice(0, middle))
      this.#outbox.addIsolated(entries.slice(middle))
      return
    }
    const { decisions, refusal } = decision
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
    this.#host.settle(this, { members, attempts, persisted, isAggregate, shardId, sequenceNumber })
  }
}

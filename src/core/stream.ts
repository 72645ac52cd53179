/**
 * One stream: accepted records enter, batches and settlements leave through the host.
 *
 *   place -> router -> aggregator -> outbox (limiter -> collector) -> host.send ... complete -> retrier -> host.settle
 *                          ^ members     ^ sealed                                                  |
 *                          +-------------+------------- #apply, #takeApart <-----------------------+
 *
 * Two edges lead back, and both are here. `#queue` takes records that go again with their sealed bytes. `#takeApart` takes all
 * others.
 * Invariant: between two calls, every accepted record is in exactly one place: an envelope, the outbox, a request, or on hold.
 */

import { Aggregator } from '../lanes/aggregator.ts'
import type { LaneBatch, LaneRecord } from '../lanes/lane.ts'
import { assertNever, type ProducerError } from '../model/errors.ts'
import {
  type AnsweredRequest,
  type Decision,
  type Failure,
  isAcknowledged,
  type Outcome,
  type StreamGauges
} from '../model/exchange.ts'
import type { AcceptedRecord } from '../model/kinesis-record.ts'
import type { ShardHashRange, StreamSummary } from '../model/ports.ts'
import { type StreamRef, streamRef } from '../model/records.ts'
import { STREAM_NOT_FOUND } from '../model/service-errors.ts'
import { publishShardMap } from '../stats/diagnostics.ts'
import { StreamTelemetry } from '../stats/telemetry.ts'
import { Custody } from './custody.ts'
import { Description } from './description.ts'
import { type AnsweredRecord, HeldAnswers } from './held-answers.ts'
import type { HashedKey } from './key-cache.ts'
import { attemptOf, recordAttempt } from './members.ts'
import { OrderWatch, orderBroken } from './order-watch.ts'
import { isStale, type Leave, Outbox } from './outbox.ts'
import { Repack } from './repack.ts'
import { type RequestJudgement, Retrier } from './retrier.ts'
import { Router } from './router.ts'
import type { FormerStream, StreamHost } from './stream-host.ts'
import type { StreamOptions } from './stream-options.ts'

/** Open envelopes while there is no map, one for each hash key. Records beyond this limit go alone. */
const MAX_KEYED_ENVELOPES = 1024

/** The effect of a placed record: on its open envelope only, on a deadline, or on the records that may be sent. */
export type Placing = 'joined' | 'opened' | 'sealed'

export class Stream {
  readonly streamName: string
  readonly ref: StreamRef
  readonly telemetry: StreamTelemetry
  readonly custody: Custody = new Custody()
  readonly description: Description
  readonly #options: StreamOptions
  readonly #host: StreamHost<Stream>
  readonly #router: Router
  readonly #aggregator: Aggregator
  readonly #outbox: Outbox
  readonly #retrier: Retrier
  readonly #held = new HeldAnswers()
  readonly #orderWatch = new OrderWatch()
  readonly #repack: Repack
  /** Set when this stream threw and another one took its place. Nothing may call it after that. */
  isReplaced = false
  #nowMs = 0

  /** `former`: the stream that this one takes over from, after it threw. */
  constructor(streamName: string, options: StreamOptions, host: StreamHost<Stream>, former?: FormerStream) {
    this.streamName = streamName
    this.telemetry = former?.telemetry ?? new StreamTelemetry()
    this.ref = streamRef(streamName)
    this.#options = options
    this.#host = host
    this.#aggregator = new Aggregator({
      ...options,
      openMembers: expectedCount => this.custody.open(expectedCount)
    })
    this.#outbox = new Outbox(options, host.random)
    const { breaker, limiter } = this.#outbox
    this.#router = new Router(options, limiter, host.random, former?.blindUntilMs)
    this.#retrier = new Retrier({ streamName, failIfThrottled: options.failIfThrottled }, breaker)
    this.#repack = new Repack(streamName, options, host.validator)
    this.description = new Description(
      { streamName, options, host, router: this.#router, breaker },
      former?.blindUntilMs
    )
  }

  /** The earliest time at which `advance` has work. */
  get nextDeadlineMs(): number {
    return Math.min(
      this.#aggregator.nextDeadlineMs,
      this.#outbox.nextDeadlineMs(this.#leave),
      this.#router.directory.nextDeadlineMs,
      this.#router.waitUntilMs,
      this.description.status.nextDeadlineMs,
      this.#held.nextDeadlineMs
    )
  }

  /** The present state, for statistics. */
  get gauges(): StreamGauges {
    const { map, loadedMs } = this.#router.directory
    return {
      openEnvelopes: this.#aggregator.openCount,
      sealedRecords: this.#outbox.count,
      isBreakerOpen: this.#outbox.breaker.isOpen,
      openShards: map?.shardIds.length ?? 0,
      isServiceManaged: !this.#router.isKeyed,
      shardMapLoadedMs: map === undefined ? undefined : loadedMs,
      rateFactorOf: shardId => this.#router.laneOfShard(shardId)?.bucket.factor ?? 1
    }
  }

  /** Whether the records of a shard use more than their share of the buffer. */
  get hasFullLanes(): boolean {
    return this.#outbox.limiter.hasFullLanes
  }

  /** Whether a shard that refused a record has no room yet. */
  get isCrowded(): boolean {
    return this.#outbox.limiter.isCrowded
  }

  /** Whether the record's shard has no room while others have. `key`: as in `place`. */
  refuses(record: AcceptedRecord, key: HashedKey | undefined, nowMs: number): boolean {
    return this.#outbox.limiter.refuses(this.#router.laneOf(record, key, nowMs))
  }

  /**
   * Puts a record into its envelope. Its times and its number are set before. Its bytes are copied before this returns. `key`: its
   * cached hash key. Nothing is sent before `pump`. Hot.
   */
  place(record: AcceptedRecord, key: HashedKey | undefined, nowMs: number): Placing {
    this.#nowMs = nowMs
    const sealed = this.#pack(record, key, false)
    if (sealed === undefined) return 'joined'
    this.#queueAll(sealed)
    return sealed.length > 0 ? 'sealed' : 'opened'
  }

  /** Does the work that is due. */
  advance(nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#router.directory.startIfDue(nowMs)) {
      this.#router.startWaiting(nowMs)
      this.#host.fetchShards(this)
      this.description.status.ask(nowMs)
    }
    if (this.description.status.startIfDue(nowMs)) this.#host.fetchSummary(this)
    this.#router.stopWaitingIfDue(nowMs)
    this.#relane()
    this.#giveUpHeld()
    this.#queueAll(this.#aggregator.sealDue(nowMs))
    this.pump()
  }

  /** Seals the open envelopes, so that a flush does not wait for buffering times. */
  flush(nowMs: number): void {
    this.#nowMs = nowMs
    this.#queueAll(this.#aggregator.sealAll())
    this.pump()
  }

  /** Takes the outcome of a batch that was sent. */
  complete(batch: LaneBatch, outcome: Outcome, nowMs: number): void {
    this.#nowMs = nowMs
    this.telemetry.requestEnded(batch, outcome, nowMs)
    if (outcome.kind === 'answered') this.#answered(batch, outcome)
    else {
      const { error, startMs } = outcome
      // A stream that is created again has the same shard ids with other ranges.
      if (error.errorCode === STREAM_NOT_FOUND) this.#forgetStream()
      const userRecords = batch.entries.reduce((count, { members }) => count + members.count, 0)
      this.telemetry.error(error.errorCode, undefined, userRecords)
      this.#applyToAll(batch.entries, this.#retrier.judgeFailed(batch, outcome), startMs)
    }
    this.pump()
  }

  /** Takes the open shards. Returns KPL_ERR_BAD_SHARD_MAP for a listing that cannot be right; then the last map stays. */
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

  /** Takes the stream's summary. undefined: the call failed, with the service's `errorCode`. */
  described(summary: StreamSummary | undefined, nowMs: number, errorCode?: string): void {
    this.#nowMs = nowMs
    this.description.came(summary, errorCode, nowMs)
    this.#relane()
    this.pump()
  }

  /** Fails everything that is not in a request. */
  abandon(failure: Failure, nowMs: number): void {
    this.#nowMs = nowMs
    this.#queueAll(this.#aggregator.sealAll())
    const waiting = this.#outbox.takeAll(nowMs)
    const held = this.#held.takeAll().map(answered => this.#recordStored(answered))
    for (const record of [...waiting, ...held]) this.fail(record, failure)
  }

  /** Fails one record that is out, or that has just been taken out. */
  fail(record: LaneRecord, failure: Failure): void {
    const { members, attempts, persisted } = record
    this.#outbox.limiter.answered(record, this.#nowMs)
    this.#host.settle(this, { kind: 'failed', members, attempts, persisted, failure })
  }

  get #leave(): Leave {
    return { hasFreeSlot: this.#host.hasFreeSlot(), isUrgent: this.#host.isFlushing() }
  }

  /** Sends what may go. */
  pump(): void {
    for (;;) {
      const next = this.#outbox.next(this.#leave, this.#nowMs)
      if (next === undefined) return
      this.#takeApart(next.stale, false)
      if (next.batch !== undefined) this.#host.send(this, next.batch, this.#nowMs)
    }
  }

  /**
   * Returns the records that this sealed. undefined: the record joined an open envelope, and nothing else changed. `alone`: not
   * with others.
   */
  #pack(record: AcceptedRecord, key: HashedKey | undefined, alone: boolean): readonly LaneRecord[] | undefined {
    const lane = this.#router.laneOf(record, key, this.#nowMs)
    const { mode } = this.#router
    const isFull = mode === 'keys' && this.#aggregator.openCount >= MAX_KEYED_ENVELOPES
    if (mode !== 'plain' && !isFull && !alone) return this.#aggregator.add(record, lane)
    return this.#aggregator.addAlone(record, lane, mode !== 'plain')
  }

  #queue(record: LaneRecord, isFirst: boolean): void {
    if (isFirst) this.#outbox.limiter.addFirst(record, this.#nowMs)
    else this.#outbox.limiter.add(record, this.#nowMs)
  }

  #queueAll(sealed: readonly LaneRecord[]): void {
    for (const record of sealed) this.#outbox.limiter.add(record, this.#nowMs)
  }

  /** The map or the mode may be new. Records that were packed for a gone lane are taken apart, into the present lanes. */
  #relane(): void {
    const gone = this.#router.update(this.#nowMs)
    if (gone.length === 0) return
    this.#queueAll(this.#aggregator.sealGone())
    this.#takeApart(this.#outbox.limiter.retire(gone, this.#nowMs), false)
  }

  /**
   * Packs the members of sealed records again, oldest first. In ordered mode, they must leave before all other records of their
   * lanes. So the open envelopes are sealed first, and the new records go to the head. `alone`: each member goes by itself, because
   * Kinesis refused the envelope as a whole.
   */
  #takeApart(records: readonly LaneRecord[], alone: boolean): void {
    if (records.length === 0) return
    const isOrdered = this.#options.ordering === 'key'
    if (isOrdered) this.#queueAll(this.#aggregator.sealAll())
    const { validator } = this.#host
    const sealed: LaneRecord[] = []
    for (const record of records) {
      const over = this.#repack.takeApart(record, this.#nowMs, member => {
        sealed.push(...(this.#pack(member, validator.key, alone) ?? []))
      })
      // Both at once: a throw between them would find a record in two places.
      this.custody.moved(record.members)
      if (over !== undefined) this.#host.settle(this, over)
    }
    if (!isOrdered) {
      this.#queueAll(sealed)
      return
    }
    sealed.push(...this.#aggregator.sealAll())
    for (const record of sealed.reverse()) this.#queue(record, true)
  }

  #forgetStream(): void {
    this.#orderWatch.forget()
    this.#router.forget(this.#nowMs)
    this.#relane()
  }

  #answered({ entries }: LaneBatch, { records, startMs, endMs }: AnsweredRequest): void {
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
  #learn(record: LaneRecord, shardId: string, startMs: number): void {
    if (!this.#router.learn(record, shardId, startMs, this.#nowMs)) return
    this.telemetry.mispredicted(record.lane.shardId)
    // The shard has split or merged. Records that wait for it would be misrouted too, and the new map comes in a moment.
    const isExplainedSoon = record.isAggregate && this.#router.directory.isRefreshing
    if (isExplainedSoon) this.#outbox.limiter.hold(record.lane, this.#nowMs)
  }

  /** Decides the fate of an answered record and acts on it, or holds the answer until a map says where the record landed. */
  #judge(answered: AnsweredRecord, wasHeld: boolean = false): void {
    const { record, answer, startMs } = answered
    const placement = isAcknowledged(answer) ? this.#router.placementOf(record, answer.shardId, wasHeld) : 'fits'
    if (placement === 'unknown') {
      this.#held.hold(answered)
      return
    }
    const { attempt, lesson, decision } = this.#retrier.judge(record, answer, placement, answered)
    recordAttempt(record, attempt)
    if (!isAcknowledged(answer)) {
      this.telemetry.error(answer.errorCode ?? 'MalformedAnswer', record.lane.shardId, record.members.count)
      if (lesson === 'throttled') this.telemetry.throttled(record.lane.shardId)
    }
    this.#outbox.limiter.learn(record, lesson, startMs, this.#nowMs)
    this.#apply(record, decision)
  }

  /**
   * Judges an answer that was held. Its record is out until then. The order of the two steps matters in this sequence: two stored
   * records are held -> a map comes, and the decision about the first one throws -> the second one fails, and may be stored.
   */
  #judgeHeld(answered: AnsweredRecord): void {
    const { members } = answered.record
    this.#judge(answered, true)
    if (!this.#held.holdsLast(answered.record)) members.sentMs = undefined
  }

  /** Gives up held answers when the time of their records is over: they are stored, but perhaps where no consumer looks. */
  #giveUpHeld(): void {
    for (const answered of this.#held.takeOver(this.#nowMs)) {
      this.#apply(this.#recordStored(answered), { kind: 'retryMembers', alone: false })
    }
  }

  /** Notes a record that was stored, but perhaps where no consumer accepts it. */
  #recordStored({ record, answer, startMs, endMs }: AnsweredRecord): LaneRecord {
    record.persisted = 'maybe'
    record.members.sentMs = undefined
    recordAttempt(record, attemptOf(answer, true, { startMs, endMs }))
    return record
  }

  /** Acts on the judgement of a failed request: on its records, and perhaps on all records that wait. */
  #applyToAll(entries: readonly LaneRecord[], judgement: RequestJudgement, startMs: number): void {
    for (const record of entries) recordAttempt(record, judgement.attempt)
    if (judgement.kind === 'halve') {
      const middle = entries.length >> 1
      this.#outbox.addIsolated(entries.slice(0, middle))
      this.#outbox.addIsolated(entries.slice(middle))
      return
    }
    const { decisions, lesson, refusal } = judgement
    // Every lane learns of the failure before a record moves.
    for (const record of entries) this.#outbox.limiter.learn(record, lesson, startMs, this.#nowMs)
    for (const [i, record] of entries.entries()) this.#apply(record, decisions[i]!)
    const isBelieved = refusal !== undefined && this.description.believes(refusal.serviceCode, this.#nowMs)
    if (isBelieved) this.abandon(refusal, this.#nowMs)
  }

  /** Acts on a decision: the record settles, or goes back to an earlier stage. */
  #apply(record: LaneRecord, decision: Decision): void {
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
        // A record of a gone lane must not go back to that lane.
        if (isStale(record, this.#nowMs)) this.#takeApart([record], false)
        else this.#queue(record, this.#options.ordering === 'key')
        return
      case 'retryMembers':
        this.telemetry.retries++
        // A misrouted aggregate is stored. A reader that ignores ranges sees it; the KCL does not.
        if (!decision.alone) record.persisted = 'maybe'
        this.#takeApart([record], decision.alone)
        return
      default:
        assertNever(decision)
    }
  }

  #deliver(record: LaneRecord, { shardId, sequenceNumber }: Extract<Decision, { kind: 'deliver' }>): void {
    const { members, attempts, persisted, isAggregate } = record
    this.telemetry.delivered(shardId, members.count - members.abortedCount, members.dataBytes)
    const settlement = { members, attempts, persisted, isAggregate, shardId, sequenceNumber }
    this.#host.settle(this, { kind: 'delivered', ...settlement })
  }
}

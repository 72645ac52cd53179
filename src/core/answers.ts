/**
 * What an answered request means for its entries: a batch and its answers enter, a decision for every entry leaves.
 * An answer that names a shard unknown here is held until the next shard map tells whether the record is well there.
 * Invariant: every entry leaves once, or is held; a held one leaves when a map explains it or its time to live ends.
 */
import { isAcknowledged, type Outcome } from '../model/exchange.ts'
import type { Batch, KinesisRecord } from '../model/kinesis-record.ts'
import type { PutRecordsAnswer } from '../model/ports.ts'
import type { StreamTelemetry } from '../stats/telemetry.ts'
import { attemptOf, recordAttempt } from './members.ts'
import { OrderWatch } from './order-watch.ts'
import { isStale, type Outbox } from './outbox.ts'
import type { RequestFailures } from './request-failures.ts'
import { type Decision, decide, judge } from './retrier.ts'
import type { Router } from './router.ts'

export interface AnswersContext {
  readonly streamName: string
  readonly failIfThrottled: boolean
  readonly ordering: 'none' | 'key'
  readonly router: Router
  readonly outbox: Outbox
  readonly requestFailures: RequestFailures
  readonly telemetry: StreamTelemetry
  apply(record: KinesisRecord, decision: Decision): void
  /** Ordered mode: a shard gave a number that is not above those before. */
  orderBroken(shardId: string): void
}

interface AnsweredEntry {
  readonly record: KinesisRecord
  readonly answer: PutRecordsAnswer
  readonly outcome: Outcome
}

export class Answers {
  readonly #context: AnswersContext
  readonly #orderWatch = new OrderWatch()
  #held: AnsweredEntry[] = []

  constructor(context: AnswersContext) {
    this.#context = context
  }

  /** When `expireHeld` has something to do; Infinity while nothing is held. */
  get nextDeadlineMs(): number {
    let nearestMs = Number.POSITIVE_INFINITY
    for (const { record } of this.#held) nearestMs = Math.min(nearestMs, record.expirationMs)
    return nearestMs
  }

  handle(batch: Batch, outcome: Outcome, nowMs: number): void {
    const { outbox } = this.#context
    if (outbox.breaker.answered()) outbox.limiter.forgive(nowMs)
    batch.entries.forEach((record, i) => {
      const answer = outcome.records?.[i] ?? {}
      if (isAcknowledged(answer)) {
        this.#watchOrder(answer)
        this.#learn(record, answer.shardId, outcome.startMs, nowMs)
      }
      this.#judge({ record, answer, outcome }, nowMs)
    })
  }

  /** The stream is gone. */
  forget(): void {
    this.#orderWatch.forget()
  }

  /** Looks again, with a new map, at the answers that are held. */
  judgeHeld(nowMs: number): void {
    for (const entry of this.#takeHeld()) this.#decide(entry, () => this.#judge(entry, nowMs))
  }

  /** Gives up on held answers whose records' time is over: stored somewhere, but where nobody may look. */
  expireHeld(nowMs: number): void {
    if (this.nextDeadlineMs > nowMs) return
    for (const entry of this.#takeHeld()) {
      if (!isStale(entry.record, nowMs)) {
        this.#hold(entry)
        continue
      }
      this.#decide(entry, () => {
        recordAttempt(entry.record, attemptOf(entry.answer, true, entry.outcome))
        this.#context.apply(entry.record, { kind: 'retryMembers', alone: false })
      })
    }
  }

  /** Takes out the records whose answers are held: stored, but perhaps where no consumer accepts them. */
  takeHeldRecords(): KinesisRecord[] {
    return this.#takeHeld().map(({ record, answer, outcome }) => {
      record.persisted = 'maybe'
      record.members.sentMs = undefined
      recordAttempt(record, attemptOf(answer, true, outcome))
      return record
    })
  }

  #hold(entry: AnsweredEntry): void {
    entry.record.members.sentMs = entry.outcome.startMs
    this.#held.push(entry)
  }

  #takeHeld(): AnsweredEntry[] {
    const held = this.#held
    this.#held = []
    return held
  }

  /**
   * Decides what becomes of an entry that was held, and is out until then. Sequence that the order is for: two stored records
   * are held -> a map comes, and deciding about the first one throws -> the second one fails, and may be stored.
   */
  #decide({ record }: AnsweredEntry, decide: () => void): void {
    decide()
    const isHeldAgain = this.#held.at(-1)?.record === record
    if (!isHeldAgain) record.members.sentMs = undefined
  }

  #watchOrder({ shardId, sequenceNumber }: { readonly shardId: string; readonly sequenceNumber: string }): void {
    if (this.#context.ordering === 'none' || this.#orderWatch.isInOrder(shardId, sequenceNumber)) return
    this.#context.orderBroken(shardId)
  }

  #learn(record: KinesisRecord, shardId: string, startMs: number, nowMs: number): void {
    const { router, outbox, telemetry } = this.#context
    if (!router.learn(record, shardId, startMs, nowMs)) return
    telemetry.mispredicted(record.predictedShard)
    // Its shard has split or merged: what waits for it would be misrouted too, and the new map is a moment away.
    if (record.isAggregate && router.directory.isRefreshing) outbox.limiter.hold(record.predictedShard, nowMs)
  }

  #judge(entry: AnsweredEntry, nowMs: number): void {
    const { streamName, router, outbox, requestFailures, telemetry, failIfThrottled } = this.#context
    const { record, answer, outcome } = entry
    const laneId = record.predictedShard
    const verdict = judge(answer, isAcknowledged(answer) ? router.placementOf(record, answer.shardId) : 'fits')
    if (verdict === 'unknown') {
      this.#hold(entry)
      return
    }
    recordAttempt(record, attemptOf(answer, verdict === 'misrouted', outcome))
    if (isAcknowledged(answer)) {
      outbox.limiter.succeeded(laneId)
      requestFailures.succeeded()
    } else {
      const isThrottled = verdict === 'throttled'
      telemetry.error(answer.errorCode ?? 'MalformedAnswer', laneId, record.members.count)
      if (isThrottled) telemetry.throttled(laneId)
      if (verdict !== 'rejected') outbox.limiter.failed(laneId, outcome.startMs, nowMs, isThrottled)
    }
    this.#context.apply(record, decide({ streamName, record, answer, verdict }, failIfThrottled))
  }
}

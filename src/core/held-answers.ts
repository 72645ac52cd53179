/**
 * Answers that name a shard which no map has yet: an answer enters, and leaves to be judged again when a listing came, or to be
 * given up when its record's time to live is over. Its record counts as in flight until then, because it is stored somewhere.
 * Invariant: a held answer leaves once.
 */

import type { LaneRecord } from '../lanes/lane.ts'
import type { RequestTimes } from '../model/exchange.ts'
import type { PutRecordsAnswer } from '../model/ports.ts'
import { isOver } from './outbox.ts'

/** The answer to one Kinesis record. */
export interface AnsweredRecord extends RequestTimes {
  readonly record: LaneRecord
  readonly answer: PutRecordsAnswer
}

export class HeldAnswers {
  #held: AnsweredRecord[] = []

  /** When `takeOver` has something to do; Infinity while nothing is held. */
  get nextDeadlineMs(): number {
    let nearestMs = Number.POSITIVE_INFINITY
    for (const { record } of this.#held) nearestMs = Math.min(nearestMs, record.expirationMs)
    return nearestMs
  }

  hold(answered: AnsweredRecord): void {
    answered.record.members.sentMs = answered.startMs
    this.#held.push(answered)
  }

  /** Takes out the answers whose records may not wait any longer. */
  takeOver(nowMs: number): AnsweredRecord[] {
    if (this.nextDeadlineMs > nowMs) return []
    const over = this.#held.filter(({ record }) => isOver(record, nowMs))
    this.#held = this.#held.filter(({ record }) => !isOver(record, nowMs))
    return over
  }

  /** Whether the answer that was held last is this record's. */
  holdsLast(record: LaneRecord): boolean {
    return this.#held.at(-1)?.record === record
  }

  takeAll(): AnsweredRecord[] {
    const held = this.#held
    this.#held = []
    return held
  }
}

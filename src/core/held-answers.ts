/**
 * Answers that name a shard which no map has yet: an answer enters, and leaves to be judged again when a listing came, or to
 * be given up when its record's time to live is over. Its record counts as out until then, for it is stored somewhere.
 * Invariant: a held answer leaves once.
 */
import type { RequestTimes } from '../model/exchange.ts'
import type { KinesisRecord } from '../model/kinesis-record.ts'
import type { PutRecordsAnswer } from '../model/ports.ts'

/** The answer to one Kinesis record. */
export interface AnsweredRecord extends RequestTimes {
  readonly record: KinesisRecord
  readonly answer: PutRecordsAnswer
}

export class HeldAnswers {
  #held: AnsweredRecord[] = []

  /** When `takeStale` has something to do; Infinity while nothing is held. */
  get nextDeadlineMs(): number {
    let nearestMs = Number.POSITIVE_INFINITY
    for (const { record } of this.#held) nearestMs = Math.min(nearestMs, record.expirationMs)
    return nearestMs
  }

  hold(answered: AnsweredRecord): void {
    answered.record.members.sentMs = answered.startMs
    this.#held.push(answered)
  }

  /** Takes out the answers whose records may not wait any longer, as `isStale` says; those that expire are looked for. */
  takeStale(nowMs: number, isStale: (record: KinesisRecord) => boolean): AnsweredRecord[] {
    if (this.nextDeadlineMs > nowMs) return []
    const stale = this.#held.filter(({ record }) => isStale(record))
    this.#held = this.#held.filter(({ record }) => !isStale(record))
    return stale
  }

  /** Whether the answer that was held last is this record's. */
  holdsLast(record: KinesisRecord): boolean {
    return this.#held.at(-1)?.record === record
  }

  takeAll(): AnsweredRecord[] {
    const held = this.#held
    this.#held = []
    return held
  }
}

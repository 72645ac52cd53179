/**
 * Takes sealed records apart: what may no longer be sent as it was sealed enters, its members leave to be packed again, or
 * failed when their time is over or they were taken back.
 * Invariant: every member keeps its callback, number, time of acceptance and history; none is lost and none doubled.
 */

import type { Failed } from '../model/exchange.ts'
import { type AcceptedRecord, type History, type KinesisRecord, Members } from '../model/kinesis-record.ts'
import { expired } from './failures.ts'
import { historyOf, membersOf } from './members.ts'
import { forget, type RecordValidator } from './record-validator.ts'
import type { StreamOptions } from './stream-options.ts'

export class Repack {
  readonly #streamName: string
  readonly #options: StreamOptions
  readonly #validator: RecordValidator

  constructor(streamName: string, options: StreamOptions, validator: RecordValidator) {
    this.#streamName = streamName
    this.#options = options
    this.#validator = validator
  }

  /**
   * Hands each live member to `pack`, in order; `validator.key` is its key meanwhile. Returns what became of the others, if
   * there are any: they are to be settled, and `record` holds nothing any more.
   */
  takeApart(record: KinesisRecord, nowMs: number, pack: (member: AcceptedRecord) => void): Failed | undefined {
    const { members } = record
    const over = new Members()
    // Most members have no history of their own: they share their Kinesis record's.
    const shared: History = { attempts: [...record.attempts], persisted: record.persisted }
    for (const [i, member] of membersOf(record).entries()) {
      const accepted = this.#validator.examine(member)
      accepted.settle = members.moving(i)
      accepted.context = members.contextOf(i)
      accepted.acceptedMs = members.acceptedMs[i]!
      accepted.number = members.numbers[i]!
      accepted.history = members.historyOf(i) === undefined ? shared : historyOf(members, i)
      accepted.expirationMs = accepted.acceptedMs + this.#options.recordTtlMs
      accepted.sealByMs = nowMs
      accepted.deadlineMs = nowMs + this.#options.collectionWindowMs
      const isOver = accepted.settle === undefined || accepted.expirationMs <= nowMs
      if (isOver) over.push(accepted)
      else pack(accepted)
      forget(accepted)
    }
    members.moved()
    if (over.count === 0) return undefined
    const failure = expired(this.#streamName, this.#options.recordTtlMs, record)
    return { kind: 'failed', members: over, attempts: [], persisted: 'no', failure }
  }
}

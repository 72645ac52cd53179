/**
 * Takes sealed records apart and puts their members back at the start: what may no longer be sent as it was sealed
 * enters, and its members leave into new envelopes, or settled when their time is over or they were taken back.
 * Invariant: every member keeps its callback, number, time of acceptance and history; none is lost and none doubled.
 */
import type { Settlement } from '../model/exchange.ts'
import { type History, type KinesisRecord, Members } from '../model/kinesis-record.ts'
import type { Custody } from './custody.ts'
import { expired } from './failures.ts'
import type { Intake } from './intake.ts'
import { historyOf, membersOf } from './members.ts'
import type { RecordValidator } from './record-validator.ts'
import type { StreamOptions } from './stream-options.ts'

export interface RepackContext {
  readonly options: StreamOptions
  readonly validator: RecordValidator
  readonly intake: Intake
  readonly custody: Custody
  settle(settlement: Settlement): void
  /** Ordered mode: the record goes to the head of its lane. */
  queueFirst(record: KinesisRecord): void
}

export class Repack {
  readonly #context: RepackContext
  /** Ordered mode, while records are taken apart: what they become. */
  #rejoining: KinesisRecord[] | undefined

  constructor(context: RepackContext) {
    this.#context = context
  }

  /**
   * Takes records apart, oldest first. In ordered mode their members must leave before everything else of their lanes,
   * so what is open is sealed first, and what they become goes to the head. `alone`: every member by itself, because the
   * envelope as a whole was refused.
   */
  takeApart(records: readonly KinesisRecord[], alone: boolean, nowMs: number): void {
    const { options, intake, queueFirst } = this.#context
    if (options.ordering === 'none') {
      for (const record of records) this.#readmit(record, alone, nowMs)
      return
    }
    if (records.length === 0) return
    intake.sealAll()
    const rejoining: KinesisRecord[] = []
    this.#rejoining = rejoining
    for (const record of records) this.#readmit(record, alone, nowMs)
    intake.sealAll()
    this.#rejoining = undefined
    for (const record of rejoining.reverse()) queueFirst(record)
  }

  /** Whether a sealed record is kept here for a moment, to be queued in its turn. */
  catches(record: KinesisRecord): boolean {
    this.#rejoining?.push(record)
    return this.#rejoining !== undefined
  }

  #readmit(record: KinesisRecord, alone: boolean, nowMs: number): void {
    const { options, validator, intake, custody, settle } = this.#context
    const { members } = record
    const over = new Members()
    // Most members have no history of their own: they share their Kinesis record's.
    const shared: History = { attempts: [...record.attempts], persisted: record.persisted }
    membersOf(record).forEach((member, i) => {
      const accepted = validator.examine(member)
      accepted.settle = members.settles[i]
      accepted.acceptedMs = members.acceptedMs[i]!
      accepted.number = members.numbers[i]!
      accepted.history = members.historyOf(i) === undefined ? shared : historyOf(members, i)
      accepted.expirationMs = accepted.acceptedMs + options.recordTtlMs
      accepted.sealByMs = nowMs
      accepted.deadlineMs = nowMs + options.collectionWindowMs
      const isOver = accepted.settle === undefined || accepted.expirationMs <= nowMs
      if (isOver) over.push(accepted)
      else intake.add(accepted, validator.key, alone)
    })
    custody.moved(members)
    if (over.count === 0) return
    const failure = expired(options.recordTtlMs, record)
    settle({ kind: 'failed', members: over, attempts: [], persisted: 'no', failure })
  }
}

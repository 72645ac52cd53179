/**
 * Takes sealed records apart and puts their members back at the start: what may no longer be sent as it was sealed
 * enters, and its members leave into new envelopes, or settled when their time is over or they were taken back.
 * Invariant: every member keeps its callback, number, time of acceptance and history; none is lost and none doubled.
 */
import type { KinesisRecord } from '../model/kinesis-record.ts'
import type { Admission } from './admission.ts'
import type { Intake } from './intake.ts'
import { historyOf, membersOf, settlementOf } from './members.ts'
import type { PipelineOptions } from './pipeline-options.ts'
import { expired, type Settlement } from './settlement.ts'

export interface ReadmissionContext {
  readonly options: PipelineOptions
  readonly admission: Admission
  readonly intake: Intake
  settle(settlement: Settlement): void
}

export class Readmission {
  readonly #context: ReadmissionContext

  constructor(context: ReadmissionContext) {
    this.#context = context
  }

  /** `alone`: every member by itself, because the envelope as a whole was refused. */
  readmit(record: KinesisRecord, alone: boolean, nowMs: number): void {
    const { options, admission, intake, settle } = this.#context
    const { members } = record
    membersOf(record).forEach((member, i) => {
      const accepted = admission.examine(member)
      accepted.settle = members.settles[i]
      accepted.acceptedMs = members.acceptedMs[i]!
      accepted.number = members.numbers[i]!
      accepted.history = historyOf(members, i)
      accepted.expirationMs = accepted.acceptedMs + options.recordTtlMs
      accepted.sealByMs = nowMs
      accepted.deadlineMs = nowMs + options.collectionWindowMs
      const isOver = accepted.settle === undefined || accepted.expirationMs <= nowMs
      if (isOver) settle({ ...settlementOf(accepted), failure: expired(options.recordTtlMs, record) })
      else intake.add(accepted, admission.key, alone)
    })
  }
}

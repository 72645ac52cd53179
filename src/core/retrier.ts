/**
 * Decides about an ended request: an answer, or the failure of a whole request, enters; one `Decision` for each Kinesis record
 * leaves, with its attempt and with what its lane is to learn. It never knows lanes, envelopes or the other streams.
 * Invariant: the all-or-nothing rule. An aggregate is settled only if every member lies in the range of the shard that took it;
 * otherwise all members go again, because a KCL consumer throws the whole aggregate away at the first member that does not
 * belong (AggregatorUtil of KCL 3.x). The KPL from 0.15.11 to 1.0 settles the members that fit, and loses them. There is a
 * decision for every record, and none is dropped for an unknown error.
 */

import { assertNever } from '../model/errors.ts'
import {
  type Decision,
  type FailedRequest,
  type Failure,
  isAcknowledged,
  type Lesson,
  type RequestTimes
} from '../model/exchange.ts'
import type { Batch, KinesisRecord } from '../model/kinesis-record.ts'
import type { PutRecordsAnswer } from '../model/ports.ts'
import type { Attempt, Persisted } from '../model/results.ts'
import { CREDENTIALS_FAULT, classifyEntryError, classifyRequestError, type Verdict } from '../model/service-errors.ts'
import type { Breaker } from './breaker.ts'
import { cannotSend, refusedBy } from './failures.ts'
import { attemptOf } from './members.ts'

/** Where an acknowledged record landed, as far as its members' hash keys tell. */
export type Placement = 'fits' | 'misrouted'

/** The meaning of one answer. */
export interface Judgement {
  readonly attempt: Attempt
  readonly lesson: Lesson
  readonly decision: Decision
}

/** The meaning of a failed request for its records. */
export type RequestJudgement =
  /** One of the records is at fault: each half of the request goes by itself. */
  | { readonly kind: 'halve'; readonly attempt: Attempt }
  /** Decisions in the order of the records. `refusal`: the service means the stream, and whatever waits for it should fail. */
  | {
      readonly kind: 'each'
      readonly attempt: Attempt
      readonly lesson: Lesson
      readonly decisions: readonly Decision[]
      readonly refusal: Failure | undefined
    }

export interface RetrierOptions {
  readonly streamName: string
  readonly failIfThrottled: boolean
}

/** Refusals of lone records in a row, without a success, after which the request is at fault and not the record. */
const MAX_LONE_REJECTIONS = 8

export class Retrier {
  readonly #options: RetrierOptions
  readonly #breaker: Breaker
  #loneRejections = 0

  /** `breaker` gets the failures of requests that concern the stream. */
  constructor(options: RetrierOptions, breaker: Breaker) {
    this.#options = options
    this.#breaker = breaker
  }

  /** Judges the answer to one record. `placement` counts only for an acknowledgement. */
  judge(record: KinesisRecord, answer: PutRecordsAnswer, placement: Placement, times: RequestTimes): Judgement {
    const verdict = verdictOn(answer, placement)
    const isStored = isAcknowledged(answer)
    // The stream took a record: what is refused from now on is refused for what it is.
    if (isStored) this.#loneRejections = 0
    const attempt = attemptOf(answer, verdict === 'misrouted', times)
    return { attempt, lesson: lessonOf(verdict), decision: this.#decide(record, answer, verdict) }
  }

  /** Judges a request that failed as a whole. The breaker knows of the failure afterwards. */
  judgeFailed({ entries }: Batch, { error, startMs, endMs }: FailedRequest): RequestJudgement {
    const { streamName, failIfThrottled } = this.#options
    const verdict = classifyRequestError(error)
    const attempt = { startMs, endMs, errorCode: error.errorCode, errorMessage: error.message }
    switch (verdict) {
      case 'rejected':
        this.#breaker.reached()
        return this.#halve(entries, attempt, refusedBy(streamName, 'KPL_ERR_REJECTED', error))
      case 'throttled': {
        this.#breaker.reached()
        const failure = refusedBy(streamName, 'KPL_ERR_THROTTLED', error)
        const decision: Decision = failIfThrottled ? { kind: 'fail', failure } : again('no')
        return alike(entries, attempt, 'throttled', decision)
      }
      case 'refused':
      case 'local': {
        const isHere = verdict === 'local'
        const mayPass = error.errorCode === CREDENTIALS_FAULT
        const isFinal = isHere
          ? this.#breaker.refusedHere(startMs, endMs, mayPass)
          : this.#breaker.refused(startMs, endMs)
        const refusal = isHere ? cannotSend(streamName, error) : refusedBy(streamName, 'KPL_ERR_REJECTED', error)
        return alike(entries, attempt, 'nothing', again('no'), isFinal ? refusal : undefined)
      }
      case 'outage':
      case 'ambiguous':
        this.#breaker.failed(startMs, endMs)
        return alike(entries, attempt, 'failed', again(verdict === 'ambiguous' ? 'maybe' : 'no'))
      default:
        return assertNever(verdict)
    }
  }

  #decide({ members }: KinesisRecord, answer: PutRecordsAnswer, verdict: Verdict): Decision {
    const { streamName, failIfThrottled } = this.#options
    switch (verdict) {
      case 'delivered': {
        // Both are there, or it were no acknowledgement.
        const { shardId = '', sequenceNumber = '' } = answer
        return { kind: 'deliver', shardId, sequenceNumber }
      }
      case 'misrouted':
        return { kind: 'retryMembers', alone: false }
      case 'throttled':
        return failIfThrottled
          ? { kind: 'fail', failure: refusedBy(streamName, 'KPL_ERR_THROTTLED', answer) }
          : again('no')
      case 'ambiguous':
        return again('maybe')
      case 'rejected':
        return members.count > 1
          ? { kind: 'retryMembers', alone: true }
          : { kind: 'fail', failure: refusedBy(streamName, 'KPL_ERR_REJECTED', answer) }
      default:
        return assertNever(verdict)
    }
  }

  /**
   * One of the entries made the service refuse them all: each half goes by itself, until the culprit is alone. A lone
   * aggregate may be too large only as a whole, so its members get a chance of their own before they fail.
   */
  #halve(entries: readonly KinesisRecord[], attempt: Attempt, failure: Failure): RequestJudgement {
    const isRequestAtFault = this.#loneRejections >= MAX_LONE_REJECTIONS
    if (entries.length > 1 && !isRequestAtFault) return { kind: 'halve', attempt }
    this.#loneRejections++
    const decisions = entries.map(
      ({ members }): Decision =>
        members.count > 1 && !isRequestAtFault ? { kind: 'retryMembers', alone: true } : { kind: 'fail', failure }
    )
    return { kind: 'each', attempt, lesson: 'nothing', decisions, refusal: undefined }
  }
}

/** Returns the verdict on an answer. */
function verdictOn(answer: PutRecordsAnswer, placement: Placement): Verdict {
  if (isAcknowledged(answer)) return placement === 'fits' ? 'delivered' : 'misrouted'
  // Neither an acknowledgement nor a plain error, or both at once: the answer cannot be believed either way.
  const { errorCode, sequenceNumber } = answer
  return isText(errorCode) && !isText(sequenceNumber) ? classifyEntryError(errorCode) : 'ambiguous'
}

function lessonOf(verdict: Verdict): Lesson {
  switch (verdict) {
    case 'delivered':
    case 'misrouted':
      return 'stored'
    case 'throttled':
      return 'throttled'
    case 'ambiguous':
      return 'failed'
    case 'rejected':
      return 'nothing'
    default:
      return assertNever(verdict)
  }
}

function again(persisted: Persisted): Decision {
  return { kind: 'retrySealed', persisted }
}

function alike(
  entries: readonly KinesisRecord[],
  attempt: Attempt,
  lesson: Lesson,
  decision: Decision,
  refusal?: Failure
): RequestJudgement {
  return { kind: 'each', attempt, lesson, decisions: entries.map(() => decision), refusal }
}

function isText(value: string | undefined): value is string {
  return typeof value === 'string' && value.length > 0
}

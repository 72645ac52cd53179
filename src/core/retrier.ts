/**
 * Decides what becomes of one Kinesis record after an answer: an answer and where it landed enter, a decision leaves.
 * It never knows requests, lanes, time or the other records.
 * Invariant: the all-or-nothing rule. An aggregate is settled only if every member lies in the range of the shard that
 * took it; otherwise all members go again, because a KCL consumer throws the whole aggregate away at the first member
 * that does not belong (AggregatorUtil of KCL 3.x). The KPL from 0.15.11 to 1.0 settles the members that fit, and loses them.
 */

import { type Failure, isAcknowledged } from '../model/exchange.ts'
import type { KinesisRecord } from '../model/kinesis-record.ts'
import type { PutRecordsAnswer } from '../model/ports.ts'
import type { Persisted } from '../model/results.ts'
import { classifyEntryError, type Verdict } from '../model/service-errors.ts'
import { refusedBy } from './settlement.ts'

/**
 * Where an acknowledged record landed, as far as its members' hash keys tell; `'unknown'`: the shard is not in the map,
 * and the answer must be judged again with the next one.
 */
export type Placement = 'fits' | 'misrouted' | 'unknown'

/** What becomes of one Kinesis record. `Stream` applies it; nobody else acts on it. */
export type Decision =
  | { readonly kind: 'deliver'; readonly shardId: string; readonly sequenceNumber: string }
  | { readonly kind: 'fail'; readonly failure: Failure }
  /** The same bytes again, after the lane's back-off. */
  | { readonly kind: 'retrySealed'; readonly persisted: Persisted }
  /** Every member again, into new envelopes; `alone` when the envelope itself was refused. */
  | { readonly kind: 'retryMembers'; readonly alone: boolean }

/** Returns the verdict on an answer. `placement` counts only for an acknowledgement. */
export function judge(answer: PutRecordsAnswer, placement: Placement): Verdict | 'unknown' {
  if (isAcknowledged(answer)) {
    if (placement === 'unknown') return 'unknown'
    return placement === 'fits' ? 'delivered' : 'misrouted'
  }
  // Neither an acknowledgement nor a plain error, or both at once: the answer cannot be believed either way.
  const isPlainError = isText(answer.errorCode) && !isText(answer.sequenceNumber)
  return isPlainError ? classifyEntryError(answer.errorCode as string) : 'ambiguous'
}

/** An answer with its verdict, and whose it is. */
export interface JudgedAnswer {
  readonly streamName: string
  readonly record: KinesisRecord
  readonly answer: PutRecordsAnswer
  readonly verdict: Verdict
}

/** Returns what to do with a record after a verdict. */
export function decide({ streamName, record, answer, verdict }: JudgedAnswer, failIfThrottled: boolean): Decision {
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
        : { kind: 'retrySealed', persisted: 'no' }
    case 'ambiguous':
      return { kind: 'retrySealed', persisted: 'maybe' }
    case 'rejected':
      return record.members.count > 1
        ? { kind: 'retryMembers', alone: true }
        : { kind: 'fail', failure: refusedBy(streamName, 'KPL_ERR_REJECTED', answer) }
  }
}

function isText(value: string | undefined): boolean {
  return typeof value === 'string' && value.length > 0
}

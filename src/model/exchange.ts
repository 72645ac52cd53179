/**
 * The messages between the core and the statistics: the end of a request, the decision about a record, the outcome of members,
 * the present state.
 * Example: an answered request -> a Decision for each of its records -> a Settlement for each that is done.
 * Invariant: plain data; nothing here acts. A tag says which fields are there, and none of them is a dummy.
 */
import type { RecordFailedError, TransportError } from './errors.ts'
import type { Members } from './kinesis-record.ts'
import type { PutRecordsAnswer } from './ports.ts'
import type { Attempt, Persisted } from './results.ts'

/** When a request was handed to the transport, and when its answer came or it failed. */
export interface RequestTimes {
  readonly startMs: number
  readonly endMs: number
}

/** A request that the service answered: one answer for each of its records, in their order. */
export interface AnsweredRequest extends RequestTimes {
  readonly kind: 'answered'
  readonly records: readonly PutRecordsAnswer[]
}

/** A request that failed as a whole. */
export interface FailedRequest extends RequestTimes {
  readonly kind: 'failed'
  readonly error: TransportError
}

/** How a request ended. */
export type Outcome = AnsweredRequest | FailedRequest

/** An answer with both a sequence number and a shard, and without an error, is an acknowledgement; all else is not. */
export function isAcknowledged(answer: PutRecordsAnswer): answer is { shardId: string; sequenceNumber: string } {
  return isText(answer.sequenceNumber) && isText(answer.shardId) && !isText(answer.errorCode)
}

/** Why members failed. A member's own attempts are added to `message` when the code is in `ENDS_WITH_ATTEMPTS`. */
export interface Failure {
  readonly code: RecordFailedError['code']
  readonly message: string
  readonly serviceCode?: string | undefined
  readonly cause?: unknown
  /** The shard it was meant for, when its members were taken out of the record that knew. */
  readonly shardId?: string | undefined
}

/** The decision about one Kinesis record after its request ended. Only `Stream` applies it. */
export type Decision =
  | { readonly kind: 'deliver'; readonly shardId: string; readonly sequenceNumber: string }
  | { readonly kind: 'fail'; readonly failure: Failure }
  /** The same bytes again, after the lane's back-off. `'maybe'`: this attempt may have been stored. */
  | { readonly kind: 'retrySealed'; readonly persisted: Persisted }
  /** Every member again, into new envelopes; `alone`: not together, because the envelope itself was refused. */
  | { readonly kind: 'retryMembers'; readonly alone: boolean }

/** The consequence of an attempt for its lane. */
export type Lesson = 'stored' | 'throttled' | 'failed' | 'nothing'

interface Settled {
  readonly members: Members
  /** The attempts of the Kinesis record that the members are in. */
  readonly attempts: readonly Attempt[]
  /** Whether one of these attempts, except the one that delivered, may have been stored. */
  readonly persisted: Persisted
}

export interface Delivered extends Settled {
  readonly kind: 'delivered'
  readonly shardId: string
  readonly sequenceNumber: string
  /** Members of an aggregate have sub-sequence numbers. */
  readonly isAggregate: boolean
}

export interface Failed extends Settled {
  readonly kind: 'failed'
  readonly failure: Failure
}

/** The outcome of some members. */
export type Settlement = Delivered | Failed

/** The present state of one stream; `StreamState` shows the first five. */
export interface StreamGauges {
  readonly openEnvelopes: number
  readonly sealedRecords: number
  readonly openShards: number
  readonly isBreakerOpen: boolean
  readonly isServiceManaged: boolean
  /** When the shard map in use was loaded, on the producer's clock; undefined before the first. */
  readonly shardMapLoadedMs: number | undefined
  /** The present rate of an open shard as a part of its full rate: below 1 after throttles. */
  rateFactorOf(shardId: string): number
}

function isText(value: string | undefined): boolean {
  return typeof value === 'string' && value.length > 0
}

/**
 * What the core and the statistics tell each other: how a request ended, what became of records, the present state.
 * Invariant: plain data; nothing here acts.
 */
import type { ErrorCode, TransportError } from './errors.ts'
import type { Members } from './kinesis-record.ts'
import type { PutRecordsAnswer } from './ports.ts'
import type { Attempt, Persisted } from './results.ts'

/** The answers to one batch, or its failure as a whole. */
export interface Outcome {
  readonly startMs: number
  readonly endMs: number
  readonly records?: readonly PutRecordsAnswer[]
  readonly error?: TransportError
}

/** An answer with both a sequence number and a shard, and without an error, is an acknowledgement; all else is not. */
export function isAcknowledged(answer: PutRecordsAnswer): answer is { shardId: string; sequenceNumber: string } {
  return isText(answer.sequenceNumber) && isText(answer.shardId) && !isText(answer.errorCode)
}

/** Why members failed. A member's own attempts are added to `message` when the code is in `ENDS_WITH_ATTEMPTS`. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly serviceCode?: string | undefined
  readonly cause?: unknown
  /** The shard it was meant for, when its members were taken out of the record that knew. */
  readonly predictedShard?: string
}

/** What became of some members. */
export interface Settlement {
  readonly members: Members
  readonly attempts: readonly Attempt[]
  readonly persisted: Persisted
  readonly isAggregate: boolean
  /** Set when delivered. */
  readonly shardId?: string
  readonly sequenceNumber?: string
  /** Set when failed. */
  readonly failure?: Failure
}

/** The present state of one stream's pipeline. */
export interface PipelineGauges {
  readonly openEnvelopes: number
  readonly sealedRecords: number
  readonly openShards: number
  readonly isBreakerOpen: boolean
  readonly isServiceManaged: boolean
}

export interface StreamGauges extends PipelineGauges {
  /** When the shard map in use was loaded, on the producer's clock; undefined before the first. */
  readonly shardMapLoadedMs: number | undefined
  /** The present rate of an open shard as a part of its full rate: below 1 after throttles. */
  rateFactorOf(shardId: string): number
}

function isText(value: string | undefined): boolean {
  return typeof value === 'string' && value.length > 0
}

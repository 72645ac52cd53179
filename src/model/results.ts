/**
 * The nouns that come out: the answer for one user record, and the history of its attempts.
 * Invariant: all members of one Kinesis record share one `attempts` array; no code may write to it.
 */
import type { Attempt } from './attempts.ts'
import type { RecordFailedError } from './errors.ts'

export type { Attempt, Persisted } from './attempts.ts'

/** The result of an acknowledged record. */
export interface PutResult {
  /** The shard that stored the record. */
  readonly shardId: string
  /** The sequence number of its Kinesis record: all user records of one aggregate have the same. */
  readonly sequenceNumber: string
  /** The record's place in its aggregate, from 0; unset when it was stored as a plain Kinesis record. */
  readonly subSequenceNumber?: number
  /** Every attempt in order, the successful one last; at most the newest 16 (`MAX_ATTEMPTS_KEPT`). Not copied: shared. */
  readonly attempts: readonly Attempt[]
}

/** The answer for one record: exactly one of the two arguments is set. Called once for every accepted record. */
export type SettleCallback = (error: RecordFailedError | undefined, result: PutResult | undefined) => void

/** A SettleCallback for many records: `context` is what the caller gave to `tryPut` with this record. */
export type ContextCallback<Context> = (
  error: RecordFailedError | undefined,
  result: PutResult | undefined,
  context: Context
) => void

/** The result of `close`. */
export interface CloseResult {
  /** Records that were outstanding when `close` was called and were acknowledged. */
  readonly delivered: number
  /** Records that were outstanding when `close` was called and failed. */
  readonly failed: number
}

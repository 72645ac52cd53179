/**
 * The nouns that come out: the answer for one user record, and the history of its attempts.
 * Invariant: all members of one Kinesis record share one `attempts` array; nobody may write to it.
 */
import type { RecordFailedError } from './errors.ts'

/**
 * One PutRecords request as one record saw it. Times are epoch milliseconds with fractions, as `new Date(startMs)` takes them;
 * they are monotonic, so corrections of the time of day since the process started are not in them. With a `clock` of your own
 * they are that clock's.
 */
export interface Attempt {
  /** When the request was handed to the transport. */
  readonly startMs: number
  /** When its answer came, or the client gave up. Equal to `startMs` when the record never left the producer. */
  readonly endMs: number
  /** The shard that took the record; set when the service stored it, also when it stored it in the wrong shard. */
  readonly shardId?: string
  readonly sequenceNumber?: string
  /** The service's own error code, or a `KPL_ERR_*` or Node.js code for what never got an answer. Unset on success. */
  readonly errorCode?: string
  readonly errorMessage?: string
}

/** What an acknowledged record is told. */
export interface PutResult {
  readonly shardId: string
  readonly sequenceNumber: string
  /** The record's place in its aggregate, from 0; unset when it was stored as a plain Kinesis record. */
  readonly subSequenceNumber?: number
  /** Every attempt in order, the successful one last; at most the newest 16 (`MAX_ATTEMPTS_KEPT`). Not copied: shared. */
  readonly attempts: readonly Attempt[]
}

/**
 * Whether a failed record may be in the stream all the same.
 * `'maybe'` only after an attempt whose answer was lost or said nothing about the write.
 */
export type Persisted = 'no' | 'maybe'

/** The answer for one record: exactly one of the two arguments is set. Called once for every accepted record. */
export type SettleCallback = (error: RecordFailedError | undefined, result: PutResult | undefined) => void

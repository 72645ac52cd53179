/**
 * The history of one record: its attempts, and whether it may be stored.
 * Invariant: all members of one Kinesis record share one `attempts` array; no code may write to it.
 */

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
  /** The sequence number of the Kinesis record that holds it; set together with `shardId`. */
  readonly sequenceNumber?: string
  /** The service's own error code, or a `KPL_ERR_*` or Node.js code for what never got an answer. Unset on success. */
  readonly errorCode?: string
  /** The text of the service or of Node.js, for people. Unset on success. */
  readonly errorMessage?: string
}

/**
 * Whether a failed record may be in the stream in spite of the error. `'maybe'` only after an attempt whose answer was lost or
 * said nothing about the write.
 */
export type Persisted = 'no' | 'maybe'

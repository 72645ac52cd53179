/**
 * The answer for one record that a fault plan makes fail.
 * Invariant: `isStored` alone decides whether the record is in the shard; the answer looks the same.
 */

/** The error of one record of a PutRecords answer. */
export interface RecordError {
  /** The code of the answer. */
  readonly errorCode: string
  /** The text of the answer. */
  readonly errorMessage?: string | undefined
  /** Whether the record is stored in spite of the error. */
  readonly isStored: boolean
}

/**
 * The answer for one record that a fault plan makes fail.
 * Invariant: `isStored` alone decides whether the record is in the shard; the answer looks the same.
 */

export interface RecordError {
  readonly errorCode: string
  /** Default: the service's text for the code. */
  readonly errorMessage?: string | undefined
  /** True: the record was stored in spite of the error, and a retry makes a duplicate. */
  readonly isStored: boolean
}

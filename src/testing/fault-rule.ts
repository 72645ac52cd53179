/**
 * The words of a fault plan: which requests a rule matches, and what happens to them.
 * Invariant: types only, plain data (except `when`), so that a plan can be printed and replayed.
 */

/** A request as rules see it. */
export interface FaultRequest {
  /** `PutRecords`, `ListShards`, ... */
  readonly operation: string
  /** The stream's name, also when the request gave an ARN or a token; undefined when it names no stream. */
  readonly streamName: string | undefined
  /** The request's number among those of this operation and stream, from 1. */
  readonly ordinal: number
  readonly nowMs: number
  /** Records in a PutRecords request, 1 for PutRecord, else 0. */
  readonly entryCount: number
}

/** All given conditions must hold; an empty match is every request. */
export interface FaultMatch {
  readonly operation?: string | undefined
  readonly streamName?: string | undefined
  /** Inclusive bounds on the request's `ordinal`. */
  readonly firstOrdinal?: number | undefined
  readonly lastOrdinal?: number | undefined
  /** The time span [fromMs, untilMs) in which the request arrives. */
  readonly fromMs?: number | undefined
  readonly untilMs?: number | undefined
  /** 0 to 1; needs the plan's `random`. */
  readonly probability?: number | undefined
  readonly when?: ((request: FaultRequest) => boolean) | undefined
}

/** Which records of a request; all given conditions must hold, and no condition means all of them. */
export interface RecordSelection {
  /** Places in the request, from 0. */
  readonly indexes?: readonly number[] | undefined
  readonly shardIds?: readonly string[] | undefined
  /** The first, then every `everyNth`-th. */
  readonly everyNth?: number | undefined
  /** 0 to 1, drawn for each record; needs the plan's `random`. */
  readonly probability?: number | undefined
}

/** The fault of a matching request. Actions of several rules add up; of two that end it, the first one does. */
export type FaultAction =
  /** The selected records are answered with `errorCode`. `isStored` (default false): they are stored in spite of that. */
  | {
      readonly kind: 'failRecords'
      readonly errorCode: string
      readonly errorMessage?: string | undefined
      readonly isStored?: boolean | undefined
      readonly records?: RecordSelection | undefined
    }
  /** ProvisionedThroughputExceededException for the records of these shards, or of all. Bound it with `fromMs` and `untilMs`. */
  | { readonly kind: 'throttle'; readonly shardIds?: readonly string[] | undefined }
  /** The whole request fails, before it was applied or (`isApplied`) after. Status: the one the service uses for the code. */
  | {
      readonly kind: 'failRequest'
      readonly errorCode: string
      readonly errorMessage?: string | undefined
      readonly statusCode?: number | undefined
      readonly isApplied?: boolean | undefined
    }
  /** The connection is reset instead of an answer, before the request was applied or (`isApplied`) after. */
  | { readonly kind: 'reset'; readonly isApplied?: boolean | undefined }
  /** No answer ever comes; the connection stays open. */
  | { readonly kind: 'silence'; readonly isApplied?: boolean | undefined }
  /** An answer that is not the API's: an HTML page of a proxy, cut JSON, ... The request is applied unless `isApplied` is false. */
  | {
      readonly kind: 'rawAnswer'
      readonly statusCode: number
      readonly contentType: string
      readonly body: string
      readonly isApplied?: boolean | undefined
    }
  /** Held for `delayMs`: as a `'request'`, so that it is applied late (also after the client gave up), or as an `'answer'` (default). */
  | { readonly kind: 'delay'; readonly delayMs: number; readonly of?: 'request' | 'answer' | undefined }
  /** Records are stored in random order; needs the plan's `random`. */
  | { readonly kind: 'shuffle' }
  /** ListShards answers with the shards as they were `agoMs` ago. */
  | { readonly kind: 'staleShards'; readonly agoMs: number }
  /** PutRecords answers with this many records more, or fewer when negative. */
  | { readonly kind: 'recordCount'; readonly difference: number }

export interface FaultRule {
  readonly match?: FaultMatch | undefined
  readonly action: FaultAction
  /** How many requests it happens to; default no bound. */
  readonly times?: number | undefined
}

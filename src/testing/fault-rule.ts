/**
 * The words of a fault plan: which requests a rule matches, and what happens to them.
 * Invariant: types only, plain data (except `when`), so that a plan can be printed and replayed.
 */

/** A request as rules see it. */
export interface FaultRequest {
  /** The operation: `PutRecords`, `ListShards`, ... */
  readonly operation: string
  /** The stream's name, also when the request gave an ARN or a token; undefined when it names no stream. */
  readonly streamName: string | undefined
  /** The request's number among those of this operation and stream, from 1. */
  readonly ordinal: number
  /** The time of its arrival. */
  readonly nowMs: number
  /** Records in a PutRecords request, 1 for PutRecord, else 0. */
  readonly entryCount: number
}

/** All given conditions must hold; an empty match is every request. */
export interface FaultMatch {
  /** The operation: `PutRecords`, `ListShards`, ... */
  readonly operation?: string | undefined
  /** The name of the stream. */
  readonly streamName?: string | undefined
  /** The first `ordinal` that matches. */
  readonly firstOrdinal?: number | undefined
  /** The last `ordinal` that matches. */
  readonly lastOrdinal?: number | undefined
  /** The time from which requests match. */
  readonly fromMs?: number | undefined
  /** The time from which requests match no more. */
  readonly untilMs?: number | undefined
  /** The part of the requests that match, 0 to 1; needs the plan's `random`. */
  readonly probability?: number | undefined
  /** Any other condition. */
  readonly when?: ((request: FaultRequest) => boolean) | undefined
}

/** Which records of a request; all given conditions must hold, and no condition means all of them. */
export interface RecordSelection {
  /** Places in the request, from 0. */
  readonly indexes?: readonly number[] | undefined
  /** The shards that the records go to. */
  readonly shardIds?: readonly string[] | undefined
  /** The first, then every `everyNth`-th. */
  readonly everyNth?: number | undefined
  /** 0 to 1, drawn for each record; needs the plan's `random`. */
  readonly probability?: number | undefined
}

/** The fault of a matching request. Actions of several rules add up; of two that end it, the first one does. */
export type FaultAction =
  /** The selected records are answered with `errorCode`. */
  | {
      readonly kind: 'failRecords'
      /** The code in the answer of each record. */
      readonly errorCode: string
      /** The text in the answer of each record. Default: the service's own for the code. */
      readonly errorMessage?: string | undefined
      /** Whether the records are stored in spite of the error. Default: false. */
      readonly isStored?: boolean | undefined
      /** The records. Default: all of the request. */
      readonly records?: RecordSelection | undefined
    }
  /** ProvisionedThroughputExceededException for records. Bound it with `fromMs` and `untilMs`. */
  | {
      readonly kind: 'throttle'
      /** The shards of the records. Default: all. */
      readonly shardIds?: readonly string[] | undefined
    }
  /** The whole request fails with an error of the service. */
  | {
      readonly kind: 'failRequest'
      /** The code of the error. */
      readonly errorCode: string
      /** The text of the error. */
      readonly errorMessage?: string | undefined
      /** The HTTP status. Default: the service's own for the code. */
      readonly statusCode?: number | undefined
      /** Whether the request was applied before it failed. Default: false. */
      readonly isApplied?: boolean | undefined
    }
  /** The connection is reset in place of an answer. */
  | {
      readonly kind: 'reset'
      /** Whether the request was applied before. Default: false. */
      readonly isApplied?: boolean | undefined
    }
  /** No answer ever comes; the connection stays open. */
  | {
      readonly kind: 'silence'
      /** Whether the request is applied. Default: false. */
      readonly isApplied?: boolean | undefined
    }
  /** An answer that is not the API's: an HTML page of a proxy, cut JSON, ... */
  | {
      readonly kind: 'rawAnswer'
      /** The HTTP status. */
      readonly statusCode: number
      /** The header Content-Type. */
      readonly contentType: string
      /** The text of the body. */
      readonly body: string
      /** Whether the request is applied. Default: true. */
      readonly isApplied?: boolean | undefined
    }
  /** Request or answer is held back. */
  | {
      readonly kind: 'delay'
      /** The time that it is held. */
      readonly delayMs: number
      /** `'answer'` is the default. `'request'`: applied late, also after the client gave up. */
      readonly of?: 'request' | 'answer' | undefined
    }
  /** Records are stored in random order; needs the plan's `random`. */
  | { readonly kind: 'shuffle' }
  /** ListShards answers with the shards of an earlier time. */
  | {
      readonly kind: 'staleShards'
      /** The age of the answer. */
      readonly agoMs: number
    }
  /** PutRecords answers with another number of records than the request has. */
  | {
      readonly kind: 'recordCount'
      /** Records too many, or too few when negative. */
      readonly difference: number
    }

/** A fault, and the requests that meet it. */
export interface FaultRule {
  /** The requests. Default: all. */
  readonly match?: FaultMatch | undefined
  /** The fault. */
  readonly action: FaultAction
  /** How many requests it happens to; default no bound. */
  readonly times?: number | undefined
}

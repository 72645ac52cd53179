/**
 * The messages between the soak and its server process.
 * Invariant: types only; every request is answered once, in order, by its own kind.
 */

/** To the server. */
export type Request =
  | { readonly kind: 'create'; readonly stream: string }
  | { readonly kind: 'delete'; readonly stream: string }
  | { readonly kind: 'read'; readonly stream: string; readonly generation: number }
  /** No more faults and reshards. */
  | { readonly kind: 'calm' }
  | { readonly kind: 'stop' }

/** From the server. */
export type Message =
  | { readonly kind: 'ready'; readonly endpoint: string }
  | { readonly kind: 'done'; readonly of: Request['kind'] }
  | Copies
  | ReadBack
  | ServerStatus

/** The user records of one Kinesis record, in order, as a KCL consumer is given them. */
export interface Copies {
  readonly kind: 'copies'
  readonly generation: number
  readonly shardNumber: number
  readonly sequenceOrdinal: number
  /** `NO_INDEX` for one that is not of the generation. */
  readonly indexes: Uint32Array
}

/** The end of a read; everything it found was told before. */
export interface ReadBack {
  readonly kind: 'read-back'
  readonly generation: number
  readonly kinesisRecords: number
  /** Aggregates that a KCL consumer drops, because a member does not belong into their shard. */
  readonly droppedAggregates: number
  /** User records that the soak did not put: of another generation, or with another key or content. */
  readonly foreignRecords: number
}

export interface ServerStatus {
  readonly kind: 'status'
  /** `'calm'` while there is none. */
  readonly fault: string
  readonly openShards: number
  readonly reshards: number
  readonly liveBytes: number
  readonly rssBytes: number
  /** Spells so far, by fault. */
  readonly spells: Readonly<Record<string, number>>
}

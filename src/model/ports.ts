/**
 * The interfaces of the core to the outside: time, randomness, the network and the logger. All are passed in.
 * Invariant: types only. Every implementation is in `system.ts`, `aws/` or `testing/`.
 */
import type { StreamRef } from './records.ts'

/** A pending wake-up. */
export interface Timer {
  /** After this the wake-up never fires. Calling it twice, or after it fired, does nothing. */
  cancel(): void
  /** Lets the process end before it fires. Left out by clocks that keep no process alive. */
  unref?(): void
}

/**
 * Monotonic time in milliseconds; fractions allowed. Attempts and events show it as it is: the real one counts from 1970.
 */
export interface Clock {
  /** Returns the time now, in milliseconds. It never goes back. */
  nowMs(): number
  /** Calls `wake` once, at or after `atMs` on this clock; never synchronously. Keeps the process alive until then. */
  schedule(atMs: number, wake: () => void): Timer
}

/** The time of day as the machine tells it, which may jump. */
export interface TimeOfDay {
  /** Epoch milliseconds. */
  nowMs(): number
  /** Returns the epoch milliseconds of an HTTP date; NaN for another text. */
  parse(text: string): number
  /** Returns `20261128T013000Z`. */
  longDate(atMs: number): string
}

/** Returns the next number in [0, 1). */
export type Random = () => number

/**
 * One entry of a PutRecords request. `data` is not copied: it stays as it is until the request is answered, and after
 * that as well unless the transport says `readsUntilAnswered`.
 */
export interface PutRecordsEntry {
  /** The bytes of the Kinesis record: an aggregate, or the data of one user record. */
  readonly data: Uint8Array
  /** The partition key of the Kinesis record. */
  readonly partitionKey: string
  /** Decimal text, 0 to 2^128 - 1. It overrides the hash of the partition key. */
  readonly explicitHashKey?: string | undefined
}

/** One PutRecords request. */
export interface PutRecordsRequest {
  /** The stream, by name or ARN. */
  readonly stream: StreamRef
  /** The Kinesis records, 1 to 500. */
  readonly entries: readonly PutRecordsEntry[]
  /** Fires when the producer stops waiting for the answer (close deadline). */
  readonly signal?: AbortSignal | undefined
}

/** The answer for one entry: shard and sequence number, or an error code. */
export interface PutRecordsAnswer {
  /** The shard that stored the record; unset when it failed. */
  readonly shardId?: string | undefined
  /** Its sequence number; unset when it failed. */
  readonly sequenceNumber?: string | undefined
  /** The error code of Kinesis; unset when the record was stored. */
  readonly errorCode?: string | undefined
  /** The text of Kinesis; unset when the record was stored. */
  readonly errorMessage?: string | undefined
}

/** The answer to one PutRecords request. */
export interface PutRecordsResponse {
  /** In the order of the request's entries, one each; the core checks the count. */
  readonly records: readonly PutRecordsAnswer[]
}

/** One open shard of ListShards. Hash keys are decimal text, both ends inclusive. */
export interface ShardHashRange {
  /** The id of the shard. */
  readonly shardId: string
  /** The first hash key of the shard. */
  readonly startingHashKey: string
  /** The last hash key of the shard. */
  readonly endingHashKey: string
}

/** The part of DescribeStreamSummary that the producer reads. */
export interface StreamSummary {
  /** CREATING, ACTIVE, UPDATING or DELETING. */
  readonly status: string
  /** `'AUTO'`: the service ignores partition and hash keys, and an aggregate cannot be routed. Absence means keyed. */
  readonly recordDistribution: 'AUTO' | 'USER_PARTITION_KEY'
  /** The stream's limit for one record, when the service says it. */
  readonly maxRecordBytes?: number | undefined
}

/**
 * The network. Every method rejects with a `TransportError` and with nothing else, and never retries PutRecords:
 * a hidden retry would hide an attempt that may have been stored.
 */
export interface Transport {
  /**
   * Whether nothing of a request's entries is looked at any more once `putRecords` has answered: then the producer packs
   * later records into the same memory. Leave it out for a transport that keeps what it was given.
   */
  readonly readsUntilAnswered?: boolean
  /** Host and port of the newest request, for messages to people; undefined before the first, or when it is not known. */
  readonly endpoint?: string | undefined
  /** Sends one PutRecords request. Resolves when Kinesis answered, also when entries of the answer have errors. */
  putRecords(request: PutRecordsRequest): Promise<PutRecordsResponse>
  /** All pages of the open shards (filter AT_LATEST). An endpoint may also list closed shards: leave those out. */
  listShards(stream: StreamRef): Promise<readonly ShardHashRange[]>
  /** Returns the summary of the stream, from DescribeStreamSummary. */
  describeStream(stream: StreamRef): Promise<StreamSummary>
  /** Frees sockets; idempotent. Requests in flight may be cut. */
  close(): void
}

/** The fields of a log line. They never hold a payload or a partition key. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Takes warnings and the log lines of spells, with one object of fields or none. `fields` is a rest parameter, because loggers that
 * take any number of objects (Powertools) would not fit otherwise. `fromObjectFirst` wraps loggers that take the fields first.
 */
export interface Logger {
  /** Writes a line of the level debug. */
  debug(message: string, ...fields: LogFields[]): void
  /** Writes a line of the level info. */
  info(message: string, ...fields: LogFields[]): void
  /** Writes a line of the level warn: a fault that the producer handles. */
  warn(message: string, ...fields: LogFields[]): void
  /** Writes a line of the level error: records are lost or held back. */
  error(message: string, ...fields: LogFields[]): void
}

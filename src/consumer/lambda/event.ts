/**
 * The types of an invocation: the event and the context of Lambda, the answer to it, and the user record that a handler gets.
 * Invariant: types only; those of @types/aws-lambda fit where they are asked for.
 */
import type { ConsumedRecord, DeaggregateOptions, LambdaKinesisRecord } from '../deaggregate.ts'

/** One of a Kinesis event's `Records`; `KinesisStreamRecord` of `@types/aws-lambda` is one. */
export interface LambdaStreamRecord extends LambdaKinesisRecord {
  /** `shardId-000000000006:` and the sequence number. */
  readonly eventID?: string | undefined
  /** The ARN of the stream, or of the consumer with enhanced fan-out. */
  readonly eventSourceARN?: string | undefined
}

/** A Kinesis event; `KinesisStreamEvent` of `@types/aws-lambda` is one. */
export interface LambdaStreamEvent<Source extends LambdaStreamRecord = LambdaStreamRecord> {
  /** The Kinesis records, in the order of their shard. */
  readonly Records: readonly Source[]
}

/** The part of Lambda's context that the handler reads. */
export interface LambdaContext {
  /** Returns the time until Lambda ends the invocation, in milliseconds. */
  getRemainingTimeInMillis(): number
}

/** The answer that Lambda expects when the event source mapping has ReportBatchItemFailures. */
export interface LambdaBatchResponse {
  /** The lowest sequence number that is not done; empty when all are done. Lambda delivers again from there. */
  batchItemFailures: {
    /** The sequence number of a Kinesis record. */
    itemIdentifier: string
  }[]
}

/** A user record of a Lambda event. */
export interface LambdaUserRecord<Source extends LambdaStreamRecord = LambdaStreamRecord> extends ConsumedRecord {
  /** The same for every delivery of this user record: event id (or sequence number) `:` sub-sequence number. */
  readonly id: string
  /** The event's record it came in, not copied. */
  readonly source: Source
  /** With which schema it was written; set by a `decoder` that found one. */
  readonly schema?: WriterSchema | undefined
  /** The decoded data, from a `decoder`. */
  readonly value?: unknown
}

/** The schema of a decoded record, as `glueDecoder` of kinesis-producer/glue tells of it. */
export interface WriterSchema {
  /** The UUID of the schema version. */
  readonly versionId: string
  /** `AVRO`, `JSON` or `PROTOBUF`. */
  readonly dataFormat: string
  /** The text of the schema. */
  readonly definition: string
  /** The name of the schema; undefined when Glue does not name it. */
  readonly name: string | undefined
  /** The name of its registry; undefined when Glue does not name it. */
  readonly registryName: string | undefined
}

/** Takes the frame of a schema off a user record. `glueDecoder` of kinesis-producer/glue makes one. */
export interface RecordDecoder {
  /** Returns the record with `data` behind the frame, and `schema` and `value` set. */
  decode(record: LambdaUserRecord): LambdaUserRecord | PromiseLike<LambdaUserRecord>
}

/** User records that are done already, by `LambdaUserRecord.id`. A `Set<string>` is one; a table with expiry is better. */
export interface SeenRecords {
  /** Whether the user record was done in an earlier delivery: it is then skipped. */
  has(id: string, record: LambdaUserRecord): boolean | Promise<boolean>
  /** Called once the handler has done the user record, before that counts. */
  add(id: string, record: LambdaUserRecord): unknown
}

/** Your function for one user record. A record whose call throws or rejects is delivered again. */
export type UserRecordHandler<Context> = (
  record: LambdaUserRecord,
  context: Context,
  /** Fires when the time is up; Lambda delivers the unfinished records again. */
  signal: AbortSignal
) => unknown

/** The options of `kinesisHandler`. */
export interface KinesisHandlerOptions extends Pick<DeaggregateOptions, 'onCorrupt' | 'maxUserRecords' | 'copy'> {
  /** User records of different keys that may be worked on at once. Default: 10. */
  readonly concurrency?: number | undefined
  /**
   * Whether to go on behind a failed user record. `'stop'`, the default: no, as Lambda delivers all of it again;
   * `'continue'`: with other keys yes, which pays off with `seen`.
   */
  readonly afterFailure?: 'stop' | 'continue' | undefined
  /** Remembers the user records that are done, so that another delivery skips them. Default: none is skipped. */
  readonly seen?: SeenRecords | undefined
  /** Decodes each record before the handler gets it. A record that it rejects counts as failed, so Lambda delivers it again. */
  readonly decoder?: RecordDecoder | undefined
  /**
   * The answer is given when this much of the invocation's time is left, in milliseconds. Default: 1,000. If no more than
   * that is left at the start, half of what is left is kept instead, and KPL_WARN_RESERVE says so.
   */
  readonly reserveMs?: number | undefined
  /** False when the event source mapping lacks ReportBatchItemFailures: then a failure fails the whole batch. */
  readonly reportBatchItemFailures?: boolean | undefined
  /**
   * Told of every failure, once: of what the handler or `seen` threw; of a Kinesis record that cannot be read, without
   * `record`; and with KPL_ERR_TIME_UP of each user record that was worked on when the time was up, or, without `record`,
   * of those that never started. A promise that it returns is waited for until the time is up. An error of it
   * changes nothing, and becomes a process warning. Default: a process warning for each failure.
   */
  readonly onError?: ((error: unknown, record: LambdaUserRecord | undefined) => unknown) | undefined
  /** Makes the signal that fires after so many milliseconds. Default: `AbortSignal.timeout`. */
  readonly timeoutSignal?: ((ms: number) => AbortSignal) | undefined
}

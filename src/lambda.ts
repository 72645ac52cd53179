/**
 * './lambda': a handler for Lambda's Kinesis events that works on user records and answers which of them failed.
 * Invariant: the answer names the lowest Kinesis record of which not every user record is known to be done, so nothing
 * that was not done is checkpointed; and of two user records of one key the later never starts before the earlier is
 * done. Facts on Lambda: developer guide, "Using Lambda with Kinesis", partial batch responses, read 2026-11.
 */

import { invalidInput } from './deaggregate/consumer-error.ts'
import type { ConsumedRecord, DeaggregateOptions, LambdaKinesisRecord } from './deaggregate.ts'
import { Batch } from './lambda/batch.ts'
import { Deadline } from './lambda/deadline.ts'
import { recordsOf, userRecordsOf } from './lambda/user-records.ts'

export { ConsumerError } from './deaggregate/consumer-error.ts'

/** One of a Kinesis event's `Records`; `KinesisStreamRecord` of @types/aws-lambda is one. */
export interface LambdaStreamRecord extends LambdaKinesisRecord {
  /** `shardId-000000000006:` and the sequence number. */
  readonly eventID?: string | undefined
  readonly eventSourceARN?: string | undefined
}

/** A Kinesis event; `KinesisStreamEvent` of @types/aws-lambda is one. */
export interface LambdaStreamEvent<Source extends LambdaStreamRecord = LambdaStreamRecord> {
  readonly Records: readonly Source[]
}

/** What is used of Lambda's context. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number
}

/** What Lambda expects when the event source mapping has ReportBatchItemFailures. */
export interface LambdaBatchResponse {
  batchItemFailures: { itemIdentifier: string }[]
}

/** A user record of a Lambda event. */
export interface LambdaUserRecord<Source extends LambdaStreamRecord = LambdaStreamRecord> extends ConsumedRecord {
  /** The same for every delivery of this user record: event id (or sequence number) `:` sub-sequence number. */
  readonly id: string
  /** The event's record it came in, not copied. */
  readonly source: Source
}

/** User records that are done already, by `LambdaUserRecord.id`. A `Set<string>` is one; a table with expiry is better. */
export interface SeenRecords {
  /** Whether the user record was done in an earlier delivery: it is then skipped. */
  has(id: string, record: LambdaUserRecord): boolean | Promise<boolean>
  /** Called once the handler has done the user record, before that counts. */
  add(id: string, record: LambdaUserRecord): unknown
}

export type UserRecordHandler<Context> = (
  record: LambdaUserRecord,
  context: Context,
  /** Fires when the time is up; what is not done by then is delivered again. */
  signal: AbortSignal
) => unknown

export interface KinesisHandlerOptions extends Pick<DeaggregateOptions, 'onCorrupt' | 'maxUserRecords' | 'copy'> {
  /** User records of different keys that may be worked on at once. Default: 10. */
  readonly concurrency?: number | undefined
  /**
   * Whether to go on behind a failed user record. `'stop'`, the default: no, as Lambda delivers all of it again;
   * `'continue'`: with other keys yes, which pays off with `seen`.
   */
  readonly afterFailure?: 'stop' | 'continue' | undefined
  readonly seen?: SeenRecords | undefined
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
   * of those that never started. A promise that it returns is waited for until the time is up. What it throws changes
   * nothing, and is a process warning. Default: a process warning for each failure.
   */
  readonly onError?: ((error: unknown, record: LambdaUserRecord | undefined) => unknown) | undefined
  /** Makes the signal that fires after so many milliseconds. Default: `AbortSignal.timeout`. */
  readonly timeoutSignal?: ((ms: number) => AbortSignal) | undefined
}

const DEFAULT_CONCURRENCY = 10
const DEFAULT_RESERVE_MS = 1000

/**
 * Returns a Lambda handler that gives each user record of an event to `handle`: in order for each partition key, up to
 * `concurrency` keys at once. A record whose `handle` throws or rejects is delivered again, with all that follows it
 * and its siblings in the same aggregate. The handler rejects, and so the whole batch is delivered again, for an event or
 * context that is none of Lambda's (KPL_ERR_INVALID_INPUT). Throws a RangeError for a `concurrency` that is not a whole
 * number from 1 and for a `reserveMs` that is no time.
 *
 *   export const handler = kinesisHandler(async record => save(JSON.parse(Buffer.from(record.data).toString())))
 */
export function kinesisHandler<Context extends LambdaContext = LambdaContext>(
  handle: UserRecordHandler<Context>,
  options: KinesisHandlerOptions = {}
): (event: LambdaStreamEvent, context: Context) => Promise<LambdaBatchResponse> {
  const { concurrency = DEFAULT_CONCURRENCY, reserveMs = DEFAULT_RESERVE_MS } = options
  const { timeoutSignal = (ms: number) => AbortSignal.timeout(ms) } = options
  if (typeof handle !== 'function') throw invalidInput('handle', 'a function', handle)
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new RangeError(`concurrency must be a whole number from 1, got ${concurrency}`)
  }
  if (!(reserveMs >= 0)) throw new RangeError(`reserveMs must be a number of milliseconds from 0, got ${reserveMs}`)
  return async (event, context) => {
    const records = recordsOf(event)
    const deadline = new Deadline(context, reserveMs, timeoutSignal)
    return new Batch(records, deadline, record => handle(record, context, deadline.signal), options).run()
  }
}

/**
 * Yields the user records of an event in order, for a loop of one's own.
 * Throws KPL_ERR_INVALID_INPUT for an event that is none, and at a record that cannot be read; KPL_ERR_MALFORMED_ENVELOPE
 * if `onCorrupt` says so.
 */
export function* userRecords<Source extends LambdaStreamRecord>(
  event: LambdaStreamEvent<Source>,
  options?: DeaggregateOptions
): Generator<LambdaUserRecord<Source>, void, undefined> {
  for (const source of recordsOf(event)) yield* userRecordsOf(source, options)
}

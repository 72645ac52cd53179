/**
 * './lambda': a handler for Lambda's Kinesis events. It works on user records, and its answer says which of them failed.
 * Invariant: the answer names the first Kinesis record with a user record that may be undone, so Lambda checkpoints no undone record.
 * Of two user records of one key, the later one never starts before the earlier one is done.
 * Facts on Lambda: developer guide, "Using Lambda with Kinesis", partial batch responses, read 2026-11.
 */

import { invalidInput } from './deaggregate/consumer-error.ts'
import { DigestsAhead } from './deaggregate/digests-ahead.ts'
import {
  assertOptions,
  FLAG,
  FUNCTION,
  having,
  numberFrom,
  type OptionRules,
  oneOf,
  wholeNumberFrom
} from './deaggregate/given-options.ts'
import type { DeaggregateOptions } from './deaggregate/members.ts'
import { RECORD_RULES, SHARD_RULES } from './deaggregate/rules.ts'
import { Batch } from './lambda/batch.ts'
import { Deadline } from './lambda/deadline.ts'
import type {
  KinesisHandlerOptions,
  LambdaBatchResponse,
  LambdaContext,
  LambdaStreamEvent,
  LambdaStreamRecord,
  LambdaUserRecord,
  UserRecordHandler
} from './lambda/event.ts'
import { recordsOf, userRecordsOf } from './lambda/user-records.ts'

export { ConsumerError } from './deaggregate/consumer-error.ts'

export type {
  KinesisHandlerOptions,
  LambdaBatchResponse,
  LambdaContext,
  LambdaStreamEvent,
  LambdaStreamRecord,
  LambdaUserRecord,
  RecordDecoder,
  SeenRecords,
  UserRecordHandler,
  WriterSchema
} from './lambda/event.ts'

const DEFAULT_RESERVE_MS = 1000
const RULES: OptionRules<KinesisHandlerOptions> = {
  ...RECORD_RULES,
  concurrency: wholeNumberFrom(1),
  afterFailure: oneOf('stop', 'continue'),
  seen: having('has', 'add'),
  decoder: having('decode'),
  reserveMs: numberFrom(0),
  reportBatchItemFailures: FLAG,
  onError: FUNCTION,
  timeoutSignal: FUNCTION
}
const LOOP_RULES: OptionRules<DeaggregateOptions> = { ...SHARD_RULES, ...RECORD_RULES }

/**
 * Returns a Lambda handler that gives each user record of an event to `handle`: in order for each partition key, up to
 * `concurrency` keys at once. A record whose `handle` throws or rejects is delivered again, with all that follows it
 * and its siblings in the same aggregate. The handler rejects, and so the whole batch is delivered again, for an event or
 * context that is not Lambda's (KPL_ERR_INVALID_INPUT). Throws KPL_ERR_INVALID_INPUT at once without a function, and for
 * options that will not do.
 *
 * @example
 * export const handler = kinesisHandler(async record => {
 *   console.log(record.partitionKey, JSON.parse(Buffer.from(record.data).toString()))
 * })
 * await handler(event, context) // => { batchItemFailures: [] }
 */
export function kinesisHandler<Context extends LambdaContext = LambdaContext>(
  handle: UserRecordHandler<Context>,
  options: KinesisHandlerOptions = {}
): (event: LambdaStreamEvent, context: Context) => Promise<LambdaBatchResponse> {
  if (typeof handle !== 'function') throw invalidInput('handle', 'a function', handle)
  assertOptions(options, RULES)
  const { reserveMs = DEFAULT_RESERVE_MS, timeoutSignal = (ms: number) => AbortSignal.timeout(ms) } = options
  return async (event, context) => {
    const records = recordsOf(event)
    const deadline = new Deadline(context, reserveMs, timeoutSignal)
    return new Batch(records, deadline, record => handle(record, context, deadline.signal), options).run()
  }
}

/**
 * Yields the user records of an event in order, for a loop of one's own.
 * Throws KPL_ERR_INVALID_INPUT at once for an invalid event or option, and at a record that cannot be
 * read; KPL_ERR_MALFORMED_ENVELOPE if `onCorrupt` says so.
 *
 * @example
 * for (const { id, partitionKey, data } of userRecords(event)) {
 *   console.log(id, partitionKey, Buffer.from(data).toString())
 * }
 */
export function userRecords<Source extends LambdaStreamRecord>(
  event: LambdaStreamEvent<Source>,
  options: DeaggregateOptions = {}
): Generator<LambdaUserRecord<Source>, void, undefined> {
  assertOptions(options, LOOP_RULES)
  return userRecordsOfAll(recordsOf(event), options)
}

function* userRecordsOfAll<Source extends LambdaStreamRecord>(
  records: readonly Source[],
  options: DeaggregateOptions
): Generator<LambdaUserRecord<Source>, void, undefined> {
  const ahead = new DigestsAhead(records)
  for (const [index, source] of records.entries()) {
    ahead.turnTo(index)
    yield* userRecordsOf(source, options, ahead)
  }
}

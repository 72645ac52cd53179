/**
 * The input of a Lambda function behind a Kinesis stream: event and context, with the fields and formats of the real ones.
 * Invariant: pure, except the clock; `KinesisStreamEvent` and `Context` of @types/aws-lambda are met.
 * Source: Lambda developer guide, "Using Lambda with Kinesis", example event, read 2026-11.
 */
import { ConsumerError, invalidInput } from '../consumer/deaggregate/consumer-error.ts'
import { bytesOf } from '../consumer/deaggregate/given-data.ts'
import {
  assertOptions,
  having,
  numberFrom,
  type OptionRule,
  type OptionRules
} from '../consumer/deaggregate/given-options.ts'
import type { Clock } from '../model/ports.ts'
import { streamNameFault } from '../model/records.ts'
import { realClock } from './real-time.ts'

/** A Kinesis record to hand over: one of `kinesis.storedRecords()`, one of `aggregate()`, or a user record as it is put. */
export interface LambdaEventRecord {
  /** The partition key. Default: empty, as on streams of `AUTO` distribution. */
  readonly partitionKey?: string | undefined
  /** The data; text stands for its UTF-8 bytes. */
  readonly data: Uint8Array | string
  /** An event does not show it. */
  readonly explicitHashKey?: string | bigint | undefined
  /** The shard. Default: `shardId-000000000000`. */
  readonly shardId?: string | undefined
  /** The sequence number. Default: ascending ones of the usual length. */
  readonly sequenceNumber?: string | undefined
  /** The time of arrival. Default: 0, which is 1970. */
  readonly arrivalMs?: number | undefined
}

/** The options of `kinesisEvent`. */
export interface LambdaEventOptions {
  /** The ARN of the stream. Default: the stream `orders` in us-east-1. */
  readonly streamArn?: string | undefined
}

/** One of an event's `Records`, under the names of the Lambda developer guide. */
export interface LambdaTestRecord {
  eventSource: 'aws:kinesis'
  eventVersion: '1.0'
  eventID: string
  eventName: 'aws:kinesis:record'
  invokeIdentityArn: string
  awsRegion: string
  eventSourceARN: string
  kinesis: {
    kinesisSchemaVersion: '1.0'
    partitionKey: string
    sequenceNumber: string
    /** Base64. */
    data: string
    /** Seconds since 1970, with a fraction. */
    approximateArrivalTimestamp: number
  }
}

/** A Kinesis event, with the fields and formats of the real one. */
export interface LambdaTestEvent {
  /** The Kinesis records, in the order they were given. */
  Records: LambdaTestRecord[]
}

/** The options of `lambdaContext`. */
export interface LambdaContextOptions {
  /** Left when the context is made; it runs down. From 0 to 900,000, which is Lambda's most. Default: 30,000. */
  readonly remainingTimeMs?: number | undefined
  /** The clock that the remaining time runs on. Default: the machine's. */
  readonly clock?: Pick<Clock, 'nowMs'> | undefined
}

/** Lambda's context, under the names of the Lambda developer guide. Only the remaining time means something. */
export interface LambdaTestContext {
  callbackWaitsForEmptyEventLoop: boolean
  functionName: string
  functionVersion: string
  invokedFunctionArn: string
  memoryLimitInMB: string
  awsRequestId: string
  logGroupName: string
  logStreamName: string
  getRemainingTimeInMillis(): number
  done(): void
  fail(): void
  succeed(): void
}

const ACCOUNT = '000000000000'
const DEFAULT_ARN = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/orders`
const DEFAULT_SHARD = 'shardId-000000000000'
const FIRST_SEQUENCE_NUMBER = 49_545_115_243_490_985_018_280_067_714_973_144_582_180_062_593_244_200_961n
const DEFAULT_REMAINING_MS = 30_000
/** Lambda's longest function timeout. */
const MAX_REMAINING_MS = 900_000

const STREAM_ARN: OptionRule = {
  must: 'the ARN of a stream',
  isMet: value => streamNameFault(value) === undefined && String(value).startsWith('arn:')
}
const EVENT_RULES: OptionRules<LambdaEventOptions> = { streamArn: STREAM_ARN }
const CONTEXT_RULES: OptionRules<LambdaContextOptions> = {
  remainingTimeMs: numberFrom(0, MAX_REMAINING_MS),
  clock: having('nowMs')
}

/**
 * Returns the event that Lambda makes of these Kinesis records, in their order. Throws KPL_ERR_INVALID_INPUT for a value that
 * is not such a record.
 *
 * @example
 * await producer.putMany(records)
 * const handler = kinesisHandler(record => console.log(record.partitionKey))
 * await handler(kinesisEvent(kinesis.storedRecords('orders')), lambdaContext()) // => { batchItemFailures: [] }
 */
export function kinesisEvent(records: readonly LambdaEventRecord[], options: LambdaEventOptions = {}): LambdaTestEvent {
  assertOptions(options, EVENT_RULES)
  if (!Array.isArray(records)) throw invalidInput('records', 'a list of records', records)
  const { streamArn = DEFAULT_ARN } = options
  return { Records: Array.from(records, (record, index) => eventRecord(record, index, streamArn)) }
}

/**
 * Returns a context that has so much time left. Throws KPL_ERR_INVALID_INPUT for options that will not do.
 *
 * @example
 * const clock = new VirtualClock()
 * const context = lambdaContext({ remainingTimeMs: 5_000, clock })
 * clock.advanceBy(1_000)
 * context.getRemainingTimeInMillis() // => 4_000
 */
export function lambdaContext(options: LambdaContextOptions = {}): LambdaTestContext {
  assertOptions(options, CONTEXT_RULES)
  const { remainingTimeMs = DEFAULT_REMAINING_MS, clock = realClock } = options
  const endMs = clock.nowMs() + remainingTimeMs
  const nothing = (): void => {}
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'consumer',
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:consumer`,
    memoryLimitInMB: '128',
    awsRequestId: '00000000-0000-4000-8000-000000000000',
    logGroupName: '/aws/lambda/consumer',
    logStreamName: '2026/11/01/[$LATEST]00000000000000000000000000000000',
    // Whole, as in Lambda: the program may give it to a timer.
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(endMs - clock.nowMs())),
    done: nothing,
    fail: nothing,
    succeed: nothing
  }
}

function eventRecord(record: LambdaEventRecord, index: number, streamArn: string): LambdaTestRecord {
  if (typeof record !== 'object' || record === null) throw invalidInput(`records[${index}]`, 'a record', record)
  const { partitionKey = '', shardId = DEFAULT_SHARD, arrivalMs = 0 } = record
  const { sequenceNumber = String(FIRST_SEQUENCE_NUMBER + BigInt(index)) } = record
  return {
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${assertId('shardId', shardId)}:${assertId('sequenceNumber', sequenceNumber)}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: `arn:aws:iam::${ACCOUNT}:role/consumer`,
    awsRegion: streamArn.split(':')[3]!,
    eventSourceARN: streamArn,
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: assertText('partitionKey', partitionKey),
      sequenceNumber,
      data: base64Of(record.data),
      approximateArrivalTimestamp: secondsOf(arrivalMs)
    }
  }
}

/** Well-formed, because Kinesis takes no other. */
function assertText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidInput(name, 'text', value)
  if (value.isWellFormed()) return value
  throw new ConsumerError('KPL_ERR_INVALID_INPUT', `${name} has a lone surrogate`)
}

function assertId(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[\w-]{1,128}$/.test(value)) return value
  throw invalidInput(name, 'an id as Kinesis gives it', value)
}

function base64Of(data: unknown): string {
  const bytes = typeof data === 'string' ? assertText('data', data) : bytesOf(data, 'a Uint8Array or text')
  return Buffer.from(bytes).toString('base64')
}

function secondsOf(arrivalMs: number): number {
  if (Number.isFinite(arrivalMs)) return arrivalMs / 1000
  throw new ConsumerError(
    'KPL_ERR_INVALID_INPUT',
    `arrivalMs must be a number of milliseconds, got ${typeof arrivalMs}`
  )
}

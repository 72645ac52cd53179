/**
 * The shapes in which a Kinesis record reaches a consumer, and the one shape the rest of this folder works on.
 * Invariant: every shape gives the same bytes, keys and times for the same record; nothing is copied but base64 text.
 */

import { isBytes } from '../../wire/bytes.ts'
import { type ArrivalTime, arrivalMs } from './arrival-time.ts'
import { ConsumerError, invalidInput } from './consumer-error.ts'
import { bytesOf } from './given-data.ts'

/** GetRecords and SubscribeToShard of the AWS SDK for JavaScript v3. */
export interface SdkKinesisRecord {
  /** The bytes of the Kinesis record. */
  readonly Data: Uint8Array | undefined
  /** Its partition key. */
  readonly PartitionKey?: string | undefined
  /** Its sequence number. */
  readonly SequenceNumber: string | undefined
  /** The time when Kinesis took it: a Date. */
  readonly ApproximateArrivalTimestamp?: ArrivalTime | undefined
}

/** The `kinesis` part of a Lambda event's record; `data` is base64, the time is in seconds since the epoch. */
export interface LambdaKinesisPayload {
  /** The bytes, as base64. */
  readonly data: string | Uint8Array
  /** The partition key. */
  readonly partitionKey: string
  /** The sequence number. */
  readonly sequenceNumber: string
  /** The time when Kinesis took it, in seconds since the epoch. */
  readonly approximateArrivalTimestamp?: ArrivalTime | undefined
}

/** One of a Lambda Kinesis event's `Records`. */
export interface LambdaKinesisRecord {
  /** The Kinesis record. */
  readonly kinesis: LambdaKinesisPayload
}

/** Where a transformation record came from; the time is in milliseconds since the epoch. */
export interface TransformationMetadata {
  /** The partition key. */
  readonly partitionKey: string
  /** The sequence number. */
  readonly sequenceNumber: string
  /** The time when Kinesis took it, in milliseconds since the epoch. */
  readonly approximateArrivalTimestamp?: ArrivalTime | undefined
}

/** A record of a Firehose transformation or a Kinesis Data Analytics preprocessor; `data` is base64. */
export interface TransformationRecord {
  /** The id that the answer of a transformation names. */
  readonly recordId: string
  /** The bytes, as base64. */
  readonly data: string | Uint8Array
  /** The time of arrival, in milliseconds since the epoch. */
  readonly approximateArrivalTimestamp?: ArrivalTime | undefined
  /** The origin of a Firehose record. */
  readonly kinesisRecordMetadata?: TransformationMetadata | undefined
  /** The origin of a record of Kinesis Data Analytics. */
  readonly kinesisStreamRecordMetadata?: TransformationMetadata | undefined
}

/** A record as the fake Kinesis of 'kinesis-producer/testing' keeps it. */
export interface StoredKinesisRecord {
  /** The bytes. */
  readonly data: Uint8Array
  /** The partition key; unset on streams of `AUTO` distribution. */
  readonly partitionKey?: string | undefined
  /** The sequence number. */
  readonly sequenceNumber: string
  /** The time of arrival, in milliseconds since 1970. */
  readonly arrivalMs?: number | undefined
}

/** A Kinesis record in any of its shapes. Bare bytes have no key, sequence number or time: those come out empty. */
export type AnyKinesisRecord =
  | SdkKinesisRecord
  | LambdaKinesisRecord
  | LambdaKinesisPayload
  | TransformationRecord
  | StoredKinesisRecord
  | Uint8Array

/** The outer record: what Kinesis stored under one sequence number. */
export interface OuterRecord {
  readonly bytes: Uint8Array
  readonly partitionKey: string
  readonly sequenceNumber: string
  readonly arrivalTimestamp: number | undefined
}

/** An object whose fields may be there or not, and of any type. */
type Fields = Readonly<Record<string, unknown>>

const DATA_KINDS = 'a Uint8Array or base64 text'

/**
 * Returns the record in the one shape. Bytes are aliased, base64 is decoded. Data that is null is empty, keys and numbers
 * that are missing are empty text. Throws KPL_ERR_INVALID_INPUT for a value that is not a record: it has no data, key or number at all.
 */
export function outerRecord(
  record: AnyKinesisRecord,
  decoded: (text: string) => Uint8Array = decodedBase64
): OuterRecord {
  if (isBytes(record))
    return { bytes: bytesOf(record), partitionKey: '', sequenceNumber: '', arrivalTimestamp: undefined }
  const whole = fieldsOf(record, 'record')
  const fields = fieldsOf(whole['kinesis'] ?? whole, 'kinesis')
  const from = fieldsOf(whole['kinesisRecordMetadata'] ?? whole['kinesisStreamRecordMetadata'] ?? fields, 'metadata')
  const data = fields['Data'] ?? fields['data']
  const partitionKey = textOf(from['PartitionKey'] ?? from['partitionKey'], 'partitionKey')
  const sequenceNumber = textOf(from['SequenceNumber'] ?? from['sequenceNumber'], 'sequenceNumber')
  if (data == null) {
    if (partitionKey === '' && sequenceNumber === '') throw noRecord(record)
    if (!('Data' in fields || 'data' in fields)) throw invalidInput('data', DATA_KINDS, data)
  }
  const arrival =
    from['approximateArrivalTimestamp'] ?? whole['approximateArrivalTimestamp'] ?? from['ApproximateArrivalTimestamp']
  return {
    bytes: bytesOf(typeof (data ?? '') === 'string' ? decoded(String(data ?? '')) : data, DATA_KINDS),
    partitionKey,
    sequenceNumber,
    // Lambda counts seconds, with a fraction; the transformations and our fake count milliseconds.
    arrivalTimestamp: arrivalMs(arrival ?? fields['arrivalMs'], arrival == null || whole['recordId'] !== undefined)
  }
}

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null) return value as Fields
  throw invalidInput(name, 'a Kinesis record', value)
}

function noRecord(value: unknown): ConsumerError {
  const isMany = Array.isArray(value) || Array.isArray(Object(value).Records)
  return invalidInput(
    'record',
    `a Kinesis record${isMany ? ' (for a list: deaggregateAll(event.Records))' : ''}`,
    value
  )
}

/**
 * Reads base64, with line breaks or without. Node.js skips other characters, so a text that was never encoded would come out as
 * other bytes. But these are fewer than its length says.
 */
export function decodedBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  const digitCount = text.length - (text.endsWith('==') ? 2 : Number(text.endsWith('=')))
  if (bytes.length === Math.floor((digitCount * 3) / 4) && digitCount % 4 !== 1) return bytes
  const joined = text.replace(/\s+/g, '')
  if (joined !== text) return decodedBase64(joined)
  throw new ConsumerError('KPL_ERR_INVALID_INPUT', `data must be ${DATA_KINDS}, got text that is not base64`)
}

function textOf(value: unknown, name: string): string {
  if (typeof (value ?? '') !== 'string') throw invalidInput(name, 'text', value)
  return String(value ?? '')
}

/**
 * The shapes in which a Kinesis record reaches a consumer, and the one shape the rest of this folder works on.
 * Invariant: every shape gives the same bytes, keys and times for the same record; nothing is copied but base64 text.
 */

/** A time as the AWS SDK gives it. */
interface Instant {
  getTime(): number
}

/** GetRecords and SubscribeToShard of the AWS SDK for JavaScript v3. */
export interface SdkKinesisRecord {
  readonly Data: Uint8Array | undefined
  readonly PartitionKey?: string | undefined
  readonly SequenceNumber: string | undefined
  readonly ApproximateArrivalTimestamp?: Instant | undefined
}

/** The `kinesis` part of a Lambda event's record; `data` is base64, the time is in seconds since the epoch. */
export interface LambdaKinesisPayload {
  readonly data: string | Uint8Array
  readonly partitionKey: string
  readonly sequenceNumber: string
  readonly approximateArrivalTimestamp?: number | undefined
}

/** One of a Lambda Kinesis event's `Records`. */
export interface LambdaKinesisRecord {
  readonly kinesis: LambdaKinesisPayload
}

/** Where a transformation record came from; the time is in milliseconds since the epoch. */
export interface TransformationMetadata {
  readonly partitionKey: string
  readonly sequenceNumber: string
  readonly approximateArrivalTimestamp?: number | undefined
}

/** A record of a Firehose transformation or a Kinesis Data Analytics preprocessor; `data` is base64. */
export interface TransformationRecord {
  readonly recordId: string
  readonly data: string | Uint8Array
  readonly approximateArrivalTimestamp?: number | undefined
  readonly kinesisRecordMetadata?: TransformationMetadata | undefined
  readonly kinesisStreamRecordMetadata?: TransformationMetadata | undefined
}

/** A Kinesis record in any of its shapes. Bare bytes have no key, sequence number or time: those come out empty. */
export type AnyKinesisRecord =
  | SdkKinesisRecord
  | LambdaKinesisRecord
  | LambdaKinesisPayload
  | TransformationRecord
  | Uint8Array

/** The outer record: what Kinesis stored under one sequence number. */
export interface OuterRecord {
  readonly bytes: Uint8Array
  readonly partitionKey: string
  readonly sequenceNumber: string
  readonly arrivalTimestamp: number | undefined
}

/** All shapes in one: whatever is there is of the type that its shape gives it. */
interface AnyField {
  readonly Data?: Uint8Array
  readonly data?: Uint8Array | string
  readonly PartitionKey?: string
  readonly partitionKey?: string
  readonly SequenceNumber?: string
  readonly sequenceNumber?: string
  readonly ApproximateArrivalTimestamp?: Instant
  readonly approximateArrivalTimestamp?: number
  readonly kinesis?: AnyField
  readonly recordId?: string
  readonly kinesisRecordMetadata?: AnyField
  readonly kinesisStreamRecordMetadata?: AnyField
}

/** Returns the record in the one shape. Bytes are aliased, base64 is decoded. */
export function outerRecord(record: AnyKinesisRecord): OuterRecord {
  if (ArrayBuffer.isView(record))
    return { bytes: record, partitionKey: '', sequenceNumber: '', arrivalTimestamp: undefined }
  const whole = record as AnyField
  const fields = whole.kinesis ?? whole
  const from = whole.kinesisRecordMetadata ?? whole.kinesisStreamRecordMetadata ?? fields
  const data = fields.Data ?? fields.data ?? ''
  const arrival = from.approximateArrivalTimestamp ?? whole.approximateArrivalTimestamp
  return {
    bytes: typeof data === 'string' ? Buffer.from(data, 'base64') : data,
    partitionKey: from.PartitionKey ?? from.partitionKey ?? '',
    sequenceNumber: from.SequenceNumber ?? from.sequenceNumber ?? '',
    // Lambda counts seconds, with a fraction; the transformations count milliseconds.
    arrivalTimestamp:
      whole.recordId || !arrival ? (arrival ?? from.ApproximateArrivalTimestamp?.getTime()) : Math.round(arrival * 1000)
  }
}

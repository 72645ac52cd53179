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
  readonly PartitionKey: string | undefined
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

/** Returns the record in the one shape. Bytes are aliased, base64 is decoded. */
export function outerRecord(record: AnyKinesisRecord): OuterRecord {
  if (ArrayBuffer.isView(record)) return outer(record, '', '', undefined)
  if ('Data' in record) {
    return outer(record.Data, record.PartitionKey, record.SequenceNumber, record.ApproximateArrivalTimestamp?.getTime())
  }
  if ('recordId' in record) {
    const from = record.kinesisRecordMetadata ?? record.kinesisStreamRecordMetadata
    const arrival = from?.approximateArrivalTimestamp ?? record.approximateArrivalTimestamp
    return outer(record.data, from?.partitionKey, from?.sequenceNumber, arrival)
  }
  const { data, partitionKey, sequenceNumber, approximateArrivalTimestamp } =
    'kinesis' in record ? record.kinesis : record
  const arrival = approximateArrivalTimestamp === undefined ? undefined : Math.round(approximateArrivalTimestamp * 1000)
  return outer(data, partitionKey, sequenceNumber, arrival)
}

function outer(
  data: Uint8Array | string = '',
  partitionKey = '',
  sequenceNumber = '',
  arrivalTimestamp: number | undefined
): OuterRecord {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : data
  return { bytes: plainView(bytes), partitionKey, sequenceNumber, arrivalTimestamp }
}

/** A Buffer's slices are Buffers; ours are plain whatever was given. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * The grammar of an aggregated record, in one place for the writer and the reader.
 * Source: aggregation-format.md of the KPL (awslabs/amazon-kinesis-producer 1.0.7); restated, not copied.
 *
 *   record   := magic body digest
 *   magic    := F3 89 9A C2
 *   digest   := MD5(body), 16 bytes
 *   body     := ( 0A len utf8 )*      partition key table, in order of first use
 *               ( 12 len digits )*    explicit hash key table, canonical decimal text
 *               ( 1A len member )*
 *   member   := 08 varint             index into the partition key table, always written
 *               [ 10 varint ]         index into the explicit hash key table
 *               1A len bytes          data, always written, may be empty
 *               ( 22 len tag )*       tags: never written by the KPL, ignored by the KCL; ours is in dedupe-tag.ts
 *   tag      := 0A len utf8 [ 12 len utf8 ]
 *
 * Invariant: every number of the format is a constant of this file.
 */

export const MAGIC_0 = 0xf3
export const MAGIC_1 = 0x89
export const MAGIC_2 = 0x9a
export const MAGIC_3 = 0xc2
export const MAGIC_BYTES = 4
export const DIGEST_BYTES = 16
/** Bytes of an envelope that are not body. */
export const ENVELOPE_BYTES: number = MAGIC_BYTES + DIGEST_BYTES

/** (field number << 3) | wire type; all are one byte long. */
export const TAG_PARTITION_KEY = 0x0a
export const TAG_EXPLICIT_HASH_KEY = 0x12
export const TAG_RECORD = 0x1a
export const TAG_RECORD_PARTITION_KEY_INDEX = 0x08
export const TAG_RECORD_EXPLICIT_HASH_KEY_INDEX = 0x10
export const TAG_RECORD_DATA = 0x1a
export const TAG_RECORD_TAG = 0x22
export const TAG_TAG_KEY = 0x0a
export const TAG_TAG_VALUE = 0x12

/** The key of our tag; see `dedupe-tag.ts`. */
export const DEDUPE_TAG_KEY = 'kp:id'
/** A dedupe tag from its key to the tag of its value. */
export const DEDUPE_TAG_HEAD: readonly number[] = [
  TAG_TAG_KEY,
  DEDUPE_TAG_KEY.length,
  ...Buffer.from(DEDUPE_TAG_KEY),
  TAG_TAG_VALUE
]
/** 64 bits as base64url. */
export const PRODUCER_ID_LENGTH = 11
/** Of 2^53 - 1 in base 36. */
export const MAX_DEDUPE_DIGITS = 11

/** The partition key the KPL gives every aggregate; the explicit hash key decides the shard. */
export const CONTAINER_KEY = 'a'

/**
 * Bytes with the magic that are not a valid aggregated record. The message holds no payload.
 *
 * @example
 * try {
 *   for (const record of deaggregate(kinesisRecord, { onCorrupt: 'throw' })) console.log(record.partitionKey)
 * } catch (error) {
 *   if (!(error instanceof MalformedEnvelopeError)) throw error
 *   console.error(error.sequenceNumber, error.fault, error.offset)
 * }
 */
export class MalformedEnvelopeError extends Error {
  /** The name of the class. */
  override readonly name = 'MalformedEnvelopeError'
  /** The reason, for programs: always the same. */
  readonly code = 'KPL_ERR_MALFORMED_ENVELOPE'
  /** The fault of the bytes, in a few words. */
  readonly fault: string
  /** Offset of the fault, in bytes from the start of the record. */
  readonly offset: number
  /** The Kinesis record's sequence number, where a reader of a stream knows it. */
  readonly sequenceNumber: string | undefined

  /** For tests; `deaggregate` makes its own. */
  constructor(fault: string, offset: number, sequenceNumber?: string) {
    super(`malformed aggregated record${sequenceNumber ? ` ${sequenceNumber}` : ''}: ${fault} at byte ${offset}`)
    this.fault = fault
    this.offset = offset
    this.sequenceNumber = sequenceNumber
  }
}

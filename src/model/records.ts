/**
 * The input of a producer: user records, and the names of streams.
 * Invariant: plain readonly data. The functions here only check names and kinds.
 */

/** One record as the user has it. `data` as a string is sent as its UTF-8 bytes; a `Uint8Array` is copied on accept. */
export interface UserRecord {
  /** 1 to 256 characters of well-formed Unicode. Chooses the shard, unless `explicitHashKey` does. */
  readonly partitionKey: string
  /** 0 bytes up to `maxUserRecordBytes`, counted together with the partition key's UTF-8 bytes. */
  readonly data: Uint8Array | string
  /** 0 to 2^128 - 1, as a `bigint` or as plain decimal digits. Overrides the MD5 of the partition key. */
  readonly explicitHashKey?: string | bigint | undefined
  /** A stream name or a stream ARN; default: the producer's own `streamName`. */
  readonly streamName?: string | undefined
  /** Puts the data into the frame of a schema: see `kinesis-producer/glue`. The frame counts in every size. */
  readonly schema?: RecordFrame | undefined
}

/** The bytes directly before the data of a user record. Consumers find the schema by them. */
export interface RecordFrame {
  /** At most 64 bytes. Read, and copied, when the schema is first used. */
  readonly prefix: Uint8Array
  /**
   * Returns all of the framed bytes when they differ from `prefix` and `data`, such as compressed bytes. undefined:
   * they are `prefix` and `data`. Called once for each put, with the caller's own data, which must not be changed.
   */
  encode?(data: Uint8Array): Uint8Array | undefined
}

/** A stream in a request: exactly one of the two is set. */
export interface StreamRef {
  /** The name of the stream. */
  readonly streamName?: string
  /** The ARN of the stream. */
  readonly streamArn?: string
}

/** Returns the reference for a stream given as a name or as an ARN. Does not validate: see `streamNameFault`. */
export function streamRef(nameOrArn: string): StreamRef {
  return nameOrArn.startsWith('arn:') ? { streamArn: nameOrArn } : { streamName: nameOrArn }
}

const MAX_KIND_CHARACTERS = 64
const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,128}$/
const STREAM_ARN = /^arn:aws[a-z-]{0,20}:kinesis:[a-z0-9-]{1,32}:\d{12}:stream\/[a-zA-Z0-9_.-]{1,128}$/
const MAX_STREAM_TEXT = 256

/**
 * Returns the fault of a stream name or ARN as the end of a sentence, or undefined when it is correct. When `region` is given, an
 * ARN must be of that region.
 * Source: Kinesis API reference, StreamName and StreamARN patterns, read 2026-11.
 */
export function streamNameFault(value: unknown, region?: string): string | undefined {
  if (typeof value !== 'string') return `must be a stream name or a stream ARN, got ${kindOf(value)}`
  if (value.length === 0) return 'must not be empty'
  const isWellFormed = value.length <= MAX_STREAM_TEXT && (STREAM_NAME.test(value) || STREAM_ARN.test(value))
  if (isWellFormed) return arnFault(value, region)
  return `must be 1 to 128 of the characters a-z A-Z 0-9 _ . - or a stream ARN, got ${value.length} characters that are not`
}

/** The partition of a region, by the start of its name. Source: partitions.json of the AWS SDK, read 2026-11. */
const PARTITIONS: readonly (readonly [prefix: RegExp, partition: string])[] = [
  [/^cn-/, 'aws-cn'],
  [/^us-gov-/, 'aws-us-gov'],
  [/^us-iso-/, 'aws-iso'],
  [/^us-isob-/, 'aws-iso-b'],
  [/^eu-isoe-/, 'aws-iso-e'],
  [/^us-isof-/, 'aws-iso-f'],
  [/^eusc-/, 'aws-eusc'],
  [/^(?:af|ap|ca|eu|il|me|mx|sa|us)-(?!gov-|iso[a-z]?-)/, 'aws']
]

/** Returns the fault of a well-formed stream ARN for a client of `region`. undefined: none, or a plain name. */
export function arnFault(streamName: string, region: string | undefined): string | undefined {
  const [scheme, partition, , arnRegion = ''] = streamName.split(':')
  if (scheme !== 'arn') return undefined
  const known = PARTITIONS.find(([prefix]) => prefix.test(arnRegion))
  if (known !== undefined && known[1] !== partition) {
    return `is an ARN of the partition ${partition}, and its region ${arnRegion} is in ${known[1]}`
  }
  const isElsewhere = region !== undefined && arnRegion !== region
  return isElsewhere ? `is an ARN of the region ${arnRegion}, and the producer's region is ${region}` : undefined
}

/** Returns the kind of a value for error messages: the name of its class, else its `typeof`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  try {
    if (Array.isArray(value)) return 'array'
    // In JSON, `constructor` may be any value.
    const name: unknown = value.constructor?.name
    return typeof name === 'string' && name.length > 0 ? name.slice(0, MAX_KIND_CHARACTERS) : 'object'
  } catch {
    // Not swallowed: the message names a revoked proxy, or an object with a getter that throws.
    return 'object that cannot be read'
  }
}

const MAX_NAME_CHARACTERS = 64

/** Returns the name of a field or an option for a message. The name may be any text. */
export function shownName(name: string): string {
  return name.slice(0, MAX_NAME_CHARACTERS).replace(/[^\x20-\x7e]/g, '?')
}

/** Returns whether a value is a plain object: `{}`, also of another realm or without a prototype. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // In every realm, the prototype of plain objects is the one without a prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

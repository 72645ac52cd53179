/**
 * The nouns that go in: what a user puts, and the names of streams.
 * Invariant: plain readonly data; nothing here has behaviour beyond recognising a name.
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

/** What is written straight before a user record's data, so that its readers find the schema. */
export interface RecordFrame {
  /** At most 64 bytes. Read, and copied, when the schema is first used. */
  readonly prefix: Uint8Array
  /**
   * Returns all of the framed bytes when they are others than `prefix` and `data`, for instance compressed ones; undefined: they
   * are those. Called once a put, with data of the caller's, which must not be changed.
   */
  encode?(data: Uint8Array): Uint8Array | undefined
}

/** How the service is told which stream is meant: exactly one of the two is set. */
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
 * Returns what is wrong with a stream name or ARN as a sentence's end, or undefined when it is well formed. An ARN must be
 * of `region`, when that is given.
 * Source: Kinesis API reference, StreamName and StreamARN patterns, read 2026-11.
 */
export function streamNameFault(value: unknown, region?: string): string | undefined {
  if (typeof value !== 'string') return `must be a stream name or a stream ARN, got ${kindOf(value)}`
  if (value.length === 0) return 'must not be empty'
  const isWellFormed = value.length <= MAX_STREAM_TEXT && (STREAM_NAME.test(value) || STREAM_ARN.test(value))
  if (isWellFormed) return arnFault(value, region)
  return `must be 1 to 128 of the characters a-z A-Z 0-9 _ . - or a stream ARN, got ${value.length} characters that are not`
}

/** Partitions that a region's name tells. Source: partitions.json of the AWS SDK, read 2026-11. */
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

/** Returns what is wrong with a well-formed stream ARN for a client of `region`; undefined also for a mere name. */
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

/** Returns the kind of a value as error messages name it: its class's name, else its `typeof`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  try {
    if (Array.isArray(value)) return 'array'
    // Of JSON, `constructor` may be anything.
    const name: unknown = value.constructor?.name
    return typeof name === 'string' && name.length > 0 ? name.slice(0, MAX_KIND_CHARACTERS) : 'object'
  } catch {
    // Not swallowed: a revoked proxy, or a getter that throws, is told as what it is.
    return 'object that cannot be read'
  }
}

const MAX_NAME_CHARACTERS = 64

/** Returns the name of a field or an option, which may be anything, as a message shows it. */
export function shownName(name: string): string {
  return name.slice(0, MAX_NAME_CHARACTERS).replace(/[^\x20-\x7e]/g, '?')
}

/** Returns whether a value is an object of fields and nothing else: `{}`, also of another realm or without a prototype. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // The prototype of every realm's plain objects is the one that has none itself.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

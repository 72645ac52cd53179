/**
 * Every error this library makes: one table of codes, one branded base class, a subclass only where the data differs.
 * Invariant: `ERRORS` is the single list; the documentation and the tests walk it. No message ever holds a payload.
 */
import type { Attempt, Persisted } from './attempts.ts'

interface ErrorEntry {
  readonly class: string
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean
  readonly doc: string
}

/** Every code, the class that carries it, whether trying again can help, and what it means. */
export const ERRORS = {
  KPL_ERR_INVALID_OPTIONS: {
    class: 'OptionsError',
    retryable: false,
    doc: 'At least one option is unknown, of the wrong kind or out of bounds. `faults` has a sentence for each.'
  },
  KPL_ERR_INVALID_RECORD: {
    class: 'InvalidRecordError',
    retryable: false,
    doc: 'Kinesis does not accept a field of the user record. `field` names the field. Nothing was taken.'
  },
  KPL_ERR_RECORD_TOO_LARGE: {
    class: 'InvalidRecordError',
    retryable: false,
    doc: 'Data and partition key together are larger than `maxUserRecordBytes`. Nothing was taken.'
  },
  KPL_ERR_BUFFER_FULL: {
    class: 'ProducerError',
    retryable: true,
    doc: 'The buffer has reached `bufferMaxBytes` or `bufferMaxRecords`. Wait for `ready()`. Nothing was taken.'
  },
  KPL_ERR_CLOSED: {
    class: 'ProducerError',
    retryable: false,
    doc: 'The producer is closing or closed, or the writable that held the record is. Nothing was taken.'
  },
  KPL_ERR_ABORTED: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'The AbortSignal of the record fired before the acknowledgement came.'
  },
  KPL_ERR_EXPIRED: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'The record was not acknowledged within `recordTtlMs`. `attempts` says why.'
  },
  KPL_ERR_THROTTLED: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'The shard was over its throughput limit, and `failIfThrottled` is set.'
  },
  KPL_ERR_REJECTED: {
    class: 'RecordFailedError',
    retryable: false,
    doc: 'Kinesis refused the record or the stream for good. `serviceCode` is the error code of Kinesis.'
  },
  KPL_ERR_CANNOT_SEND: {
    class: 'RecordFailedError',
    retryable: false,
    doc: 'No request can leave this process. The reason is the client, its credentials, its region or its endpoint; `cause` says which.'
  },
  KPL_ERR_CLOSE_TIMEOUT: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'The deadline of `close({ timeoutMs })` came before the acknowledgement.'
  },
  KPL_ERR_TRANSPORT: {
    class: 'TransportError',
    retryable: true,
    doc: 'A request failed as a whole. A Transport throws this error; users see it in `attempts` only.'
  },
  KPL_ERR_BAD_SHARD_MAP: {
    class: 'ProducerError',
    retryable: true,
    doc: 'The answer to ListShards has a gap, an overlap or a malformed range. The last good shard map stays in use.'
  },
  KPL_ERR_PROTOCOL: {
    class: 'TransportError',
    retryable: true,
    doc: 'An answer does not have the shape of the Kinesis API. The records may be stored.'
  },
  KPL_ERR_INTERNAL: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'A part of the producer threw an error: `cause`. The records of that stream fail, and the producer goes on.'
  },
  KPL_ERR_READ_FAILED: {
    class: 'StreamReadError',
    retryable: true,
    doc: 'A call of `readStream` failed eleven times in a row. `cause` is the last failure. `position()` says where to go on.'
  },
  KPL_ERR_STALE_POSITION: {
    class: 'StreamReadError',
    retryable: false,
    doc: 'The position given to `readStream` cannot belong to this shard. The stream was probably deleted and created again.'
  },
  KPL_ERR_SCHEMA_NOT_FOUND: {
    class: 'SchemaError',
    retryable: false,
    doc: 'The registry, the schema or this version of it does not exist, and registering it was not allowed.'
  },
  KPL_ERR_SCHEMA_INCOMPATIBLE: {
    class: 'SchemaError',
    retryable: false,
    doc: 'Glue refused the definition. It is malformed, or breaks the compatibility rule of its schema.'
  },
  KPL_ERR_SCHEMA_PENDING: {
    class: 'SchemaError',
    retryable: true,
    doc: 'A version was registered, but Glue did not say in time whether it is available.'
  },
  KPL_ERR_SCHEMA_ACCESS: {
    class: 'SchemaError',
    retryable: false,
    doc: 'Glue refused the credentials, or they lack a permission; `action` names it.'
  },
  KPL_ERR_SCHEMA_UNAVAILABLE: {
    class: 'SchemaError',
    retryable: true,
    doc: 'Every call to Glue failed: it was out of reach, failed or throttled.'
  },
  KPL_ERR_SCHEMA_DATA: {
    class: 'SchemaError',
    retryable: false,
    doc: 'The data of a record do not fit its frame or its schema, or are too large after inflating.'
  },
  KPL_ERR_MALFORMED_ENVELOPE: {
    class: 'MalformedEnvelopeError',
    retryable: false,
    doc: 'Bytes have the KPL magic and a valid digest, but hold no valid aggregate.'
  },
  KPL_ERR_INVALID_INPUT: {
    class: 'ConsumerError',
    retryable: false,
    doc: 'A consumer got a record, event, context or argument of the wrong kind. The message names it.'
  },
  KPL_ERR_TIME_UP: {
    class: 'ConsumerError',
    retryable: true,
    doc: 'The time of the Lambda invocation ended before the user record was done. Lambda delivers the record again.'
  }
} as const satisfies Record<string, ErrorEntry>

/** A code of the table above: what programs should branch on. */
export type ErrorCode = keyof typeof ERRORS
export type SchemaErrorCode = Extract<ErrorCode, `KPL_ERR_SCHEMA_${string}`>

const BRAND = Symbol.for('kinesis-producer.error')

/** The base of every error of this library. `instanceof` also holds across two copies of the package. */
export class ProducerError extends Error {
  override readonly name: string = 'ProducerError'
  readonly code: ErrorCode
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.retryable = ERRORS[code].retryable
    Object.defineProperty(this, BRAND, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false
    // A subclass keeps the ordinary rule: only the base is recognised by its brand.
    return Object.hasOwn(this, 'prototype') && this === ProducerError
      ? BRAND in value
      : Function.prototype[Symbol.hasInstance].call(this, value)
  }
}

/** All that is wrong with the options, at once. */
export class OptionsError extends ProducerError {
  override readonly name = 'OptionsError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[], options?: ErrorOptions) {
    super('KPL_ERR_INVALID_OPTIONS', `Invalid options: ${faults.join('; ')}`, options)
    this.faults = faults
  }
}

/** A user record that was refused at `put`. `field` is the name of the user record's field, or `'record'` for what has none. */
export class InvalidRecordError extends ProducerError {
  override readonly name = 'InvalidRecordError'
  readonly field: string

  constructor(
    code: 'KPL_ERR_INVALID_RECORD' | 'KPL_ERR_RECORD_TOO_LARGE',
    field: string,
    fault: string,
    options?: ErrorOptions
  ) {
    super(code, `${field} ${fault}`, options)
    this.field = field
  }
}

export interface RecordFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly persisted: Persisted
  readonly attempts: readonly Attempt[]
  readonly serviceCode?: string | undefined
  readonly cause?: unknown
}

/** An accepted record that was not acknowledged. */
export class RecordFailedError extends ProducerError {
  override readonly name = 'RecordFailedError'
  /** `'no'`: the record is in no shard. `'maybe'`: an answer was lost, it may or may not be stored. */
  readonly persisted: Persisted
  /** Every attempt in order, at most the newest 16; empty when it never left the producer. */
  readonly attempts: readonly Attempt[]
  /** The service's own error code, when the service gave one: `ResourceNotFoundException`, `AccessDeniedException`, ... */
  readonly serviceCode: string | undefined

  constructor(failure: RecordFailure) {
    super(failure.code, failure.message, causeOf(failure))
    this.persisted = failure.persisted
    this.attempts = failure.attempts
    this.serviceCode = failure.serviceCode
  }
}

/** `readStream` cannot go on. */
export class StreamReadError extends ProducerError {
  override readonly name = 'StreamReadError'
  readonly streamName: string
  /** undefined when it is about the whole stream. */
  readonly shardId: string | undefined

  constructor(
    code: 'KPL_ERR_READ_FAILED' | 'KPL_ERR_STALE_POSITION',
    message: string,
    facts: { readonly streamName: string; readonly shardId?: string | undefined; readonly cause?: unknown }
  ) {
    super(code, message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.streamName = facts.streamName
    this.shardId = facts.shardId
  }
}

/** What a schema error is about; undefined: it is not known. */
export interface SchemaFacts {
  readonly registryName?: string | undefined
  readonly schemaName?: string | undefined
  readonly versionId?: string | undefined
  readonly region?: string | undefined
  /** The IAM action that the call needs: `glue:GetSchemaVersion`. */
  readonly action?: string | undefined
  /** Glue's own code, or the SDK's, without prefix: `EntityNotFoundException`. */
  readonly serviceCode?: string | undefined
  readonly cause?: unknown
}

/** A schema of the Glue Schema Registry that cannot be had, or data that are not of it. Never holds a definition. */
export class SchemaError extends ProducerError {
  override readonly name = 'SchemaError'
  readonly registryName: string | undefined
  readonly schemaName: string | undefined
  readonly versionId: string | undefined
  readonly region: string | undefined
  readonly action: string | undefined
  readonly serviceCode: string | undefined

  constructor(code: SchemaErrorCode, message: string, facts: SchemaFacts = {}) {
    super(code, message, causeOf(facts))
    this.registryName = facts.registryName
    this.schemaName = facts.schemaName
    this.versionId = facts.versionId
    this.region = facts.region
    this.action = facts.action
    this.serviceCode = facts.serviceCode
  }
}

export interface TransportFailure {
  /** The service's error code without prefix or namespace, or Node.js's (`ECONNRESET`), or `TimeoutError`. */
  readonly errorCode: string
  readonly message: string
  /** HTTP status, when there was an answer. */
  readonly statusCode?: number | undefined
  /** `'no'` when it is certain that the service stored nothing; `'maybe'` when bytes were sent and no clear answer came. */
  readonly persisted: Persisted
  readonly cause?: unknown
}

/** How a `Transport` says that a request failed as a whole. */
export class TransportError extends ProducerError {
  override readonly name = 'TransportError'
  readonly errorCode: string
  readonly statusCode: number | undefined
  readonly persisted: Persisted

  constructor(failure: TransportFailure, code: 'KPL_ERR_TRANSPORT' | 'KPL_ERR_PROTOCOL' = 'KPL_ERR_TRANSPORT') {
    super(code, failure.message, causeOf(failure))
    this.errorCode = failure.errorCode
    this.statusCode = failure.statusCode
    this.persisted = failure.persisted
  }
}

/** An error without a cause has no such property at all. */
function causeOf({ cause }: { readonly cause?: unknown }): ErrorOptions | undefined {
  return cause === undefined ? undefined : { cause }
}

const MAX_SERVICE_TEXT = 1024

/** Returns service-made text fit for a message or a log: control characters replaced, at most 1,024 characters. */
export function safeText(text: string): string {
  const cut = text.length > MAX_SERVICE_TEXT ? `${text.slice(0, MAX_SERVICE_TEXT)}...` : text
  return cut.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}

/** Returns an error's name and message, fit for a log. */
export function errorText(error: unknown): string {
  try {
    return safeText(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  } catch {
    // What was thrown throws when it is asked for its text, so there is none to tell.
    return 'an error without a text'
  }
}

/** Returns `code: text`, with the code once also when the text begins with it, or with a name that ends in it. */
export function codedText(code: string, text: string): string {
  let rest = text
  while (code !== '') {
    const [begin = '', name] = /^(?:[\w.]{1,128}#)?([\w.]{1,128})(?::|$)/.exec(rest) ?? []
    if (name !== code) break
    rest = rest.slice(begin.length).replace(/^[:\s]+/, '')
  }
  return rest === '' ? code : `${code}: ${rest}`
}

/** Marks a place the types say cannot be reached: the `default` of a `switch` over a union. */
export function assertNever(value: never): never {
  throw new TypeError(`unreachable case: ${String(value)}`)
}

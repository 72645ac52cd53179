/**
 * Every error this library makes: one branded base class, a subclass only where the data differs.
 * Invariant: a class carries the codes that the table (error-table.ts) gives it: `npm run docs` writes them here. No message ever
 * holds a payload.
 */
import type { Attempt, Persisted } from './attempts.ts'
import { ERRORS, type ErrorCode } from './error-table.ts'

export { ERRORS, type ErrorCode } from './error-table.ts'

/** The codes of `SchemaError`. */
export type SchemaErrorCode = SchemaError['code']

const BRAND = Symbol.for('kinesis-producer.error')

/**
 * The base of the errors of a producer, a reader and a schema registry. `instanceof` also holds across two copies of the package.
 *
 * `put` rejects with a plain `ProducerError` for `KPL_ERR_BUFFER_FULL` and `KPL_ERR_CLOSED`. Other codes have a subclass.
 *
 * @example
 * try {
 *   await producer.put({ partitionKey: '', data: 'x' })
 * } catch (error) {
 *   if (!(error instanceof ProducerError)) throw error
 *   error.code // => 'KPL_ERR_INVALID_RECORD'
 *   error.retryable // => false
 * }
 */
export class ProducerError extends Error {
  /** The name of the class. */
  override readonly name: string = 'ProducerError'
  /** The reason, for programs: branch on it. `docs/errors.md` has a section for each code. */
  readonly code: ErrorCode
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean

  /** `options.cause` is the error behind this one. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.retryable = ERRORS[code].retryable
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** Recognises an error of another copy of this package, too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false
    try {
      // A subclass keeps the ordinary rule: only the base is recognised by its brand.
      return Object.hasOwn(this, 'prototype') && this === ProducerError
        ? BRAND in value
        : Function.prototype[Symbol.hasInstance].call(this, value)
    } catch {
      // Not swallowed: a proxy that throws when its kind is read is no error of ours.
      return false
    }
  }
}

/**
 * The options, or the arguments of a call, are wrong. The error has all faults at once.
 *
 * @example
 * try {
 *   new KinesisProducer({ streamName: 'orders', recordTtlMs: 5 })
 * } catch (error) {
 *   if (!(error instanceof OptionsError)) throw error
 *   error.faults // => ['recordTtlMs must be from 100 to Infinity ms, got 5']
 * }
 */
export class OptionsError extends ProducerError {
  /** The name of the class. */
  override readonly name = 'OptionsError'
  /**
   * One of:
   * - `KPL_ERR_INVALID_OPTIONS`: At least one option is unknown, of the wrong kind or out of bounds. `faults` has a
   *   sentence for each.
   */
  declare readonly code: 'KPL_ERR_INVALID_OPTIONS'
  /** One sentence for each fault. */
  readonly faults: readonly string[]

  /** The message lists the faults. */
  constructor(faults: readonly string[], options?: ErrorOptions) {
    super('KPL_ERR_INVALID_OPTIONS', `Invalid options: ${faults.join('; ')}`, options)
    this.faults = faults
  }
}

/**
 * A user record, or an argument in its place, that no call takes. The producer took nothing.
 *
 * @example
 * const error = await producer.put({ partitionKey: '', data: 'x' }).catch((thrown: unknown) => thrown)
 * if (error instanceof InvalidRecordError) console.error(error.field, error.message)
 */
export class InvalidRecordError extends ProducerError {
  /** The name of the class. */
  override readonly name = 'InvalidRecordError'
  /**
   * One of:
   * - `KPL_ERR_INVALID_RECORD`: Kinesis does not accept a field of the user record. `field` names the field. Nothing
   *   was taken.
   * - `KPL_ERR_RECORD_TOO_LARGE`: Data and partition key together are larger than `maxUserRecordBytes`. Nothing was
   *   taken.
   */
  declare readonly code: 'KPL_ERR_INVALID_RECORD' | 'KPL_ERR_RECORD_TOO_LARGE'
  /** The field of the user record that is wrong; `'record'`, `'source'`, `'settle'` or `'signal'` without such a field. */
  readonly field: string

  /** The message is the field and its fault. */
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

/** The facts of a `RecordFailedError`, for tests that make one. */
export interface RecordFailure {
  /** The error's `code`. */
  readonly code: RecordFailedError['code']
  /** The error's `message`. */
  readonly message: string
  /** Whether the record may be stored. */
  readonly persisted: Persisted
  /** The requests that the record was part of, in order. */
  readonly attempts: readonly Attempt[]
  /** The service's own error code, when the service gave one. */
  readonly serviceCode?: string | undefined
  /** The error behind the failure, when there is one. */
  readonly cause?: unknown
}

/**
 * An accepted record that was not acknowledged.
 *
 * @example
 * await producer.put({ partitionKey: 'user-1', data: 'hello' }).catch(error => {
 *   if (!(error instanceof RecordFailedError)) throw error
 *   if (error.persisted === 'no') console.error(`put it again: ${error.code} ${error.serviceCode}`)
 * })
 */
export class RecordFailedError extends ProducerError {
  /** The name of the class. */
  override readonly name = 'RecordFailedError'
  /**
   * One of:
   * - `KPL_ERR_ABORTED`: The AbortSignal of the record fired before the acknowledgement came.
   * - `KPL_ERR_EXPIRED`: The record was not acknowledged within `recordTtlMs`. `attempts` says why.
   * - `KPL_ERR_THROTTLED`: The shard was over its throughput limit, and `failIfThrottled` is set.
   * - `KPL_ERR_REJECTED`: Kinesis refused the record or the stream for good. `serviceCode` is the error code of
   *   Kinesis.
   * - `KPL_ERR_CANNOT_SEND`: No request can leave this process. The reason is the client, its credentials, its
   *   region or its endpoint; `cause` says which.
   * - `KPL_ERR_CLOSE_TIMEOUT`: The deadline of `close({ timeoutMs })` came before the acknowledgement.
   * - `KPL_ERR_INTERNAL`: A part of the producer threw an error: `cause`. The records of that stream fail, and the
   *   producer goes on.
   */
  declare readonly code:
    | 'KPL_ERR_ABORTED'
    | 'KPL_ERR_EXPIRED'
    | 'KPL_ERR_THROTTLED'
    | 'KPL_ERR_REJECTED'
    | 'KPL_ERR_CANNOT_SEND'
    | 'KPL_ERR_CLOSE_TIMEOUT'
    | 'KPL_ERR_INTERNAL'
  /** `'no'`: the record is in no shard. `'maybe'`: an answer was lost, it may or may not be stored. */
  readonly persisted: Persisted
  /** Every attempt in order, at most the newest 16; empty when it never left the producer. */
  readonly attempts: readonly Attempt[]
  /** The service's own error code, when the service gave one: `ResourceNotFoundException`, `AccessDeniedException`, ... */
  readonly serviceCode: string | undefined

  /** For tests; the producer makes its own. */
  constructor(failure: RecordFailure) {
    super(failure.code, failure.message, causeOf(failure))
    this.persisted = failure.persisted
    this.attempts = failure.attempts
    this.serviceCode = failure.serviceCode
  }
}

/**
 * `readStream` cannot go on.
 *
 * @example
 * const reader = readStream(client, 'orders', { follow: false })
 * try {
 *   for await (const record of reader) console.log(record.partitionKey)
 * } catch (error) {
 *   if (!(error instanceof StreamReadError)) throw error
 *   console.error(error.code, error.shardId, reader.position())
 * }
 */
export class StreamReadError extends ProducerError {
  /** The name of the class. */
  override readonly name = 'StreamReadError'
  /**
   * One of:
   * - `KPL_ERR_READ_FAILED`: A call of `readStream` failed eleven times in a row. `cause` is the last failure.
   *   `position()` says where to go on.
   * - `KPL_ERR_READER_USED`: The reader was iterated before. Make another one, from `position()` of this one.
   * - `KPL_ERR_STALE_POSITION`: The position given to `readStream` cannot belong to this shard. The stream was
   *   probably deleted and created again.
   */
  declare readonly code: 'KPL_ERR_READ_FAILED' | 'KPL_ERR_READER_USED' | 'KPL_ERR_STALE_POSITION'
  /** The stream, as it was given to `readStream`. */
  readonly streamName: string
  /** The shard; undefined when the error is about the whole stream. */
  readonly shardId: string | undefined

  /** For tests; the reader makes its own. */
  constructor(
    code: StreamReadError['code'],
    message: string,
    facts: {
      /** The stream, as it was given to `readStream`. */
      readonly streamName: string
      /** The shard; undefined: the whole stream. */
      readonly shardId?: string | undefined
      /** The last failure. */
      readonly cause?: unknown
    }
  ) {
    super(code, message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.streamName = facts.streamName
    this.shardId = facts.shardId
  }
}

/** The subject of a schema error; undefined: it is not known. */
export interface SchemaFacts {
  /** The registry that was asked. */
  readonly registryName?: string | undefined
  /** The schema. */
  readonly schemaName?: string | undefined
  /** The UUID of the schema version. */
  readonly versionId?: string | undefined
  /** The region of the Glue client. */
  readonly region?: string | undefined
  /** The IAM action that the call needs: `glue:GetSchemaVersion`. */
  readonly action?: string | undefined
  /** Glue's own code, or the SDK's, without prefix: `EntityNotFoundException`. */
  readonly serviceCode?: string | undefined
  /** The error of the client or the deserializer. */
  readonly cause?: unknown
}

/**
 * A schema of the Glue Schema Registry is not available, or data do not fit it. No field holds a definition.
 *
 * @example
 * const registry = glueRegistry({ client: glue })
 * const error = await registry.schema({ name: 'gone', dataFormat: 'JSON', definition: '{}' }).catch((thrown: unknown) => thrown)
 * if (error instanceof SchemaError) console.error(error.code, error.registryName, error.schemaName, error.action)
 */
export class SchemaError extends ProducerError {
  /** The name of the class. */
  override readonly name = 'SchemaError'
  /**
   * One of:
   * - `KPL_ERR_SCHEMA_NOT_FOUND`: The registry, the schema or this version of it does not exist, and registering it
   *   was not allowed.
   * - `KPL_ERR_SCHEMA_INCOMPATIBLE`: Glue refused the definition. It is malformed, or breaks the compatibility rule
   *   of its schema.
   * - `KPL_ERR_SCHEMA_PENDING`: A version was registered, but Glue did not say in time whether it is available.
   * - `KPL_ERR_SCHEMA_ACCESS`: Glue refused the credentials, or they lack a permission: `action` names it. Or there
   *   are no credentials, or no region.
   * - `KPL_ERR_SCHEMA_UNAVAILABLE`: Every call to Glue failed: it was out of reach, failed or throttled.
   * - `KPL_ERR_SCHEMA_DATA`: The data of a record do not fit its frame or its schema, or are too large after
   *   inflating.
   */
  declare readonly code:
    | 'KPL_ERR_SCHEMA_NOT_FOUND'
    | 'KPL_ERR_SCHEMA_INCOMPATIBLE'
    | 'KPL_ERR_SCHEMA_PENDING'
    | 'KPL_ERR_SCHEMA_ACCESS'
    | 'KPL_ERR_SCHEMA_UNAVAILABLE'
    | 'KPL_ERR_SCHEMA_DATA'
  /** The registry that was asked; undefined when it is not known. */
  readonly registryName: string | undefined
  /** The schema; undefined when it is not known. */
  readonly schemaName: string | undefined
  /** The UUID of the schema version; undefined when it is not known. */
  readonly versionId: string | undefined
  /** The region of the Glue client; undefined when it is not known. */
  readonly region: string | undefined
  /** The IAM action that the call needs, such as `glue:GetSchemaVersion`. */
  readonly action: string | undefined
  /** The code of Glue or of the SDK, without prefix: `EntityNotFoundException`. */
  readonly serviceCode: string | undefined

  /** For tests; the registry and the decoder make their own. */
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

/** The facts of a `TransportError`. */
export interface TransportFailure {
  /** The service's error code without prefix or namespace, or Node.js's (`ECONNRESET`), or `TimeoutError`. */
  readonly errorCode: string
  /** The error's `message`. */
  readonly message: string
  /** HTTP status, when there was an answer. */
  readonly statusCode?: number | undefined
  /** `'no'` when it is certain that the service stored nothing; `'maybe'` when bytes were sent and no clear answer came. */
  readonly persisted: Persisted
  /** The error behind the failure, when there is one. */
  readonly cause?: unknown
}

/**
 * A request failed as a whole. Only a `Transport` rejects with it; users of a producer see its `errorCode` in `attempts`.
 *
 * @example
 * const refused = new TransportError({ errorCode: 'ECONNREFUSED', message: 'connect ECONNREFUSED', persisted: 'no' })
 * refused.code // => 'KPL_ERR_TRANSPORT'
 */
export class TransportError extends ProducerError {
  /** The name of the class. */
  override readonly name = 'TransportError'
  /**
   * One of:
   * - `KPL_ERR_TRANSPORT`: A request failed as a whole. A Transport throws this error; users see it in `attempts`
   *   only.
   * - `KPL_ERR_PROTOCOL`: An answer does not have the shape of the Kinesis API. The records may be stored.
   */
  declare readonly code: 'KPL_ERR_TRANSPORT' | 'KPL_ERR_PROTOCOL'
  /** The service's error code without prefix or namespace, or Node.js's (`ECONNRESET`), or `TimeoutError`. */
  readonly errorCode: string
  /** HTTP status; undefined when there was no answer. */
  readonly statusCode: number | undefined
  /** `'no'` when it is certain that the service stored nothing; otherwise `'maybe'`. */
  readonly persisted: Persisted

  /** `code` is `KPL_ERR_PROTOCOL` for an answer that does not have the shape of the Kinesis API. */
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

/** Whether a thrown value is an Error; false for a proxy that throws when its kind is read. */
export function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error
  } catch {
    return false
  }
}

/** Returns an error's name and message, fit for a log. */
export function errorText(error: unknown): string {
  try {
    return safeText(isError(error) ? `${error.name}: ${error.message}` : String(error))
  } catch {
    // The thrown value throws when its text is read, so there is no text.
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

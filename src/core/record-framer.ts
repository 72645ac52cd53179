/**
 * The frame of a schema: a user record's schema and data enter, the framed bytes leave. It never knows Glue, keys or envelopes.
 * Example: the prefix 03 00 and a version id, data `{"a":1}` -> 25 bytes, the prefix first.
 * Invariant: the user's own functions run before anything is written, so a put inside of one spoils nothing; the bytes stay as
 * they are until the next call.
 */
import { InvalidRecordError } from '../model/errors.ts'
import { kindOf, type RecordFrame } from '../model/records.ts'
import { allocate, isBytes, lengthOfBytes, writeBytes, writeText } from '../wire/bytes.ts'

/** Framed bytes up to here are written into memory that is used again. */
const SCRATCH_BYTES = 65_536
/** Up to here every length has a view that is used again: to make one takes a tenth of a put of 100 bytes. */
const MAX_KEPT_VIEW_BYTES = 2048

export class RecordFramer {
  readonly #maxBytes: number
  #scratch: Buffer | undefined
  /** The first bytes of the scratch, by their number. */
  readonly #views: (Uint8Array | undefined)[] = []

  /** `maxBytes`: what cannot be sent is not copied. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Returns `data` in the frame of `schema`. `data` must be a string or bytes of `dataBytes`. Throws InvalidRecordError. */
  frame(schema: RecordFrame, data: Uint8Array | string, dataBytes: number): Uint8Array {
    const prefix = prefixOf(schema)
    const encoded = encodedBy(schema, data)
    if (encoded !== undefined) return encoded
    const prefixBytes = lengthOfBytes(prefix)
    if (prefixBytes < 0) throw invalidSchema('must have the memory of its prefix')
    const framedBytes = prefixBytes + dataBytes
    if (framedBytes > this.#maxBytes) throw tooLarge(framedBytes, this.#maxBytes)
    const target = this.#targetOf(framedBytes)
    // A loop: the way into native code takes longer than so few bytes.
    for (let i = 0; i < prefixBytes; i++) target[i] = prefix[i]!
    if (typeof data === 'string') writeText(target, prefixBytes, data, dataBytes)
    else writeBytes(target, prefixBytes, data, dataBytes)
    return target === this.#scratch ? this.#viewOf(target, framedBytes) : target
  }

  #targetOf(framedBytes: number): Buffer {
    if (framedBytes > SCRATCH_BYTES) return allocate(framedBytes)
    this.#scratch ??= allocate(SCRATCH_BYTES)
    return this.#scratch
  }

  #viewOf(scratch: Buffer, framedBytes: number): Uint8Array {
    const known = this.#views[framedBytes]
    if (known !== undefined) return known
    const view = new Uint8Array(scratch.buffer, scratch.byteOffset, framedBytes)
    if (framedBytes <= MAX_KEPT_VIEW_BYTES) this.#views[framedBytes] = view
    return view
  }
}

function prefixOf(schema: RecordFrame): Uint8Array {
  let prefix: unknown
  try {
    prefix = Object(schema).prefix
  } catch (cause) {
    throw invalidSchema('must have a prefix that can be read, and reading it threw', cause)
  }
  if (isBytes(prefix)) return prefix
  throw invalidSchema(
    `must be a schema with a prefix, such as glueRegistry resolves, got ${kindOf(schema)}${hint(schema)}`
  )
}

function hint(schema: unknown): string {
  return typeof Object(schema).then === 'function' ? ': await it first' : ''
}

/** The frame as the schema makes it by itself; undefined: prefix and data. */
function encodedBy(schema: RecordFrame, data: Uint8Array | string): Uint8Array | undefined {
  let encoded: unknown
  try {
    encoded = schema.encode?.(typeof data === 'string' ? Buffer.from(data) : data)
  } catch (cause) {
    throw invalidSchema('must encode the data, and its encode threw', cause)
  }
  if (encoded === undefined) return undefined
  if (isBytes(encoded) && lengthOfBytes(encoded) >= 0) return encoded
  throw invalidSchema(`must encode to a Uint8Array or to undefined, got ${kindOf(encoded)}`)
}

function invalidSchema(fault: string, cause?: unknown): InvalidRecordError {
  return new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'schema', fault, cause === undefined ? undefined : { cause })
}

function tooLarge(framedBytes: number, maxBytes: number): InvalidRecordError {
  const fault = `must be at most ${maxBytes} bytes (maxUserRecordBytes; data with the frame of its schema), got ${framedBytes}`
  return new InvalidRecordError('KPL_ERR_RECORD_TOO_LARGE', 'data', fault)
}

/**
 * The frames of schemas: a user record's schema enters, what goes before its data leaves.
 * Example: a schema with the prefix 03 00 and a version id of 16 bytes -> a copy of these 18 bytes, the same at every put.
 * Invariant: a schema is read when it is first used and not again, so that a put with the schema of the put before costs one
 * comparison. It never knows Glue, keys or envelopes.
 */
import { InvalidRecordError } from '../model/errors.ts'
import { kindOf, type RecordFrame } from '../model/records.ts'
import { isBytes, lengthOfBytes } from '../wire/bytes.ts'

/** Glue's has 18. */
const MAX_PREFIX_BYTES = 64

/** The facts of a schema, as they were read. */
export interface KnownFrame {
  readonly prefix: Uint8Array
  readonly encodes: boolean
}

export class RecordFramer {
  readonly #known = new WeakMap<object, KnownFrame>()
  #lastSchema: RecordFrame | undefined
  #last: KnownFrame | undefined

  /** Returns the facts of the schema. Throws InvalidRecordError for another value. */
  frameOf(schema: RecordFrame): KnownFrame {
    if (schema === this.#lastSchema && this.#last !== undefined) return this.#last
    const frame = (isObject(schema) ? this.#known.get(schema) : undefined) ?? this.#read(schema)
    this.#lastSchema = schema
    this.#last = frame
    return frame
  }

  #read(schema: RecordFrame): KnownFrame {
    let prefix: unknown
    let encode: unknown
    let isPromise: boolean
    try {
      prefix = Object(schema).prefix
      encode = Object(schema).encode
      isPromise = typeof Object(schema).then === 'function'
    } catch (cause) {
      throw invalidSchema('must have fields that can be read, and reading one threw', cause)
    }
    if (!isBytes(prefix)) {
      const hint = isPromise ? ': await it first' : ''
      throw invalidSchema(`must be a schema with a prefix, such as glueRegistry resolves, got ${kindOf(schema)}${hint}`)
    }
    const bytes = lengthOfBytes(prefix)
    if (bytes < 0 || bytes > MAX_PREFIX_BYTES) {
      throw invalidSchema(`must have a prefix of at most ${MAX_PREFIX_BYTES} bytes, and its memory`)
    }
    const frame = { prefix: Uint8Array.from({ length: bytes }, (_, i) => prefix[i]!), encodes: encode !== undefined }
    this.#known.set(schema, frame)
    return frame
  }
}

/** Returns the frame as the schema makes it by itself; undefined: it is prefix and data. Throws InvalidRecordError. */
export function encodedBy(schema: RecordFrame, data: Uint8Array | string): Uint8Array | undefined {
  let encoded: unknown
  try {
    encoded = schema.encode?.(typeof data === 'string' ? Buffer.from(data) : data)
  } catch (cause) {
    throw invalidSchema('must encode the data, and its encode threw', cause)
  }
  if (encoded === undefined || isBytes(encoded)) return encoded
  disown(encoded)
  throw invalidSchema(`must encode to a Uint8Array or to undefined, got ${kindOf(encoded)}`)
}

/** An async encode is refused at once, so a later rejection of it must not end the process. */
function disown(encoded: unknown): void {
  try {
    Object(encoded).then?.(undefined, () => {})
  } catch {
    // Not swallowed: the value is refused for its kind, whatever its `then` does.
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function invalidSchema(fault: string, cause?: unknown): InvalidRecordError {
  return new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'schema', fault, cause === undefined ? undefined : { cause })
}

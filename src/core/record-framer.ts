/**
 * The frame of a schema: a user record's schema enters, the bytes that go before its data leave, or all of its bytes where the
 * schema makes them itself. It never knows Glue, keys or envelopes.
 * Example: the prefix 03 00 and a version id of 16 bytes -> a copy of these 18 bytes.
 * Invariant: only here do functions of a schema run. A prefix is copied, and the copy stays as it is until the next one.
 */
import { InvalidRecordError } from '../model/errors.ts'
import { kindOf, type RecordFrame } from '../model/records.ts'
import { isBytes, lengthOfBytes } from '../wire/bytes.ts'

/** Glue's has 18. */
const MAX_PREFIX_BYTES = 64

export class RecordFramer {
  /** Copies of prefixes, by their length: a put allocates none. */
  readonly #copies: (Uint8Array | undefined)[] = []

  /** Returns a copy of the schema's prefix, in memory that is used again. Throws InvalidRecordError. */
  prefixOf(schema: RecordFrame): Uint8Array {
    const prefix = givenPrefix(schema)
    const bytes = lengthOfBytes(prefix)
    if (bytes < 0) throw invalidSchema('must have the memory of its prefix')
    if (bytes > MAX_PREFIX_BYTES) {
      throw invalidSchema(`must have a prefix of at most ${MAX_PREFIX_BYTES} bytes, got ${bytes}`)
    }
    this.#copies[bytes] ??= new Uint8Array(bytes)
    const copy = this.#copies[bytes]
    // A loop: the way into native code takes longer than so few bytes.
    for (let i = 0; i < bytes; i++) copy[i] = prefix[i]!
    return copy
  }

  /** Returns the frame as the schema makes it by itself; undefined: it is prefix and data. Throws InvalidRecordError. */
  encoded(schema: RecordFrame, data: Uint8Array | string): Uint8Array | undefined {
    let encoded: unknown
    try {
      encoded = Object(schema).encode?.(typeof data === 'string' ? Buffer.from(data) : data)
    } catch (cause) {
      throw invalidSchema('must encode the data, and its encode threw', cause)
    }
    if (encoded === undefined || isBytes(encoded)) return encoded
    throw invalidSchema(`must encode to a Uint8Array or to undefined, got ${kindOf(encoded)}`)
  }
}

function givenPrefix(schema: RecordFrame): Uint8Array {
  let prefix: unknown
  try {
    prefix = Object(schema).prefix
  } catch (cause) {
    throw invalidSchema('must have a prefix that can be read, and reading it threw', cause)
  }
  if (isBytes(prefix)) return prefix
  const hint = typeof Object(schema).then === 'function' ? ': await it first' : ''
  throw invalidSchema(`must be a schema with a prefix, such as glueRegistry resolves, got ${kindOf(schema)}${hint}`)
}

function invalidSchema(fault: string, cause?: unknown): InvalidRecordError {
  return new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'schema', fault, cause === undefined ? undefined : { cause })
}

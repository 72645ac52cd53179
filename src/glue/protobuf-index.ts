/**
 * The message index of a Protobuf payload: which type of its file a message is.
 * Example: a file with B, B.A, B.A.D and B.C; B.A.D is type 2, so its payload is 02 and the message's bytes.
 * Invariant: an index is the place of the type among all types of the file, nested ones too, sorted by their full names; it is
 * written as an unsigned varint without zig-zag.
 * Source: aws-glue-schema-registry 2.0.0, MessageIndexFinder and ProtobufWireFormatEncoder, read 2026-11.
 */
import { invalidInput } from '../consumer/deaggregate/consumer-error.ts'
import { OptionsError, SchemaError } from '../model/errors.ts'
import { kindOf } from '../model/records.ts'
import { isBytes } from '../wire/bytes.ts'

const MAX_INDEX_BYTES = 5
const MORE = 0x80
const SEVEN_BITS = 0x7f

/** A Protobuf payload without its message index. */
export interface ProtobufPayload {
  /** The full name of the message's type, as the file's types have it. */
  readonly typeName: string
  /** The message's own bytes; a view of the payload. */
  readonly message: Uint8Array
}

/**
 * Returns the bytes that go before a message of the type `fullName`. `fileTypes`: the full names of all message types of the
 * file, nested ones included, in any order. Throws OptionsError for a name that is not among them. O(n log n).
 *
 * @example
 * protobufIndex(['Order', 'Order.Item'], 'Order.Item') // => Uint8Array.of(1)
 */
export function protobufIndex(fileTypes: Iterable<string>, fullName: string): Uint8Array {
  const index = sorted(fileTypes).indexOf(fullName)
  if (index < 0) throw new OptionsError(['fullName must be one of fileTypes'])
  const bytes: number[] = []
  let rest = index
  for (; rest > SEVEN_BITS; rest >>>= 7) bytes.push((rest & SEVEN_BITS) | MORE)
  return Uint8Array.of(...bytes, rest)
}

/**
 * Returns the type and the bytes of the message in a payload. Throws SchemaError (KPL_ERR_SCHEMA_DATA) when there is
 * none, and KPL_ERR_INVALID_INPUT for a value that is not bytes.
 *
 * @example
 * const { typeName, message } = readProtobufIndex(['Order', 'Order.Item'], Uint8Array.of(1, 8, 5))
 * typeName // => 'Order.Item'
 * message // => Uint8Array.of(8, 5)
 */
export function readProtobufIndex(fileTypes: Iterable<string>, payload: Uint8Array): ProtobufPayload {
  if (!isBytes(payload)) throw invalidInput('payload', 'a Uint8Array', payload)
  let index = 0
  for (let i = 0; i < Math.min(payload.length, MAX_INDEX_BYTES); i++) {
    const byte = payload[i]!
    index += (byte & SEVEN_BITS) * 2 ** (7 * i)
    if (byte < MORE) return { typeName: nameAt(fileTypes, index), message: payload.subarray(i + 1) }
  }
  throw new SchemaError('KPL_ERR_SCHEMA_DATA', 'the payload does not begin with the message index of a Protobuf type')
}

function nameAt(fileTypes: Iterable<string>, index: number): string {
  const names = sorted(fileTypes)
  const name = names[index]
  if (name !== undefined) return name
  throw new SchemaError('KPL_ERR_SCHEMA_DATA', `the payload is of message type ${index} of a file of ${names.length}`)
}

/** By UTF-16 units, as Java compares strings. */
function sorted(fileTypes: Iterable<string>): string[] {
  if (typeof fileTypes === 'string' || typeof Object(fileTypes)[Symbol.iterator] !== 'function') {
    throw new OptionsError([`fileTypes must be a list of full names, got ${kindOf(fileTypes)}`])
  }
  return [...new Set(fileTypes)].sort()
}

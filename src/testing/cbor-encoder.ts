/**
 * Encodes answers in CBOR (RFC 8949, definite lengths).
 * Invariant: every value the model answers with has exactly one encoding; members that are undefined are left out.
 */
import { TIME_TAG } from './cbor-decoder.ts'

/** Members that are times: seconds in the model, tagged milliseconds in AWS's CBOR. */
const TIME_MEMBERS: ReadonlySet<string> = new Set(['StreamCreationTimestamp', 'ApproximateArrivalTimestamp'])
const MS_PER_SECOND = 1000

const UNSIGNED = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const TAG = 6
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
const DOUBLE = 0xfb

/** Returns the encoded value. Bytes are copied. O(bytes). */
export function encodeCborItem(value: unknown): Buffer {
  const parts: Uint8Array[] = []
  append(parts, value)
  return Buffer.concat(parts)
}

function append(parts: Uint8Array[], value: unknown): void {
  if (typeof value === 'string') {
    const text = Buffer.from(value, 'utf8')
    parts.push(head(TEXT, text.length), text)
  } else if (typeof value === 'number') parts.push(number(value))
  else if (typeof value === 'boolean') parts.push(Uint8Array.of(value ? TRUE : FALSE))
  else if (value instanceof Uint8Array) parts.push(head(BYTES, value.length), value)
  else if (Array.isArray(value)) {
    parts.push(head(ARRAY, value.length))
    for (const item of value) append(parts, item)
  } else if (typeof value === 'object' && value !== null) appendMembers(parts, value)
  else parts.push(Uint8Array.of(NULL))
}

function appendMembers(parts: Uint8Array[], value: object): void {
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  parts.push(head(MAP, members.length))
  for (const [name, member] of members) {
    append(parts, name)
    if (TIME_MEMBERS.has(name) && typeof member === 'number') {
      parts.push(head(TAG, TIME_TAG))
      append(parts, Math.round(member * MS_PER_SECOND))
    } else append(parts, member)
  }
}

function number(value: number): Buffer {
  if (Number.isSafeInteger(value)) return value >= 0 ? head(UNSIGNED, value) : head(NEGATIVE, -1 - value)
  const bytes = Buffer.alloc(9)
  bytes.writeDoubleBE(value, bytes.writeUInt8(DOUBLE, 0))
  return bytes
}

function head(kind: number, count: number): Buffer {
  const high = kind << 5
  if (count < 24) return Buffer.of(high | count)
  const byteCount = count < 0x100 ? 1 : count < 0x1_0000 ? 2 : count < 0x1_0000_0000 ? 4 : 8
  const bytes = Buffer.alloc(1 + byteCount)
  bytes.writeUInt8(high | (24 + Math.log2(byteCount)), 0)
  if (byteCount === 8) bytes.writeBigUInt64BE(BigInt(count), 1)
  else bytes.writeUIntBE(count, 1, byteCount)
  return bytes
}

/**
 * A CBOR encoder for tests: every way to write one value, chosen by a list of numbers.
 * Invariant: whatever the choices, what is written means the given value.
 */
type Choose = (count: number) => number

export interface EncodeChoices {
  /** Returns a number from 0 to below `count`. */
  readonly choose: Choose
}

/** Plain values, and byte strings. */
export type CborValue = string | number | boolean | null | Uint8Array | readonly CborValue[] | CborMap
export interface CborMap {
  readonly [name: string]: CborValue
}

/** Returns `value` encoded in one of its many ways: longer heads, indefinite lengths, tags. */
export function encodeSomehow(value: CborValue, choose: Choose): Buffer {
  const tag = choose(8) === 0 ? head(6, choose(100), choose) : Buffer.alloc(0)
  return value === null ? simple(choose(2) === 0 ? 22 : 23) : Buffer.concat([tag, untagged(value, choose)])
}

function untagged(value: Exclude<CborValue, null>, choose: Choose): Buffer {
  if (typeof value === 'string') return string(3, Buffer.from(value), choose)
  if (value instanceof Uint8Array) return string(2, Buffer.from(value), choose)
  if (typeof value === 'boolean') return simple(value ? 21 : 20)
  if (typeof value === 'number') return number(value, choose)
  const isList = isArray(value)
  const parts = isList
    ? value.map(item => encodeSomehow(item, choose))
    : Object.entries(value).flatMap(([name, member]) => [encodeSomehow(name, choose), encodeSomehow(member, choose)])
  const kind = isList ? 4 : 5
  if (choose(3) === 0) return Buffer.concat([Buffer.of((kind << 5) | 31), ...parts, Buffer.of(0xff)])
  return Buffer.concat([head(kind, isList ? parts.length : parts.length / 2, choose), ...parts])
}

function number(value: number, choose: Choose): Buffer {
  if (Number.isSafeInteger(value)) return value >= 0 ? head(0, value, choose) : head(1, -1 - value, choose)
  const bytes = Buffer.alloc(9, 0xfb)
  bytes.writeDoubleBE(value, 1)
  return bytes
}

function string(kind: number, bytes: Buffer, choose: Choose): Buffer {
  if (choose(3) !== 0) return Buffer.concat([head(kind, bytes.length, choose), bytes])
  const cut = choose(bytes.length + 1)
  const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)]
  return Buffer.concat([
    Buffer.of((kind << 5) | 31),
    ...chunks.flatMap(chunk => [head(kind, chunk.length, choose), chunk]),
    Buffer.of(0xff)
  ])
}

function simple(value: number): Buffer {
  return Buffer.of((7 << 5) | value)
}

/** In as many bytes as chosen, of those that hold `count`. */
function head(kind: number, count: number, choose: Choose): Buffer {
  const sizes = [0, 1, 2, 4, 8].filter(size => (size === 0 ? count < 24 : count < 2 ** (8 * size)))
  const size = sizes[choose(sizes.length)]!
  if (size === 0) return Buffer.of((kind << 5) | count)
  const bytes = Buffer.alloc(1 + size)
  bytes[0] = (kind << 5) | (24 + Math.log2(size))
  if (size === 8) bytes.writeBigUInt64BE(BigInt(count), 1)
  else bytes.writeUIntBE(count, 1, size)
  return bytes
}

function isArray(value: readonly CborValue[] | CborMap): value is readonly CborValue[] {
  return Array.isArray(value)
}

/**
 * Aggregates changed in the ways that break parsers. A body is split into its fields, the fields are changed, and what
 * they make up is written with lengths that fit; then bytes are changed as they come. So a fault is not only met at the
 * first length that does not fit, but anywhere.
 * Invariant: the same body and the same numbers give the same mutant; nothing here knows src/wire.
 */

import {
  arrayOf,
  clone,
  FIXED32,
  FIXED64,
  type Field,
  GROUP,
  GROUP_END,
  SIZED,
  sized,
  VARINT,
  write
} from './fields.ts'

/** Returns a whole number from 0 to below `bound`. */
export type Below = (bound: number) => number

type Change = (siblings: Field[], below: Below) => void
type ByteChange = (bytes: Uint8Array, below: Below) => Uint8Array

/** Numbers at which parsers go wrong: ends of bytes, words and doubles; as varints. */
const BORDERS = [0n, 1n, 127n, 128n, 16_383n, 16_384n, 1n << 21n, 1n << 28n, (1n << 31n) - 1n, 1n << 31n]
  .concat([(1n << 32n) - 1n, 1n << 32n, (1n << 32n) + 1n, (1n << 53n) - 1n, (1n << 53n) + 1n, 1n << 63n])
  .concat([(1n << 64n) - 2n, (1n << 64n) - 1n])
  .map(varint)
const SMALL = Array.from({ length: 300 }, (_, value) => varint(BigInt(value)))
/** The last three do not fit into the 32 bits of a tag, where 1, 3 and 0 would be left of them. */
const FIELD_NUMBERS = [0, 1, 2, 3, 4, 5, 15, 16, 2047, 2048, 2 ** 28, 2 ** 29 - 1, 2 ** 29 + 1, 2 ** 29 + 3, 2 ** 31]
const GROUP_DEPTHS = [1, 2, 3, 98, 99, 100, 101, 102]
const BROKEN_TEXTS = ['ff', 'c2', 'c080', 'eda080', 'f09f98', 'efbfbd', 'f5'].map(text => Buffer.from(text, 'hex'))
const MAX_OVERLONG_BYTES = 12

const CHANGES: Readonly<Record<string, Change>> = {
  'number blown up': (siblings, below) =>
    changeNumber(siblings, below, number => overlong(number, 1 + below(MAX_OVERLONG_BYTES))),
  'number with bits beyond the 64th': (siblings, below) =>
    changeNumber(siblings, below, number => overflowing(number, below)),
  'number cut off': (siblings, below) =>
    changeNumber(siblings, below, number => number.subarray(0, below(number.length))),
  'last number missing': (siblings, below) =>
    changeAny(siblings.filter(isNumber), below, field => {
      siblings.splice(siblings.indexOf(field), 1)
      siblings.push({ ...field, content: new Uint8Array() })
    }),
  'number at a border': (siblings, below) => changeNumber(siblings, below, () => pick(BORDERS, below)),
  'index just inside or outside': (siblings, below) => changeNumber(siblings, below, () => SMALL[below(9)]!),
  'length off': (siblings, below) =>
    changeSized(siblings, below, field => {
      field.length = SMALL[Math.min(SMALL.length - 1, Math.max(0, write(field.content).length + below(5) - 2))]
    }),
  'length blown up': (siblings, below) =>
    changeSized(siblings, below, field => {
      field.length = overlong(varint(BigInt(write(field.content).length)), 1 + below(MAX_OVERLONG_BYTES))
    }),
  'length at a border': (siblings, below) =>
    changeSized(siblings, below, field => {
      field.length = pick(BORDERS, below)
    }),
  'tag blown up': (siblings, below) =>
    changeAny(siblings, below, field => {
      field.tag = overlong(field.tag, 1 + below(MAX_OVERLONG_BYTES))
    }),
  'other wire type': (siblings, below) =>
    changeAny(siblings, below, field => {
      field.tag = field.tag.slice()
      field.tag[0] = (field.tag[0]! & 0xf8) | below(8)
    }),
  'other field number': (siblings, below) =>
    changeAny(siblings, below, field => {
      field.tag = tagOf(below(2) === 0 ? below(6) : pick(FIELD_NUMBERS, below), field.tag[0]! & 7)
    }),
  'field twice': (siblings, below) => {
    const field = siblings[below(siblings.length)]
    if (field !== undefined) insert(siblings, below, { ...field })
  },
  'field gone': (siblings, below) => {
    siblings.splice(below(siblings.length), 1)
  },
  'field elsewhere': (siblings, below) => {
    const [field] = siblings.splice(below(siblings.length), 1)
    if (field !== undefined) insert(siblings, below, field)
  },
  'unknown field': (siblings, below) => insert(siblings, below, unknownField(below)),
  'nested groups': (siblings, below) => insert(siblings, below, groups(pick(GROUP_DEPTHS, below), below)),
  'tag message': (siblings, below) => {
    const all = [sized(0x0a, Buffer.from('t')), sized(0x12, Buffer.from('v')), unknownField(below)]
    insert(
      siblings,
      below,
      sized(
        0x22,
        all.filter(() => below(3) > 0)
      )
    )
  },
  'text that is not UTF-8': (siblings, below) =>
    changeSized(siblings, below, field => {
      if (!Array.isArray(field.content))
        field.content = Buffer.concat([field.content.subarray(0, below(3)), pick(BROKEN_TEXTS, below)])
    })
}

const BYTE_CHANGES: Readonly<Record<string, ByteChange>> = {
  'bit flipped': (bytes, below) => replaced(bytes, below(bytes.length), byte => byte ^ (1 << below(8))),
  'byte replaced': (bytes, below) => replaced(bytes, below(bytes.length), () => below(256)),
  'cut off': (bytes, below) => bytes.subarray(0, below(bytes.length + 1)),
  'bytes put in': (bytes, below) => spliced(bytes, below(bytes.length + 1), 0, someBytes(1 + below(9), below)),
  'bytes taken out': (bytes, below) => spliced(bytes, below(bytes.length + 1), 1 + below(9), new Uint8Array()),
  'bytes repeated': (bytes, below) => {
    const start = below(bytes.length + 1)
    return spliced(bytes, below(bytes.length + 1), 0, bytes.subarray(start, start + below(20)))
  }
}

const CHANGE_NAMES = Object.keys(CHANGES)
const BYTE_CHANGE_NAMES = Object.keys(BYTE_CHANGES)
export const ALL_CHANGES: readonly string[] = [...CHANGE_NAMES, ...BYTE_CHANGE_NAMES]

export interface Mutant {
  readonly body: Uint8Array
  /** What was done to it, in order. */
  readonly changes: readonly string[]
}

/** Returns the body of a valid aggregate, given by its fields, with one to four changes. */
export function mutate(original: readonly Field[], below: Below): Mutant {
  const changes: string[] = []
  const fields = clone(original)
  const isBytesOnly = below(4) === 0
  for (let left = isBytesOnly ? 0 : 1 + below(3); left > 0; left--) {
    const name = pick(CHANGE_NAMES, below)
    changes.push(name)
    CHANGES[name]!(below(3) === 0 ? fields : memberOf(fields, below), below)
  }
  let bytes = write(fields)
  for (let left = isBytesOnly ? 1 + below(3) : Number(below(4) === 0); left > 0; left--) {
    const name = pick(BYTE_CHANGE_NAMES, below)
    changes.push(name)
    bytes = BYTE_CHANGES[name]!(bytes, below)
  }
  return { body: bytes, changes }
}

/** Returns the smallest body found by taking bytes out of `body` for which `isWanted` still holds. */
export function shrink(body: Uint8Array, isWanted: (body: Uint8Array) => boolean): Uint8Array {
  let smallest = body
  for (let size = Math.max(1, body.length >> 1); size > 0; size >>= 1) {
    for (let at = 0; at + size <= smallest.length; ) {
      const candidate = spliced(smallest, at, size, new Uint8Array())
      if (isWanted(candidate)) smallest = candidate
      else at += size
    }
  }
  return smallest
}

/** Returns numbers that `seed` decides (mulberry32): drawing each change from arbitraries costs ten times as much. */
export function numbersOf(seed: number): Below {
  let state = seed | 0
  return bound => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
}

function insert(siblings: Field[], below: Below, field: Field): void {
  siblings.splice(below(siblings.length + 1), 0, field)
}

function changeNumber(siblings: Field[], below: Below, next: (number: Uint8Array) => Uint8Array): void {
  changeAny(siblings.filter(isNumber), below, field => {
    if (!Array.isArray(field.content)) field.content = next(field.content)
  })
}

function changeSized(siblings: Field[], below: Below, change: (field: Field) => void): void {
  changeAny(
    siblings.filter(field => field.isSized),
    below,
    change
  )
}

function changeAny(siblings: Field[], below: Below, change: (field: Field) => void): void {
  if (siblings.length > 0) change(pick(siblings, below))
}

function isNumber(field: Field): boolean {
  return !field.isSized
}

function memberOf(fields: Field[], below: Below): Field[] {
  const members = fields.flatMap(field => (Array.isArray(field.content) ? [field.content] : []))
  return members[below(members.length)] ?? fields
}

function unknownField(below: Below): Field {
  const number = pick(FIELD_NUMBERS, below)
  const wireType = pick([VARINT, FIXED64, SIZED, GROUP, FIXED32], below)
  if (wireType === GROUP) return groups(1, below)
  if (wireType === SIZED) return { ...sized(0, someBytes(below(5), below)), tag: tagOf(number, SIZED) }
  const content =
    wireType === VARINT
      ? overlong(pick(BORDERS, below), 1 + below(MAX_OVERLONG_BYTES))
      : someBytes(wireType === FIXED64 ? 8 : 4, below)
  return { tag: tagOf(number, wireType), length: undefined, isSized: false, content }
}

/** Groups one in another, sometimes with something in the innermost, sometimes ended wrongly or not at all. */
function groups(depth: number, below: Below): Field {
  const number = 1 + below(6)
  const inside = below(2) === 0 ? new Uint8Array() : write([unknownField(below)])
  const content = new Uint8Array(depth * 2 + inside.length)
  content.fill(number * 8 + GROUP, 0, depth)
  content.set(inside, depth)
  content.fill(number * 8 + GROUP_END, depth + inside.length)
  if (below(12) === 0) content[depth + inside.length + below(depth)] = (number + 1) * 8 + GROUP_END
  const end = content.length - Number(below(12) === 0)
  return { tag: new Uint8Array(), length: undefined, isSized: false, content: content.subarray(0, end) }
}

function tagOf(number: number, wireType: number): Uint8Array {
  return varint(BigInt(number) * 8n + BigInt(wireType))
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 0x80)
  return Uint8Array.from([...bytes, Number(rest)])
}

/** The same number in `count` bytes, if that is more than it takes. */
function overlong(number: Uint8Array, count: number): Uint8Array {
  if (count <= number.length || number.length === 0) return number
  const longer = new Uint8Array(count).fill(0x80)
  longer.set(number)
  longer[number.length - 1]! |= 0x80
  longer[count - 1] = 0
  return longer
}

/** The same number in ten bytes, with bits in the last one that readers drop. */
function overflowing(number: Uint8Array, below: Below): Uint8Array {
  const longer = overlong(number, 10)
  if (longer.length === 10) longer[9] = 2 << below(6)
  return longer
}

function replaced(bytes: Uint8Array, at: number, next: (byte: number) => number): Uint8Array {
  const copy = bytes.slice()
  if (at < copy.length) copy[at] = next(copy[at]!)
  return copy
}

function spliced(bytes: Uint8Array, at: number, goneBytes: number, inserted: Uint8Array): Uint8Array {
  return arrayOf(bytes.subarray(0, at), inserted, bytes.subarray(at + goneBytes))
}

function someBytes(count: number, below: Below): Uint8Array {
  const bytes = new Uint8Array(count)
  for (let i = 0; i < count; i++) bytes[i] = below(256)
  return bytes
}

function pick<T>(items: readonly T[], below: Below): T {
  return items[below(items.length)]!
}

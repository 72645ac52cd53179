/**
 * A slow proto2 parser of aggregated records, with a switch for everything in which ours and protobufjs differ.
 * Invariant: numbers are bigints, nothing is skipped unread, and nothing is shared with src/wire or protobufjs.
 */

export interface Dialect {
  /** Bytes of a field's tag, at most; its value is below 2^32 in any case. */
  readonly maxTagBytes: number
  /** Bytes of a length, at most. */
  readonly maxLengthBytes: number
  /** Bytes of a number in a field that is not in the schema, at most. */
  readonly maxUnknownNumberBytes: number
  /** Groups and messages in one another, at most; 100 of them may have something in them. */
  readonly maxGroups: number
  /** Whether an index has to be in its table. */
  readonly areIndexesChecked: boolean
  /** Whether the keys of members have to be UTF-8. */
  readonly areKeysChecked: boolean
}

export interface Proto2Member {
  readonly partitionKey: Uint8Array | undefined
  readonly explicitHashKey: Uint8Array | undefined
  readonly data: Uint8Array
}

interface Value {
  readonly number: number
  readonly wireType: number
  readonly value: bigint
  readonly content: Uint8Array
}

interface RawMember {
  readonly key: bigint
  readonly hashKey: bigint | undefined
  readonly data: Uint8Array
}

const MAX_NUMBER_BYTES = 10
const MAX_FILLED_DEPTH = 100
const [VARINT, FIXED64, SIZED, GROUP, GROUP_END, FIXED32] = [0, 1, 2, 3, 4, 5]

/** Why a body is refused; never leaves this file. */
class Refusal extends Error {}

/** Returns the members of `body`, or undefined when the dialect refuses it. */
export function parseProto2(body: Uint8Array, dialect: Dialect): Proto2Member[] | undefined {
  try {
    const fields = parseMessage(body, 0, dialect, [1, 2, 3], [])
    const tables = [1, 2].map(table => fields.filter(field => field.number === table).map(field => field.content))
    const members = fields.filter(field => field.number === 3).map(field => parseMember(field.content, dialect))
    return members.map(({ key, hashKey, data }) => ({
      partitionKey: look(tables[0]!, key, dialect),
      explicitHashKey: hashKey === undefined ? undefined : look(tables[1]!, hashKey, dialect),
      data
    }))
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

function parseMember(bytes: Uint8Array, dialect: Dialect): RawMember {
  const fields = parseMessage(bytes, 1, dialect, [3, 4], [1, 2])
  const last = (number: number) => fields.filter(field => field.number === number).at(-1)
  for (const tag of fields.filter(field => field.number === 4)) {
    const texts = parseMessage(tag.content, 2, dialect, [1, 2], [])
    if (!texts.some(text => text.number === 1)) throw new Refusal('tag without key')
  }
  const [key, data] = [last(1), last(3)]
  if (key === undefined || data === undefined) throw new Refusal('required field')
  return { key: key.value, hashKey: last(2)?.value, data: data.content }
}

function look(table: readonly Uint8Array[], index: bigint, dialect: Dialect): Uint8Array | undefined {
  const bytes = table[Number(index)]
  if (bytes === undefined && dialect.areIndexesChecked) throw new Refusal('index')
  if (bytes !== undefined && dialect.areKeysChecked && !isUtf8(bytes)) throw new Refusal('text')
  return bytes
}

/** The fields of a message that are in its schema: `sized` and `numbers` are the field numbers of each kind. */
function parseMessage(
  bytes: Uint8Array,
  depth: number,
  dialect: Dialect,
  sized: readonly number[],
  numbers: readonly number[]
): Value[] {
  const cursor = new Cursor(bytes, dialect)
  const fields: Value[] = []
  while (!cursor.isAtEnd) {
    const tag = cursor.tag()
    const number = Number(tag >> 3n)
    const wireType = Number(tag & 7n)
    if (wireType === SIZED && sized.includes(number)) {
      fields.push({ number, wireType, value: 0n, content: cursor.sized() })
    } else if (wireType === VARINT && numbers.includes(number)) {
      fields.push({ number, wireType, value: cursor.number(MAX_NUMBER_BYTES), content: new Uint8Array() })
    } else cursor.skip(tag, depth)
  }
  return fields
}

class Cursor {
  #at = 0
  readonly #bytes: Uint8Array
  readonly #dialect: Dialect

  constructor(bytes: Uint8Array, dialect: Dialect) {
    this.#bytes = bytes
    this.#dialect = dialect
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  number(maxBytes: number): bigint {
    let value = 0n
    for (let i = 0; i < maxBytes; i++) {
      const [byte] = this.#take(1)
      value |= BigInt(byte! & 0x7f) << BigInt(7 * i)
      if (byte! < 0x80) return BigInt.asUintN(64, value)
    }
    throw new Refusal('long number')
  }

  tag(): bigint {
    const tag = this.number(this.#dialect.maxTagBytes)
    if (tag >= 1n << 32n || tag >> 3n === 0n) throw new Refusal('field number')
    return tag
  }

  sized(): Uint8Array {
    return this.#take(Number(this.number(this.#dialect.maxLengthBytes)))
  }

  /** `depth` counts the messages and groups around the field. */
  skip(tag: bigint, depth: number): void {
    if (depth > MAX_FILLED_DEPTH) throw new Refusal('depth')
    const wireType = Number(tag & 7n)
    if (wireType === VARINT) this.number(this.#dialect.maxUnknownNumberBytes)
    else if (wireType === FIXED64) this.#take(8)
    else if (wireType === SIZED) this.sized()
    else if (wireType === FIXED32) this.#take(4)
    else if (wireType !== GROUP || depth >= this.#dialect.maxGroups) throw new Refusal('wire type or depth')
    else this.#skipGroup(tag, depth + 1)
  }

  #skipGroup(start: bigint, depth: number): void {
    for (;;) {
      const tag = this.tag()
      if (Number(tag & 7n) === GROUP_END) {
        if (tag >> 3n !== start >> 3n) throw new Refusal('end of another group')
        return
      }
      this.skip(tag, depth)
    }
  }

  #take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw new Refusal('end')
    return this.#bytes.subarray(this.#at, (this.#at += count))
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    // Not swallowed: it is the answer.
    return false
  }
}

/**
 * A cursor over the members of an aggregated record.
 * Invariant: a reader exists only for a body that was walked to its last byte and found valid, so no member it shows is
 * followed by a fault. The walk allocates nothing per member, and nothing by a length or count it has not checked.
 * Rules: a proto2 parser's, as the KCL has it (protobuf-java 3.21 and 4.31, observed 2026-11): fields in any order, the
 * last scalar wins, unknown fields and groups are skipped, a field with another wire type is unknown, required is
 * required. Unlike Java's, lengths and indexes are compared as the 64-bit numbers they are.
 * Hot: two walks over every member (bench/deaggregate.bench.ts).
 */

import {
  DEDUPE_TAG_HEAD,
  DIGEST_BYTES,
  MAGIC_BYTES,
  MAX_DEDUPE_DIGITS,
  MalformedEnvelopeError,
  PRODUCER_ID_LENGTH,
  TAG_EXPLICIT_HASH_KEY,
  TAG_PARTITION_KEY,
  TAG_RECORD,
  TAG_RECORD_DATA,
  TAG_RECORD_EXPLICIT_HASH_KEY_INDEX,
  TAG_RECORD_PARTITION_KEY_INDEX,
  TAG_RECORD_TAG,
  TAG_TAG_KEY
} from './format.ts'
import { KeyTable } from './key-table.ts'

const WIRE_VARINT = 0
const WIRE_FIXED64 = 1
const WIRE_BYTES = 2
const WIRE_GROUP_START = 3
const WIRE_FIXED32 = 5
/** From the tag that starts a group to the one that ends it. */
const GROUP_END_OFFSET = 1
/** Messages and groups inside one another as protobuf-java counts them: a member is 1 deep, its tags are 2 deep. */
const MAX_NESTING = 100
const MAX_VARINT_BYTES = 10
/** Field number 1; number 0 is not legal. */
const FIRST_FIELD_TAG = 8
const FIELD_TAG_LIMIT = 2 ** 32
/** From the start of a dedupe tag to its value. */
const DEDUPE_VALUE_OFFSET = 2 + DEDUPE_TAG_HEAD.length + 1
const MAX_DEDUPE_ID_BYTES = PRODUCER_ID_LENGTH + 1 + MAX_DEDUPE_DIGITS
const DOT = 0x2e

export class EnvelopeReader {
  /** Members in the whole envelope. */
  count = 0
  /** Bytes of all members' data together. */
  dataBytes = 0
  /** The key tables, each standing on the current member's entry. */
  readonly keys: KeyTable
  readonly hashKeys: KeyTable

  readonly #bytes: Uint8Array
  readonly #record: Buffer
  readonly #buffer: ArrayBufferLike
  readonly #offset: number
  readonly #end: number
  /** Where the second walk starts: after the tables, if they come first. */
  #start = MAGIC_BYTES
  /** The next byte to be read. */
  #at = MAGIC_BYTES
  #dataStart = 0
  #dataEnd = 0
  #isChecked = false

  /** Walks the whole body. Throws KPL_ERR_MALFORMED_ENVELOPE. Looks at neither magic nor digest. Bytes are aliased. */
  constructor(bytes: Uint8Array) {
    // Plain whatever was given: a Buffer's slices are Buffers, and reading two kinds of arrays is slower than one.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#buffer = bytes.buffer
    this.#offset = bytes.byteOffset
    this.#end = bytes.length - DIGEST_BYTES
    this.#record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.keys = new KeyTable(this.#record)
    this.hashKeys = new KeyTable(this.#record)
    while (this.next()) {
      this.count++
      this.dataBytes += this.#dataEnd - this.#dataStart
    }
    // Tables may follow the members, so only now is it known how long they are.
    if (!this.keys.isComplete || !this.hashKeys.isComplete) this.#fail('key index outside its table')
    this.#isChecked = true
    this.rewind()
  }

  /** Puts the cursor back before the first member. */
  rewind(): void {
    this.#at = this.#start
  }

  /** Moves to the next member, in order; false when there is none left. */
  next(): boolean {
    const end = this.#end
    while (this.#at < end) {
      if (this.#usualMember(end)) return true
      const tag = this.#tag(end)
      if (tag === TAG_RECORD) {
        this.#member(this.#length(end))
        return true
      }
      if (tag === TAG_PARTITION_KEY) this.#entry(this.keys)
      else if (tag === TAG_EXPLICIT_HASH_KEY) this.#entry(this.hashKeys)
      else this.#skip(tag, end, 0)
    }
    return false
  }

  /** The current member's data, a view. */
  data(): Uint8Array {
    // Half the time of `subarray`, which asks for the constructor first.
    return new Uint8Array(this.#buffer, this.#offset + this.#dataStart, this.#dataEnd - this.#dataStart)
  }

  /** The value of the current member's dedupe tag, if one follows the data: where this library writes it. */
  dedupeId(): string | undefined {
    const at = this.#dataEnd
    // The cursor is where the member ends.
    const end = at === this.#at ? -1 : this.#dedupeTagEnd(at)
    return end < 0 ? undefined : this.#record.toString('latin1', at + DEDUPE_VALUE_OFFSET, end)
  }

  #entry(table: KeyTable): void {
    const end = this.#length(this.#end)
    if (!this.#isChecked) table.add(this.#at, end)
    if (this.count === 0) this.#start = end
    this.#at = end
  }

  /** Reads one member, which ends at `end`, and puts the cursor on it. */
  #member(end: number): void {
    let keyIndex = -1
    let hashKeyIndex = -1
    let hasData = false
    while (this.#at < end) {
      const tag = this.#tag(end)
      if (tag === TAG_RECORD_PARTITION_KEY_INDEX) keyIndex = this.#varint(end)
      else if (tag === TAG_RECORD_EXPLICIT_HASH_KEY_INDEX) hashKeyIndex = this.#varint(end)
      else if (tag === TAG_RECORD_DATA) {
        hasData = true
        this.#dataEnd = this.#length(end)
        this.#dataStart = this.#at
        this.#at = this.#dataEnd
      } else if (tag === TAG_RECORD_TAG) this.#tagMessage(this.#length(end))
      else this.#skip(tag, end, 1)
    }
    if (keyIndex < 0 || !hasData) this.#fail('member without partition key index or data')
    this.keys.select(keyIndex)
    this.hashKeys.select(hashKeyIndex)
  }

  /** Reads a member laid out as the KPL does, in a quarter of the time; false, and nothing changed, for anything else. */
  #usualMember(end: number): boolean {
    const bytes = this.#bytes
    let at = this.#at
    if (bytes[at++] !== TAG_RECORD) return false
    const member = shortVarint(bytes, at)
    at += member & 3
    const memberEnd = at + (member >> 2)
    if (bytes[at++] !== TAG_RECORD_PARTITION_KEY_INDEX) return false
    const key = shortVarint(bytes, at)
    at += key & 3
    let hashKey = -1
    if (bytes[at] === TAG_RECORD_EXPLICIT_HASH_KEY_INDEX) {
      hashKey = shortVarint(bytes, ++at)
      if (hashKey < 0) return false
      at += hashKey & 3
    }
    if (bytes[at++] !== TAG_RECORD_DATA) return false
    const data = shortVarint(bytes, at)
    at += data & 3
    const dataEnd = at + (data >> 2)
    const isUsual = member >= 0 && key >= 0 && data >= 0 && memberEnd <= end
    if (!isUsual || (dataEnd !== memberEnd && this.#dedupeTagEnd(dataEnd) !== memberEnd)) return false
    this.keys.select(key >> 2)
    this.hashKeys.select(hashKey >> 2)
    this.#dataStart = at
    this.#dataEnd = dataEnd
    this.#at = memberEnd
    return true
  }

  /** Where the tag that starts at `at` ends, if it is one that `DedupeTag` could have written; else -1. May look past `end`. */
  #dedupeTagEnd(at: number): number {
    const bytes = this.#bytes
    if (bytes[at] !== TAG_RECORD_TAG) return -1
    for (let i = 0; i < DEDUPE_TAG_HEAD.length; i++) if (bytes[at + 2 + i] !== DEDUPE_TAG_HEAD[i]) return -1
    const valueAt = at + DEDUPE_VALUE_OFFSET
    const valueBytes = bytes[valueAt - 1]!
    const end = valueAt + valueBytes
    const isOurs =
      valueBytes > PRODUCER_ID_LENGTH + 1 && valueBytes <= MAX_DEDUPE_ID_BYTES && bytes[at + 1] === end - at - 2
    return isOurs && bytes[valueAt + PRODUCER_ID_LENGTH] === DOT ? end : -1
  }

  /** Other tags are never shown to anyone, but a tag without its required key makes the whole record unparsable. */
  #tagMessage(end: number): void {
    let hasKey = false
    while (this.#at < end) {
      const tag = this.#tag(end)
      if (tag === TAG_TAG_KEY) hasKey = true
      this.#skip(tag, end, 2)
    }
    if (!hasKey) this.#fail('tag without key')
  }

  /** Passes over the value of a field whose tag was just read. `depth` is that of the message it stands in. */
  #skip(tag: number, end: number, depth: number): void {
    const wireType = tag & 7
    if (wireType === WIRE_BYTES) this.#at = this.#length(end)
    else if (wireType === WIRE_VARINT) this.#varint(end)
    else if (wireType === WIRE_FIXED64) this.#at += 8
    else if (wireType === WIRE_FIXED32) this.#at += 4
    else if (wireType === WIRE_GROUP_START) this.#skipGroup(tag + GROUP_END_OFFSET, end, depth + 1)
    else this.#fail(`wire type ${wireType}`)
    if (this.#at > end) this.#fail('truncated field')
  }

  /** Recursive, but never deeper than MAX_NESTING. A group that is not ended runs into `end` and fails there. */
  #skipGroup(endTag: number, end: number, depth: number): void {
    if (depth > MAX_NESTING) this.#fail('groups nested too deep')
    for (let tag = this.#tag(end); tag !== endTag; tag = this.#tag(end)) this.#skip(tag, end, depth)
  }

  #tag(end: number): number {
    const tag = this.#varint(end)
    const isField = tag >= FIRST_FIELD_TAG && tag < FIELD_TAG_LIMIT
    if (!isField) this.#fail('field number out of bounds')
    return tag
  }

  /** Reads a length and returns where the bytes that follow end. */
  #length(end: number): number {
    const contentEnd = this.#varint(end) + this.#at
    if (contentEnd > end) this.#fail('length beyond the end')
    return contentEnd
  }

  /** Exact below 2^53. Above, rounded, but never to less than 2^53, which is beyond every bound it is held against. */
  #varint(end: number): number {
    const first = this.#bytes[this.#at]!
    if (first < 0x80 && this.#at < end) {
      this.#at++
      return first
    }
    let value = 0
    let scale = 1
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (this.#at >= end) this.#fail('truncated field')
      const byte = this.#bytes[this.#at++]!
      // The tenth byte has room for bit 63 only; what it holds beyond is dropped, as other parsers do.
      value += (i === MAX_VARINT_BYTES - 1 ? byte & 1 : byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 0x80
    }
    return this.#fail('varint longer than 10 bytes')
  }

  #fail(fault: string): never {
    throw new MalformedEnvelopeError(fault, this.#at)
  }
}

/**
 * Returns a varint and its length in one number, `value * 4 + length`; -1 when it is longer than 3 bytes. It may look past the
 * field's end, and even the buffer's: the caller notices, because the member then does not end where it should.
 */
function shortVarint(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return first * 4 + 1
  const second = bytes[at + 1]!
  if (second < 0x80) return (second * 0x80 + first - 0x80) * 4 + 2
  const third = bytes[at + 2]!
  return third < 0x80 ? ((third * 0x80 + second - 0x80) * 0x80 + first - 0x80) * 4 + 3 : -1
}

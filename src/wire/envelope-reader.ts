/**
 * A cursor over the members of an aggregated record.
 * Invariant: a reader exists only for a body that was walked to its last byte and found valid, so no member it shows is
 * followed by a fault. The walk allocates nothing per member, and nothing by a length or count it has not checked.
 * Rules: a proto2 parser's, as the KCL has it (protobuf-java 3.21 and 4.31, observed 2026-11): fields in any order, the
 * last scalar wins, unknown fields and groups are skipped, a field with another wire type is unknown, required is
 * required. Unlike Java's, lengths and indexes are compared as the 64-bit numbers they are.
 * Hot: two walks, about 40 ns a member each (bench/deaggregate.bench.ts).
 */
import {
  DIGEST_BYTES,
  MAGIC_BYTES,
  MalformedEnvelopeError,
  TAG_EXPLICIT_HASH_KEY,
  TAG_PARTITION_KEY,
  TAG_RECORD,
  TAG_RECORD_DATA,
  TAG_RECORD_EXPLICIT_HASH_KEY_INDEX,
  TAG_RECORD_PARTITION_KEY_INDEX,
  TAG_RECORD_TAG,
  TAG_TAG_KEY
} from './format.ts'

const WIRE_VARINT = 0
const WIRE_FIXED64 = 1
const WIRE_BYTES = 2
const WIRE_GROUP_START = 3
const WIRE_GROUP_END = 4
const WIRE_FIXED32 = 5
/** Messages and groups inside one another as protobuf-java counts them: a member is 1 deep, its tags are 2 deep. */
const MAX_NESTING = 100
const MAX_VARINT_BYTES = 10
/** Field number 1; number 0 is not legal. */
const FIRST_FIELD_TAG = 8
const FIELD_TAG_LIMIT = 2 ** 32
const ABSENT = -1

export class EnvelopeReader {
  /** Members in the whole envelope. */
  memberCount = 0
  /** Bytes of all members' data together. */
  dataBytes = 0
  /** The current member's place in the tables; `explicitHashKeyIndex` is -1 when it has none. */
  partitionKeyIndex: number = ABSENT
  explicitHashKeyIndex: number = ABSENT
  readonly partitionKeys: KeyTable = new KeyTable()
  readonly explicitHashKeys: KeyTable = new KeyTable()

  readonly #bytes: Uint8Array
  /** The same bytes, for decoding text: a TextDecoder takes half as long again. */
  readonly #buffer: Buffer
  readonly #end: number
  /** The next byte to be read. */
  #at = MAGIC_BYTES
  #dataStart = ABSENT
  #dataEnd = ABSENT
  #isChecked = false

  /** Walks the whole body. Throws KPL_ERR_MALFORMED_ENVELOPE. Looks at neither magic nor digest. Bytes are aliased. */
  constructor(bytes: Uint8Array) {
    // A Buffer's subarray is a Buffer; members are plain views whatever was given.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#end = bytes.length - DIGEST_BYTES
    let highestKey = ABSENT
    let highestHashKey = ABSENT
    while (this.next()) {
      this.memberCount++
      this.dataBytes += this.#dataEnd - this.#dataStart
      if (this.partitionKeyIndex > highestKey) highestKey = this.partitionKeyIndex
      if (this.explicitHashKeyIndex > highestHashKey) highestHashKey = this.explicitHashKeyIndex
    }
    // Tables may follow the members, so only now is it known how long they are.
    if (highestKey >= this.partitionKeys.count) this.#fail('partition key index outside the table')
    if (highestHashKey >= this.explicitHashKeys.count) this.#fail('explicit hash key index outside the table')
    this.#isChecked = true
    this.rewind()
  }

  /** Puts the cursor back before the first member. */
  rewind(): void {
    this.#at = MAGIC_BYTES
  }

  /** Moves to the next member, in order; false when there is none left. */
  next(): boolean {
    const end = this.#end
    while (this.#at < end) {
      const tag = this.#tag(end)
      if (tag === TAG_RECORD) {
        this.#member(this.#length(end))
        return true
      }
      if (!this.#isChecked) {
        if (tag === TAG_PARTITION_KEY) this.partitionKeys.add(this.#at)
        if (tag === TAG_EXPLICIT_HASH_KEY) this.explicitHashKeys.add(this.#at)
      }
      this.#skip(tag, end, 0)
    }
    return false
  }

  /** The current member's data, a view. */
  data(): Uint8Array {
    return this.#bytes.subarray(this.#dataStart, this.#dataEnd)
  }

  /** Entry `index` of a table of this reader as text, decoded once; what is not UTF-8 comes as U+FFFD. */
  text(table: KeyTable, index: number): string {
    return (table.texts[index] ??= this.#entry(table, index, (start, end) => this.#buffer.toString('utf8', start, end)))
  }

  /** Entry `index` of a table of this reader, a view. */
  textBytes(table: KeyTable, index: number): Uint8Array {
    return this.#entry(table, index, (start, end) => this.#bytes.subarray(start, end))
  }

  #entry<T>(table: KeyTable, index: number, read: (start: number, end: number) => T): T {
    const at = this.#at
    this.#at = table.startAt(index)
    const end = this.#length(this.#end)
    const value = read(this.#at, end)
    this.#at = at
    return value
  }

  #member(end: number): void {
    let keyIndex = ABSENT
    let hashKeyIndex = ABSENT
    let dataStart = ABSENT
    while (this.#at < end) {
      const tag = this.#tag(end)
      if (tag === TAG_RECORD_PARTITION_KEY_INDEX) keyIndex = this.#varint(end)
      else if (tag === TAG_RECORD_EXPLICIT_HASH_KEY_INDEX) hashKeyIndex = this.#varint(end)
      else if (tag === TAG_RECORD_DATA) {
        this.#dataEnd = this.#length(end)
        dataStart = this.#at
        this.#at = this.#dataEnd
      } else if (tag === TAG_RECORD_TAG) this.#tagMessage(this.#length(end))
      else this.#skip(tag, end, 1)
    }
    if (keyIndex === ABSENT || dataStart === ABSENT) this.#fail('member without partition key index or data')
    this.partitionKeyIndex = keyIndex
    this.explicitHashKeyIndex = hashKeyIndex
    this.#dataStart = dataStart
  }

  /** A tag is never shown to anyone, but a tag without its required key makes the whole record unparsable. */
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
    else if (wireType === WIRE_FIXED64) this.#advance(8, end)
    else if (wireType === WIRE_FIXED32) this.#advance(4, end)
    else if (wireType === WIRE_GROUP_START) this.#skipGroup(tag + WIRE_GROUP_END - WIRE_GROUP_START, end, depth + 1)
    else this.#fail(`wire type ${wireType}`)
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
    const start = this.#varint(end) + this.#at
    if (start > end) this.#fail('length beyond the end')
    return start
  }

  #advance(bytes: number, end: number): void {
    this.#at += bytes
    if (this.#at > end) this.#fail('truncated')
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
      if (this.#at >= end) this.#fail('truncated')
      const byte = this.#bytes[this.#at++]!
      // The tenth byte has room for bit 63 only; what it holds beyond is dropped, as every parser does.
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

/** Where the entries of a key table stand. Four bytes an entry, however many hostile bytes declare. */
export class KeyTable {
  count = 0
  /** Entries decoded so far, by index. */
  readonly texts: string[] = []
  #starts = new Uint32Array(8)

  add(start: number): void {
    if (this.count === this.#starts.length) {
      const grown = new Uint32Array(this.count * 2)
      grown.set(this.#starts)
      this.#starts = grown
    }
    this.#starts[this.count++] = start
  }

  startAt(index: number): number {
    return this.#starts[index]!
  }
}

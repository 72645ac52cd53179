/**
 * Writes user records into one aggregated record, byte for byte as the KPL serializes it (grammar: `format.ts`), or, if
 * asked to, with a tag of ours in every member.
 * Members are encoded as they come; the key tables, which the format puts first, are written when it is sealed.
 * Invariant: `sealedBytes` and `bytesWith` are exactly the length that `seal` returns; nothing is added and then removed.
 * Hot: `addWithin` runs once per user record. Twin: `test/reference/envelope.ts`.
 */
import { allocate, copyOf, type TakeBytes, writeBytes, writePrefix, writeText } from './bytes.ts'
import { isEnvelope } from './decode.ts'
import type { DedupeTag } from './dedupe-tag.ts'
import { md5 } from './digest.ts'
import {
  ENVELOPE_BYTES,
  MAGIC_0,
  MAGIC_1,
  MAGIC_2,
  MAGIC_3,
  MAGIC_BYTES,
  TAG_EXPLICIT_HASH_KEY,
  TAG_PARTITION_KEY,
  TAG_RECORD,
  TAG_RECORD_DATA,
  TAG_RECORD_EXPLICIT_HASH_KEY_INDEX,
  TAG_RECORD_PARTITION_KEY_INDEX
} from './format.ts'
import { entryBytes, memberBytes } from './sizes.ts'
import { writeVarint } from './varint.ts'

const DEFAULT_SCRATCH_BYTES = 1024

/**
 * Remembers where a key stands in the table that it was last written to, in place of a look-up by text. One slot serves
 * one key text; a key that goes to several envelopes at a time loses nothing but the shortcut.
 */
export interface KeySlot {
  /** The number of the table; 0: none yet. */
  table: number
  index: number
}

let lastTable = 0

/** One key table: its entries in order of first use, and the bytes they take when written. */
class KeyTable {
  /** Entries in use; the arrays keep what they have grown to. */
  count = 0
  readonly texts: string[] = []
  readonly byteLengths: number[] = []
  encodedBytes = 0
  #number = ++lastTable
  // Built at the first call without a slot.
  #indexes: Map<string, number> | undefined

  /** Index of `text`, or the next free index when it is new. */
  indexOf(text: string, slot: KeySlot | undefined): number {
    if (slot !== undefined && slot.table === this.#number) return slot.index
    if (this.count === 0) return 0
    // A slot that was here before would say so; only keys of other lanes share no table, so it is new.
    if (slot !== undefined && this.#indexes === undefined) return this.count
    this.#indexes ??= this.#index()
    return this.#indexes.get(text) ?? this.count
  }

  append(text: string, utf8Bytes: number, slot: KeySlot | undefined): void {
    if (slot !== undefined) {
      slot.table = this.#number
      slot.index = this.count
    }
    // While there is no index, every key with a slot counts as new. So the index is made when the first key without a slot
    // comes.
    if (slot === undefined) this.#indexes ??= this.#index()
    this.#indexes?.set(text, this.count)
    this.texts[this.count] = text
    this.byteLengths[this.count] = utf8Bytes
    this.count++
    this.encodedBytes += entryBytes(utf8Bytes)
  }

  clear(): void {
    this.count = 0
    this.encodedBytes = 0
    this.#number = ++lastTable
    this.#indexes = undefined
  }

  write(target: Buffer, offset: number, tag: number): number {
    let at = offset
    for (let i = 0; i < this.count; i++) {
      const utf8Bytes = this.byteLengths[i]!
      target[at++] = tag
      at = writeVarint(target, at, utf8Bytes)
      at += writeText(target, at, this.texts[i]!, utf8Bytes)
    }
    return at
  }

  #index(): Map<string, number> {
    return new Map(this.texts.slice(0, this.count).map((known, index) => [known, index]))
  }
}

/**
 * Collects the members of one aggregated record. Keys must be well-formed Unicode and explicit hash keys canonical
 * decimal text: the caller has checked. `keyBytes` and `dataBytes` are UTF-8 lengths, which the caller has measured.
 */
export class EnvelopeWriter {
  #scratch: Buffer
  #end = 0
  #count = 0
  #firstDataAt = 0
  readonly #keys = new KeyTable()
  readonly #hashKeys = new KeyTable()
  readonly #tag: DedupeTag | undefined

  /** With `tag`, every member gets one, by its `number`; and a lone member is wrapped, to have where to carry it. */
  constructor(initialBytes: number = DEFAULT_SCRATCH_BYTES, tag?: DedupeTag) {
    this.#scratch = Buffer.allocUnsafeSlow(initialBytes)
    this.#tag = tag
  }

  /** Members so far. */
  get count(): number {
    return this.#count
  }

  /** Bytes that `seal` returns now: the data alone for one member without tag, else the envelope. */
  get sealedBytes(): number {
    return this.#count === 1 && this.#tag === undefined ? this.#end - this.#firstDataAt : this.envelopeBytes
  }

  /** Bytes of the envelope with the present members, also when there is only one. */
  get envelopeBytes(): number {
    return ENVELOPE_BYTES + this.#keys.encodedBytes + this.#hashKeys.encodedBytes + this.#end
  }

  /** The first member's partition key; undefined when empty. */
  get firstPartitionKey(): string | undefined {
    return this.#keys.count === 0 ? undefined : this.#keys.texts[0]
  }

  /** Bytes that `seal` would return if this member were added. */
  bytesWith(
    partitionKey: string,
    keyBytes: number,
    explicitHashKey: string | undefined,
    dataBytes: number,
    number: number = 0
  ): number {
    if (this.#count === 0 && this.#tag === undefined) return dataBytes
    const keyIndex = this.#keys.indexOf(partitionKey, undefined)
    let bytes = this.envelopeBytes + (keyIndex === this.#keys.count ? entryBytes(keyBytes) : 0)
    let hashKeyIndex = -1
    if (explicitHashKey !== undefined) {
      hashKeyIndex = this.#hashKeys.indexOf(explicitHashKey, undefined)
      if (hashKeyIndex === this.#hashKeys.count) bytes += entryBytes(explicitHashKey.length)
    }
    const tagBytes = this.#tag === undefined ? 0 : this.#tag.bytesOf(number)
    return bytes + entryBytes(memberBytes(keyIndex, hashKeyIndex, dataBytes) + tagBytes)
  }

  /** Adds a member. `data` is copied; a string is written as UTF-8. */
  add(
    partitionKey: string,
    keyBytes: number,
    explicitHashKey: string | undefined,
    data: Uint8Array | string,
    dataBytes: number,
    number: number = 0
  ): void {
    const noLimit = Number.POSITIVE_INFINITY
    this.addWithin(noLimit, partitionKey, keyBytes, explicitHashKey, data, dataBytes, undefined, number)
  }

  /**
   * Adds a member if `sealedBytes` stays within `maxBytes` (the first one always fits); false: nothing was changed.
   * `slot` is the key's, if it has one; `prefix` goes before the data and counts in `dataBytes`. Plain arguments rather than an object: this is the library's hottest call.
   */
  addWithin(
    maxBytes: number,
    partitionKey: string,
    keyBytes: number,
    explicitHashKey: string | undefined,
    data: Uint8Array | string,
    dataBytes: number,
    slot?: KeySlot | undefined,
    number: number = 0,
    prefix?: Uint8Array | undefined
  ): boolean {
    const keyIndex = this.#keys.indexOf(partitionKey, slot)
    const isNewKey = keyIndex === this.#keys.count
    let tableBytes = isNewKey ? entryBytes(keyBytes) : 0
    let hashKeyIndex = -1
    let isNewHashKey = false
    if (explicitHashKey !== undefined) {
      hashKeyIndex = this.#hashKeys.indexOf(explicitHashKey, undefined)
      isNewHashKey = hashKeyIndex === this.#hashKeys.count
      if (isNewHashKey) tableBytes += entryBytes(explicitHashKey.length)
    }
    const tag = this.#tag
    let bodyBytes = memberBytes(keyIndex, hashKeyIndex, dataBytes)
    if (tag !== undefined) bodyBytes += tag.bytesOf(number)
    const addedBytes = entryBytes(bodyBytes)
    if (this.#count > 0 && this.envelopeBytes + tableBytes + addedBytes > maxBytes) return false

    if (isNewKey) this.#keys.append(partitionKey, keyBytes, slot)
    if (isNewHashKey) this.#hashKeys.append(explicitHashKey!, explicitHashKey!.length, undefined)
    this.#reserve(addedBytes)
    this.#writeMember(keyIndex, hashKeyIndex, bodyBytes, data, dataBytes, prefix)
    if (tag !== undefined) this.#end = tag.write(this.#scratch, this.#end, number)
    this.#count++
    return true
  }

  /**
   * Returns the sealed bytes, in memory of `take`, and empties the writer: the data alone for one member without tag,
   * else an envelope. A lone payload that would itself pass for an envelope is wrapped in one (see `isEnvelope`), so
   * that consumers hand it back verbatim instead of expanding it. `isDigested` false: an envelope has room for its digest, which
   * `writeDigests` writes for many together.
   */
  seal(take: TakeBytes = allocate, isDigested: boolean = true): Buffer {
    const sealed = this.isEnvelope ? this.#sealEnvelope(take, isDigested) : this.#sealPlain(take)
    this.#end = 0
    this.#count = 0
    this.#keys.clear()
    this.#hashKeys.clear()
    return sealed
  }

  /** Whether `seal` would return an envelope. O(1), except for a lone payload that begins with the magic. */
  get isEnvelope(): boolean {
    if (this.#count !== 1 || this.#tag !== undefined) return true
    return isEnvelope(this.#scratch.subarray(this.#firstDataAt, this.#end))
  }

  #sealPlain(take: TakeBytes): Buffer {
    return copyOf(this.#scratch.subarray(this.#firstDataAt, this.#end), this.#end - this.#firstDataAt, take)
  }

  #sealEnvelope(take: TakeBytes, isDigested: boolean): Buffer {
    const sealed = take(this.envelopeBytes)
    sealed[0] = MAGIC_0
    sealed[1] = MAGIC_1
    sealed[2] = MAGIC_2
    sealed[3] = MAGIC_3
    let at = this.#keys.write(sealed, MAGIC_BYTES, TAG_PARTITION_KEY)
    at = this.#hashKeys.write(sealed, at, TAG_EXPLICIT_HASH_KEY)
    this.#scratch.copy(sealed, at, 0, this.#end)
    at += this.#end
    if (isDigested) sealed.write(md5(sealed.subarray(MAGIC_BYTES, at), 'binary'), at, 'latin1')
    return sealed
  }

  #writeMember(
    keyIndex: number,
    hashKeyIndex: number,
    bodyBytes: number,
    data: Uint8Array | string,
    dataBytes: number,
    prefix: Uint8Array | undefined
  ) {
    const target = this.#scratch
    let at = this.#end
    target[at++] = TAG_RECORD
    at = writeVarint(target, at, bodyBytes)
    target[at++] = TAG_RECORD_PARTITION_KEY_INDEX
    at = writeVarint(target, at, keyIndex)
    if (hashKeyIndex >= 0) {
      target[at++] = TAG_RECORD_EXPLICIT_HASH_KEY_INDEX
      at = writeVarint(target, at, hashKeyIndex)
    }
    target[at++] = TAG_RECORD_DATA
    at = writeVarint(target, at, dataBytes)
    if (this.#count === 0) this.#firstDataAt = at
    this.#end = at + dataBytes
    if (prefix !== undefined) at = writePrefix(target, at, prefix)
    if (typeof data === 'string') writeText(target, at, data, this.#end - at)
    else writeBytes(target, at, data, this.#end - at)
  }

  #reserve(bytes: number): void {
    const neededBytes = this.#end + bytes
    if (neededBytes <= this.#scratch.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(neededBytes, this.#scratch.length * 2))
    this.#scratch.copy(grown, 0, 0, this.#end)
    this.#scratch = grown
  }
}

/**
 * The same for CBOR (RFC 8949, definite lengths): the entries of a request, and the answer to them.
 * Invariant: data is not copied; an unknown field or type throws.
 */
import type { WireEntry } from './json-scan.ts'

const UNSIGNED = 0
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5

export function scanCbor(body: Buffer): WireEntry[] {
  const reader = new Reader(body)
  let entries: WireEntry[] = []
  for (let fields = reader.head(MAP); fields > 0; fields--) {
    const name = reader.text()
    if (name === 'Records') entries = Array.from({ length: reader.head(ARRAY) }, () => readEntry(reader))
    else reader.text()
  }
  return entries
}

/** `{ FailedRecordCount: 0, Records: [ { SequenceNumber, ShardId } ] }`. */
export function cborAnswer(records: readonly { readonly ShardId: string; readonly SequenceNumber: string }[]): Buffer {
  const parts = [
    head(MAP, 2),
    text('FailedRecordCount'),
    head(UNSIGNED, 0),
    text('Records'),
    head(ARRAY, records.length)
  ]
  for (const { ShardId, SequenceNumber } of records) {
    parts.push(head(MAP, 2), SHARD_ID, text(ShardId), SEQUENCE_NUMBER, text(SequenceNumber))
  }
  return Buffer.concat(parts)
}

function readEntry(reader: Reader): WireEntry {
  let partitionKey = ''
  let explicitHashKey: string | undefined
  let data: Buffer | undefined
  for (let fields = reader.head(MAP); fields > 0; fields--) {
    const name = reader.text()
    if (name === 'Data') data = reader.bytes(BYTES)
    else if (name === 'PartitionKey') partitionKey = reader.text()
    else if (name === 'ExplicitHashKey') explicitHashKey = reader.text()
    else throw new Error(`an entry has ${name}`)
  }
  if (data === undefined) throw new Error('an entry has no data')
  return { partitionKey, explicitHashKey, data: () => data }
}

class Reader {
  readonly #body: Buffer
  #at = 0

  constructor(body: Buffer) {
    this.#body = body
  }

  /** The argument of an item of type `major`: a length, a count or a number. */
  head(major: number): number {
    const first = this.#body[this.#at]!
    if (first >> 5 !== major) throw new Error(`type ${first >> 5} instead of ${major}`)
    this.#at++
    const info = first & 31
    if (info < 24) return info
    const bytes = 2 ** (info - 24)
    const value = this.#body.readUIntBE(this.#at, bytes)
    this.#at += bytes
    return value
  }

  bytes(major: number): Buffer {
    const length = this.head(major)
    this.#at += length
    return this.#body.subarray(this.#at - length, this.#at)
  }

  text(): string {
    return this.bytes(TEXT).toString()
  }
}

function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value])
  return value < 256 ? Buffer.from([(major << 5) | 24, value]) : Buffer.from([(major << 5) | 25, value >> 8, value])
}

function text(value: string): Buffer {
  return Buffer.concat([head(TEXT, value.length), Buffer.from(value, 'latin1')])
}

const SHARD_ID = text('ShardId')
const SEQUENCE_NUMBER = text('SequenceNumber')

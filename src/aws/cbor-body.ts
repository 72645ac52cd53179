/**
 * Writes the CBOR body of a PutRecords request (`application/x-amz-cbor-1.1`) straight into a buffer.
 * Invariant: the bytes decode to exactly the given request, and are as many as were counted before the first was written.
 * Hot: 5 MiB per request; the data is copied once and nothing is allocated for a record.
 * Grammar (RFC 8949, definite lengths only, as the AWS SDK for Java reads and writes it):
 *
 * body   = map { [ "StreamName": text ] [ "StreamARN": text ] "Records": array of record }
 * record = map { "Data": byte string, "PartitionKey": text [ "ExplicitHashKey": text ] }
 */
import type { PutRecordsCommandInput, PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import { writeText } from '../wire/bytes.ts'
import type { TakeBuffer, WrittenBody } from './request-body.ts'

const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5

const STREAM_NAME = textItem('StreamName')
const STREAM_ARN = textItem('StreamARN')
const RECORDS = textItem('Records')
const DATA = textItem('Data')
const PARTITION_KEY = textItem('PartitionKey')
const EXPLICIT_HASH_KEY = textItem('ExplicitHashKey')
const NO_BYTES = new Uint8Array(0)
const NO_RECORDS: PutRecordsRequestEntry[] = []

/** Returns the body of `input`, written into a buffer of `take`. `Data` is read, not kept. Cost: O(bytes). */
export function writeCborBody(input: PutRecordsCommandInput, take: TakeBuffer): WrittenBody {
  const { StreamName, StreamARN, Records = NO_RECORDS } = input
  const totalBytes = requestBytes(input)
  const buffer = take(totalBytes)
  let offset = writeHead(buffer, 0, MAP, 1 + presentCount(StreamName) + presentCount(StreamARN))
  if (StreamName !== undefined) offset = writeMember(buffer, offset, STREAM_NAME, StreamName)
  if (StreamARN !== undefined) offset = writeMember(buffer, offset, STREAM_ARN, StreamARN)
  offset = writeKey(buffer, offset, RECORDS)
  offset = writeHead(buffer, offset, ARRAY, Records.length)
  for (const record of Records) offset = writeRecord(buffer, offset, record)
  if (offset !== totalBytes) throw new RangeError(`A body of ${totalBytes} bytes became ${offset} bytes.`)
  return { buffer, body: buffer.subarray(0, offset) }
}

function writeRecord(buffer: Buffer, start: number, record: PutRecordsRequestEntry): number {
  const { Data = NO_BYTES, PartitionKey = '', ExplicitHashKey } = record
  let offset = writeHead(buffer, start, MAP, 2 + presentCount(ExplicitHashKey))
  offset = writeKey(buffer, offset, DATA)
  offset = writeHead(buffer, offset, BYTES, Data.length)
  buffer.set(Data, offset)
  offset = writeMember(buffer, offset + Data.length, PARTITION_KEY, PartitionKey)
  return ExplicitHashKey === undefined ? offset : writeMember(buffer, offset, EXPLICIT_HASH_KEY, ExplicitHashKey)
}

function requestBytes({ StreamName, StreamARN, Records = NO_RECORDS }: PutRecordsCommandInput): number {
  let bytes = headBytes(1 + presentCount(StreamName) + presentCount(StreamARN))
  if (StreamName !== undefined) bytes += memberBytes(STREAM_NAME, StreamName)
  if (StreamARN !== undefined) bytes += memberBytes(STREAM_ARN, StreamARN)
  bytes += RECORDS.length + headBytes(Records.length)
  for (const { Data = NO_BYTES, PartitionKey = '', ExplicitHashKey } of Records) {
    bytes += headBytes(2 + presentCount(ExplicitHashKey))
    bytes += DATA.length + headBytes(Data.length) + Data.length
    bytes += memberBytes(PARTITION_KEY, PartitionKey)
    if (ExplicitHashKey !== undefined) bytes += memberBytes(EXPLICIT_HASH_KEY, ExplicitHashKey)
  }
  return bytes
}

function writeMember(buffer: Buffer, start: number, key: Buffer, value: string): number {
  const valueBytes = Buffer.byteLength(value)
  const offset = writeHead(buffer, writeKey(buffer, start, key), TEXT, valueBytes)
  return offset + writeText(buffer, offset, value, valueBytes)
}

function memberBytes(key: Buffer, value: string): number {
  const valueBytes = Buffer.byteLength(value)
  return key.length + headBytes(valueBytes) + valueBytes
}

function writeKey(buffer: Buffer, offset: number, key: Buffer): number {
  buffer.set(key, offset)
  return offset + key.length
}

/** The head of an item: its kind in three bits, then `count` in as few bytes as hold it. */
function writeHead(buffer: Buffer, offset: number, kind: number, count: number): number {
  const high = kind << 5
  if (count < 24) return buffer.writeUInt8(high | count, offset)
  if (count < 0x100) return buffer.writeUInt8(count, buffer.writeUInt8(high | 24, offset))
  if (count < 0x1_0000) return buffer.writeUInt16BE(count, buffer.writeUInt8(high | 25, offset))
  return buffer.writeUInt32BE(count, buffer.writeUInt8(high | 26, offset))
}

function headBytes(count: number): number {
  if (count < 24) return 1
  if (count < 0x100) return 2
  return count < 0x1_0000 ? 3 : 5
}

function presentCount(value: string | undefined): number {
  return value === undefined ? 0 : 1
}

function textItem(text: string): Buffer {
  const item = Buffer.alloc(headBytes(text.length) + text.length)
  item.write(text, writeHead(item, 0, TEXT, text.length), 'latin1')
  return item
}

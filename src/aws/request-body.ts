/**
 * Writes the JSON body of a PutRecords request straight into a buffer.
 * Invariant: the bytes parse as JSON to exactly the given request; the buffer is never too small, by arithmetic.
 * Hot: 5 MiB per request; base64 goes through a Latin-1 string into the buffer, several times faster than byte loops. Each write is
 * a way into native code, so what is short is joined before it is written: 0.5 of the CPU time for 500 records of 100 bytes.
 *
 * body   = '{' [ '"StreamName":' text ',' ] [ '"StreamARN":' text ',' ] '"Records":[' record { ',' record } ']}'
 * record = '{"PartitionKey":' text ',' [ '"ExplicitHashKey":' text ',' ] '"Data":"' base64 '"}'
 */
import type { PutRecordsCommandInput, PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'

/** Returns a buffer of at least `bytes`. */
export type TakeBuffer = (bytes: number) => Buffer

export interface WrittenBody {
  /** The whole buffer, for its owner. */
  readonly buffer: Buffer
  /** The body: a view of the beginning of `buffer`. */
  readonly body: Buffer
}

const MAX_UTF8_BYTES_PER_UNIT = 3
const RECORDS_END = '"}]}'
const RECORD_END = '"},'
const NO_RECORDS_END = ']}'
/** Longer data is written by itself: joining would copy it once more. */
const SHORT_CHARACTERS = 512
/** Joined text is written once it is longer, while it is in the processor's cache. */
const MAX_JOINED_CHARACTERS = 16_384

/** Returns the body of `input`, written into a buffer of `take`. `Data` is read, not kept. Cost: O(bytes). */
export function writePutRecordsBody(input: PutRecordsCommandInput, take: TakeBuffer): WrittenBody {
  const records = input.Records ?? []
  const start = requestHead(input)
  const heads = records.map((record, index) => (index === 0 ? '' : RECORD_END) + recordHead(record))
  const buffer = take(boundBytes(start, heads, records))
  let offset = 0
  let text = start
  records.forEach(({ Data }, index) => {
    text += heads[index]!
    const base64 = Data === undefined ? '' : asBuffer(Data).toString('base64')
    const isShort = base64.length <= SHORT_CHARACTERS
    if (isShort) text += base64
    if (isShort && text.length <= MAX_JOINED_CHARACTERS) return
    offset += buffer.write(text, offset, 'utf8')
    text = ''
    if (!isShort) offset += buffer.write(base64, offset, 'latin1')
  })
  offset += buffer.write(text + (records.length === 0 ? NO_RECORDS_END : RECORDS_END), offset, 'utf8')
  return { buffer, body: buffer.subarray(0, offset) }
}

function requestHead({ StreamName, StreamARN }: PutRecordsCommandInput): string {
  const name = StreamName === undefined ? '' : `"StreamName":${JSON.stringify(StreamName)},`
  const arn = StreamARN === undefined ? '' : `"StreamARN":${JSON.stringify(StreamARN)},`
  return `{${name}${arn}"Records":[`
}

function recordHead({ PartitionKey, ExplicitHashKey }: PutRecordsRequestEntry): string {
  const hashKey = ExplicitHashKey === undefined ? '' : `"ExplicitHashKey":${JSON.stringify(ExplicitHashKey)},`
  return `{"PartitionKey":${JSON.stringify(PartitionKey)},${hashKey}"Data":"`
}

function boundBytes(start: string, heads: readonly string[], records: readonly PutRecordsRequestEntry[]): number {
  let bytes = start.length * MAX_UTF8_BYTES_PER_UNIT + RECORDS_END.length
  for (const head of heads) bytes += head.length * MAX_UTF8_BYTES_PER_UNIT
  for (const { Data } of records) bytes += Math.ceil((Data?.length ?? 0) / 3) * 4 + RECORD_END.length
  return bytes
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

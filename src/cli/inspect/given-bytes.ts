/**
 * The input of `inspect`, as the bytes of Kinesis records: raw, base64, hex, or a Lambda event of any kind.
 * Invariant: text is decoded only when the whole of it is of that format; a record of an event keeps its place in it.
 */
import { CliError } from '../errors.ts'
import { jsonFields } from '../input/json-text.ts'

export type InputFormat = 'auto' | 'raw' | 'base64' | 'hex' | 'event'

export interface GivenRecord {
  /** Where it was: `Records[0]`; empty for the only one. */
  readonly place: string
  readonly bytes: Uint8Array
  readonly partitionKey?: string | undefined
}

const HEX = /^(?:[0-9a-f]{2})+$/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Throws CLI_ERR_INPUT when the bytes are not of the format that was named. */
export function givenRecords(bytes: Buffer, format: InputFormat): readonly GivenRecord[] {
  if (format === 'raw') return [{ place: '', bytes }]
  const text = bytes.toString().trim()
  const compact = text.replace(/\s+/g, '')
  if (format === 'hex' || (format === 'auto' && compact.length > 0 && HEX.test(compact))) {
    if (!HEX.test(compact)) throw notOf('hex')
    return [{ place: '', bytes: Buffer.from(compact, 'hex') }]
  }
  if (format === 'base64' || (format === 'auto' && compact.length > 0 && BASE64.test(compact))) {
    if (!BASE64.test(compact)) throw notOf('base64')
    return [{ place: '', bytes: Buffer.from(compact, 'base64') }]
  }
  const event = text.startsWith('{') ? jsonFields(text) : undefined
  const records = event === undefined ? [] : recordsOf(event)
  if (records.length > 0) return records
  if (format === 'event') throw notOf('a Lambda event, a GetRecords answer or a record')
  return [{ place: '', bytes }]
}

/** Lambda events have `Records[].kinesis.data`, Firehose's `records[].data`, GetRecords `Records[].Data`; or it is one record. */
function recordsOf(event: Readonly<Record<string, unknown>>): GivenRecord[] {
  const list = event['Records'] ?? event['records']
  if (!Array.isArray(list)) {
    const record = recordOf(event, '')
    return record === undefined ? [] : [record]
  }
  const name = 'Records' in event ? 'Records' : 'records'
  return list.flatMap((item: unknown, index) => {
    const record = item instanceof Object ? recordOf({ ...item }, `${name}[${index}]`) : undefined
    return record === undefined ? [] : [record]
  })
}

function recordOf(item: Readonly<Record<string, unknown>>, place: string): GivenRecord | undefined {
  const kinesis = item['kinesis'] instanceof Object ? { ...item['kinesis'] } : item
  const fields = kinesis as Readonly<Record<string, unknown>>
  const data = fields['data'] ?? fields['Data']
  if (typeof data !== 'string' || !BASE64.test(data)) return undefined
  const key = fields['partitionKey'] ?? fields['PartitionKey']
  return { place, bytes: Buffer.from(data, 'base64'), ...(typeof key === 'string' ? { partitionKey: key } : undefined) }
}

function notOf(format: string): CliError {
  return new CliError('CLI_ERR_INPUT', `the input is not ${format}`, { fix: 'choose another --in' })
}

/**
 * One format for a record with its key: what `tail --out records` and the dead letter file write, and `put --in records` reads.
 * Example: `{"partitionKey":"k","data":"text"}`; bytes that are not UTF-8 are `"dataBase64":"..."`.
 * Invariant: reading what was written gives the same record; fields that are not known are passed over.
 */
import { isUtf8 } from 'node:buffer'
import { faultItem, type Item } from './item.ts'
import { jsonValue } from './json-text.ts'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The parts of a record that are written. */
export interface EnvelopeFields {
  readonly partitionKey: string
  readonly explicitHashKey?: string | undefined
  readonly data: Uint8Array
  readonly stream?: string | undefined
}

/** Returns `data` or `dataBase64`, as the bytes allow. */
export function dataFields(data: Uint8Array): { readonly data: string } | { readonly dataBase64: string } {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return isUtf8(bytes) ? { data: bytes.toString() } : { dataBase64: bytes.toString('base64') }
}

/** Returns the line of a record without its newline; `more` are fields that readers pass over. */
export function envelopeLine(record: EnvelopeFields, more: Readonly<Record<string, unknown>> = {}): string {
  const { partitionKey, explicitHashKey, data, stream } = record
  return JSON.stringify({ partitionKey, explicitHashKey, ...dataFields(data), stream, ...more })
}

/** Returns the record of a line. */
export function itemOfEnvelope(line: Uint8Array): Item {
  const value = jsonValue(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString())
  if (typeof value !== 'object' || value === null) return bad('is not a JSON object')
  const { partitionKey, explicitHashKey, data, dataBase64, stream } = value as Readonly<Record<string, unknown>>
  if (typeof partitionKey !== 'string') return bad('has no partitionKey')
  const isHashKey = explicitHashKey === undefined || explicitHashKey === null || typeof explicitHashKey === 'string'
  if (!isHashKey) return bad('has an explicitHashKey that is no text')
  const isStream = stream === undefined || stream === null || typeof stream === 'string'
  if (!isStream) return bad('has a stream that is no text')
  const hasBoth = (data === undefined) === (dataBase64 === undefined)
  if (hasBoth) return bad('must have exactly one of data and dataBase64')
  const bytes = typeof data === 'string' ? Buffer.from(data) : base64Bytes(dataBase64)
  if (bytes === undefined)
    return bad(data === undefined ? 'has a dataBase64 that is not base64' : 'has data that is no text')
  return {
    partitionKey,
    data: bytes,
    ...(typeof explicitHashKey === 'string' ? { explicitHashKey } : undefined),
    ...(typeof stream === 'string' ? { streamName: stream } : undefined)
  }
}

function base64Bytes(text: unknown): Uint8Array | undefined {
  return typeof text === 'string' && BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
}

function bad(fault: string): Item {
  return faultItem('CLI_ERR_BAD_LINE', `an envelope ${fault}`)
}

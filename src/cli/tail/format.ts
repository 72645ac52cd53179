/**
 * A user record as `tail` prints it.
 * Example: `--format '%k\t%v'` prints key, tab, data, newline.
 * Invariant: bytes that are not UTF-8 are never shown as if they were: text marks base64, JSON has another field. On a terminal
 * control characters are shown as escapes, so that data cannot move the cursor.
 */
import { isUtf8 } from 'node:buffer'
import { CliError } from '../errors.ts'
import { dataFields, envelopeLine } from '../input/envelope.ts'
import { JsonScanner } from '../input/json-scanner.ts'
import type { ShownRecord } from './decode.ts'
import type { TailFlags } from './tail-flags.ts'

/** `n` counts printed records from 1. */
export type Formatter = (record: ShownRecord, n: number) => string | Uint8Array

export function formatterOf(flags: Pick<TailFlags, 'out' | 'format' | 'metaOnly'>, isTTY: boolean): Formatter {
  const shown = isTTY ? escaped : (text: string) => text
  const isMeta = flags.metaOnly === true
  if (flags.format !== undefined) return ofTemplate(flags.format, shown)
  if (flags.out === 'json') return isMeta ? record => `${JSON.stringify(metaOf(record))}\n` : jsonLine
  if (flags.out === 'records') return record => `${envelopeLine(record, placeOf(record))}\n`
  if (flags.out === 'raw') return ({ data }) => data
  if (isMeta)
    return ({ shardId, sequenceNumber, subSequenceNumber, partitionKey }) =>
      `${shardId} ${sequenceNumber} ${subSequenceNumber} ${shown(partitionKey)}\n`
  return ({ data }) => `${shown(textOf(data))}\n`
}

/** Written by hand where it pays: this is what bounds `tail --out json`. */
function jsonLine(record: ShownRecord): string {
  const { shardId, sequenceNumber, subSequenceNumber, partitionKey, explicitHashKey, arrivalTimestamp, data } = record
  const { schema } = record
  const hashKey = explicitHashKey === undefined ? '' : `"explicitHashKey":"${explicitHashKey}",`
  const arrival = arrivalTimestamp === undefined ? '' : `"arrivalTimestamp":${arrivalTimestamp},`
  const place = `"shardId":"${shardId}","sequenceNumber":"${sequenceNumber}","subSequenceNumber":${subSequenceNumber}`
  const written = schema === undefined ? '' : `"schema":${JSON.stringify(schema)},`
  return `{"type":"record",${place},${arrival}"partitionKey":${JSON.stringify(partitionKey)},${hashKey}${written}${bodyOf(data)}}\n`
}

/** JSON goes in as it is, so its numbers keep their digits; other text as `data`. */
function bodyOf(data: Uint8Array): string {
  const bytes = bufferOf(data)
  if (!isUtf8(bytes)) return `"dataBase64":"${bytes.toString('base64')}"`
  const text = bytes.toString()
  const isObject = bytes[0] === 0x7b || bytes[0] === 0x5b
  // Newlines in JSON stand between values; a line of ours is one line.
  if (isObject && JSON_CHECK.find(bytes).kind !== 'not-json') return `"json":${text.replace(/[\r\n]+/g, ' ')}`
  return `"data":${JSON.stringify(text)}`
}

const JSON_CHECK = new JsonScanner([])

function placeOf({ shardId, sequenceNumber, subSequenceNumber, arrivalTimestamp }: ShownRecord) {
  return { shardId, sequenceNumber, subSequenceNumber, arrivalTimestamp }
}

function metaOf(record: ShownRecord) {
  const { partitionKey, explicitHashKey, data, schema } = record
  return { type: 'record', ...placeOf(record), partitionKey, explicitHashKey, schema, bytes: data.length }
}

const FIELDS: Readonly<Record<string, (record: ShownRecord, n: number) => string>> = {
  k: ({ partitionKey }) => partitionKey,
  v: ({ data }) => textOf(data),
  s: ({ shardId }) => shardId,
  q: ({ sequenceNumber }) => sequenceNumber,
  u: ({ subSequenceNumber }) => String(subSequenceNumber),
  t: ({ arrivalTimestamp }) => (arrivalTimestamp === undefined ? '' : String(arrivalTimestamp)),
  n: (_, n) => String(n),
  '%': () => '%'
}
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', 0: '\0', '\\': '\\' }

function ofTemplate(template: string, shown: (text: string) => string): Formatter {
  const parts = [...template.matchAll(/%(.?)|\\(.?)|[^%\\]+/gs)].map(([text, field, letter]) => {
    if (letter !== undefined) return () => ESCAPES[letter] ?? text
    if (field === undefined) return () => text
    const get = FIELDS[field]
    if (get === undefined)
      throw new CliError('CLI_ERR_USAGE', `--format: %${field} is nothing; there are %k %v %s %q %u %t %n %%`)
    return (record: ShownRecord, n: number) => shown(get(record, n))
  })
  const end = /\\[n0]$/.test(template) ? '' : '\n'
  return (record, n) => parts.map(part => part(record, n)).join('') + end
}

function textOf(data: Uint8Array): string {
  const fields = dataFields(data)
  return 'data' in fields ? fields.data : `base64:${fields.dataBase64}`
}

function bufferOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

function escaped(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

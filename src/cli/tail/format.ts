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

/** Takes the parts of a line. */
export interface LineParts {
  text(part: string): void
  bytes(part: Uint8Array): void
}

/** Writes the line of a record, with its end. `n` counts printed records from 1. */
export type Formatter = (record: ShownRecord, n: number, line: LineParts) => void

export function formatterOf(flags: Pick<TailFlags, 'out' | 'format' | 'metaOnly'>, isTTY: boolean): Formatter {
  const shown = isTTY ? escaped : (text: string) => text
  const isMeta = flags.metaOnly === true
  if (flags.format !== undefined) return ofTemplate(flags.format, shown)
  if (flags.out === 'json') return isMeta ? ofText(record => JSON.stringify(metaOf(record))) : jsonLines()
  if (flags.out === 'records') return ofText(record => envelopeLine(record, placeOf(record)))
  if (flags.out === 'raw') return ({ data }, _, line) => line.bytes(data)
  if (isMeta)
    return ofText(
      ({ shardId, sequenceNumber, subSequenceNumber, partitionKey }) =>
        `${shardId} ${sequenceNumber} ${subSequenceNumber} ${shown(partitionKey)}`
    )
  if (isTTY) return ofText(({ data }) => escaped(textOf(data)))
  return ({ data }, _, line) => {
    if (isUtf8(data)) line.bytes(data)
    else line.text(textOf(data))
    line.text('\n')
  }
}

function ofText(textOfRecord: (record: ShownRecord) => string): Formatter {
  return (record, _, line) => line.text(`${textOfRecord(record)}\n`)
}

/**
 * Written by hand where it pays: this is what bounds `tail --out json`. User records of one Kinesis record have the same place, except
 * their number within it, and data that is JSON is copied as bytes.
 */
function jsonLines(): Formatter {
  let lastShardId = ''
  let lastSequenceNumber = ''
  let head = Buffer.alloc(0)
  let middle = ''
  return (record, _, line) => {
    const { shardId, sequenceNumber, subSequenceNumber, partitionKey, explicitHashKey, arrivalTimestamp, schema } =
      record
    if (sequenceNumber !== lastSequenceNumber || shardId !== lastShardId) {
      const place = `"shardId":"${shardId}","sequenceNumber":"${sequenceNumber}"`
      head = Buffer.from(`{"type":"record",${place},"subSequenceNumber":`)
      middle = `${arrivalTimestamp === undefined ? '' : `,"arrivalTimestamp":${arrivalTimestamp}`},"partitionKey":`
      lastShardId = shardId
      lastSequenceNumber = sequenceNumber
    }
    const hashKey = explicitHashKey === undefined ? '' : `,"explicitHashKey":"${explicitHashKey}"`
    const written = schema === undefined ? '' : `,"schema":${JSON.stringify(schema)}`
    line.bytes(head)
    const start = `${subSequenceNumber}${middle}${JSON.stringify(partitionKey)}${hashKey}${written}`
    const data = bufferOf(record.data)
    if (isJsonLine(data)) {
      line.text(`${start},"json":`)
      line.bytes(data)
      line.bytes(END)
    } else line.text(`${start},${bodyOf(data)}}\n`)
  }
}

const END = Buffer.from('}\n')

/** Whether the data may stand in a line of JSON as it is: its numbers keep their digits so. */
function isJsonLine(data: Buffer): boolean {
  return isJson(data) && !data.includes(0x0a) && !data.includes(0x0d) && isUtf8(data)
}

function isJson(data: Buffer): boolean {
  const isObject = data[0] === 0x7b || data[0] === 0x5b
  return isObject && JSON_CHECK.find(data).kind !== 'not-json'
}

function bodyOf(data: Buffer): string {
  if (!isUtf8(data)) return `"dataBase64":"${data.toString('base64')}"`
  const text = data.toString()
  // Newlines in JSON stand between values; a line of ours is one line.
  return isJson(data) ? `"json":${text.replace(/[\r\n]+/g, ' ')}` : `"data":${JSON.stringify(text)}`
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
  return (record, n, line) => line.text(parts.map(part => part(record, n)).join('') + end)
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

/**
 * How bytes become records: lines, NDJSON, envelopes, whole files, lengths before each record.
 * Invariant: data is sent as it came; what cannot be a record is an item with a fault, and the reading goes on behind it.
 */
import { CliError } from '../errors.ts'
import { itemOfEnvelope } from './envelope.ts'
import { type Framing, faultItem, type Item } from './item.ts'
import { JsonScanner } from './json-scanner.ts'
import { LineSplitter, type SplitOptions, type TooLong } from './line-splitter.ts'

export const TOO_LONG: Item = faultItem('CLI_ERR_LINE_TOO_LONG', 'a line is longer than --max-line; it was passed over')
export const NOT_JSON: Item = faultItem('CLI_ERR_BAD_LINE', 'a line is not JSON')
const MAX_U32_BYTES = 64 * 1_048_576

/** The record of a line; undefined: the line is skipped. */
type ItemOf = (line: Uint8Array) => Item | undefined

/** Lines as they are; empty ones are records without data. */
export function lineFraming(options: SplitOptions, itemOf: ItemOf = plainItem): Framing {
  return async function* frame(source) {
    const splitter = new LineSplitter(options)
    for await (const chunk of source) yield itemsOf(splitter.lines(chunk), itemOf)
    yield itemsOf(splitter.end(), itemOf)
  }
}

/** Lines that must be JSON; blank ones are passed over. Without `isChecked`, the reader of the key finds lines that are not JSON. */
export function ndjsonFraming(options: SplitOptions, isChecked: boolean = true): Framing {
  const checker = new JsonScanner([])
  return lineFraming(options, line => {
    if (isBlank(line)) return undefined
    return isChecked && checker.find(line).kind === 'not-json' ? { ...NOT_JSON, data: line } : { data: line }
  })
}

/** Lines that are envelopes: `{"partitionKey":"k","data":"text"}`; blank ones are passed over. */
export function envelopeFraming(options: SplitOptions): Framing {
  return lineFraming({ ...options, keepSeparator: false }, line => (isBlank(line) ? undefined : itemOfEnvelope(line)))
}

/** The whole input is one record. */
export function fileFraming(maxBytes: number): Framing {
  return async function* frame(source) {
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of source) {
      bytes += chunk.length
      if (bytes <= maxBytes) chunks.push(chunk)
    }
    yield bytes <= maxBytes
      ? [{ data: Buffer.concat(chunks) }]
      : [faultItem('CLI_ERR_LINE_TOO_LONG', `an input of ${bytes} bytes is longer than --max-line`)]
  }
}

/** Four bytes of length, most significant first, before each record. */
export function u32Framing(): Framing {
  return async function* frame(source) {
    let held: Buffer = Buffer.alloc(0)
    for await (const chunk of source) {
      held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk])
      const items: Item[] = []
      let at = 0
      while (held.length - at >= 4) {
        const length = held.readUInt32BE(at)
        if (length > MAX_U32_BYTES)
          throw new CliError('CLI_ERR_INPUT', `a length of ${length} bytes: this is not --in u32`)
        if (held.length - at - 4 < length) break
        items.push({ data: held.subarray(at + 4, at + 4 + length) })
        at += 4 + length
      }
      held = held.subarray(at)
      yield items
    }
    if (held.length > 0) throw new CliError('CLI_ERR_INPUT', `the input ends ${held.length} bytes into a record`)
  }
}

function itemsOf(lines: readonly (Uint8Array | TooLong)[], itemOf: ItemOf): Item[] {
  const items: Item[] = []
  for (const line of lines) {
    const item = line === 'too long' ? TOO_LONG : itemOf(line)
    if (item !== undefined) items.push(item)
  }
  return items
}

function plainItem(line: Uint8Array): Item {
  return { data: line }
}

function isBlank(line: Uint8Array): boolean {
  for (let i = 0; i < line.length; i++) {
    const byte = line[i]
    const isSpace = byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
    if (!isSpace) return false
  }
  return true
}

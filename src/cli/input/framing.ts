/**
 * How bytes become records: lines, NDJSON, envelopes, whole files, lengths before each record.
 * Invariant: data is sent as it came; what cannot be a record is an item with a fault, and the reading goes on behind it.
 */
import { CliError } from '../errors.ts'
import { itemOfEnvelope } from './envelope.ts'
import { type Framing, faultItem, type Item } from './item.ts'
import { JsonScanner } from './json-scanner.ts'
import { LineSplitter, type SplitOptions } from './line-splitter.ts'

export const TOO_LONG = faultItem('CLI_ERR_LINE_TOO_LONG', 'a line is longer than --max-line; it was passed over')
const NOT_JSON = faultItem('CLI_ERR_BAD_LINE', 'a line is not JSON')
const MAX_U32_BYTES = 64 * 1_048_576

/** Lines as they are; empty ones are records without data. */
export function lineFraming(options: SplitOptions, itemOf: (line: Uint8Array) => Item = plainItem): Framing {
  return async function* frame(source) {
    const splitter = new LineSplitter(options)
    for await (const chunk of source) yield itemsOf(splitter.lines(chunk), itemOf)
    yield itemsOf(splitter.end(), itemOf)
  }
}

/** Lines that must be JSON; empty ones are passed over. */
export function ndjsonFraming(options: SplitOptions): Framing {
  const checker = new JsonScanner([])
  const framing = lineFraming(options, line => {
    if (isBlank(line)) return BLANK
    return checker.find(line).kind === 'not-json' ? NOT_JSON : { data: line }
  })
  return async function* frame(source) {
    for await (const items of framing(source)) yield withoutBlank(items)
  }
}

/** Lines that are envelopes: `{"partitionKey":"k","data":"text"}`. */
export function envelopeFraming(options: SplitOptions): Framing {
  const framing = lineFraming({ ...options, keepSeparator: false }, line =>
    isBlank(line) ? BLANK : itemOfEnvelope(line)
  )
  return async function* frame(source) {
    for await (const items of framing(source)) yield withoutBlank(items)
  }
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

function* itemsOf(lines: Iterable<Uint8Array | 'too long'>, itemOf: (line: Uint8Array) => Item): Generator<Item> {
  for (const line of lines) yield line === 'too long' ? TOO_LONG : itemOf(line)
}

function plainItem(line: Uint8Array): Item {
  return { data: line }
}

/** Stands for a blank line, and is taken out. */
const BLANK = faultItem('CLI_ERR_BAD_LINE', 'blank')

function* withoutBlank(items: Iterable<Item>): Generator<Item> {
  for (const item of items) if (item !== BLANK) yield item
}

function isBlank(line: Uint8Array): boolean {
  for (const byte of line) {
    const isSpace = byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
    if (!isSpace) return false
  }
  return true
}

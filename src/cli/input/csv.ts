/**
 * CSV rows as records: the bytes of the row as they stand in the file, and the key of a column.
 * Example: with `--key-column name`, the row `"a, b",2` has the key `a, b` when the header says `name,count`.
 * Invariant: quotes, commas and newlines within quotes are csv-parse's; the data of a row is never rewritten.
 */
import { type Info, type Options, Parser } from 'csv-parse'
import { hintOf } from '../arguments/nearest.ts'
import { CliError } from '../errors.ts'
import type { Framing, Item } from './item.ts'

export interface CsvOptions {
  readonly delimiter: string
  /** A name of the header or a place from 1; undefined: no key of a column. */
  readonly keyColumn: string | undefined
  /** Whether the first row is a header, which is not sent. A key by name needs it. */
  readonly hasHeader: boolean
  readonly keepNewline: boolean
  readonly maxRowBytes: number
}

interface Row {
  readonly record: readonly string[]
  readonly info: Info
}

export function csvFraming(options: CsvOptions): Framing {
  return async function* frame(source) {
    const rows = new CsvRows(options)
    for await (const chunk of source) yield await rows.feed(chunk)
    yield await rows.end()
  }
}

class CsvRows {
  readonly #options: CsvOptions
  readonly #parser: Parser
  #bytes: Buffer = Buffer.alloc(0)
  /** How many bytes of the input are before `#bytes`. */
  #before = 0
  #column: number | undefined
  #isHeader: boolean

  constructor(options: CsvOptions) {
    this.#options = options
    const isPlace = options.keyColumn !== undefined && /^\d+$/.test(options.keyColumn)
    if (isPlace) this.#column = Number(options.keyColumn) - 1
    this.#isHeader = options.hasHeader || (options.keyColumn !== undefined && !isPlace)
    const settings: Options = {
      delimiter: options.delimiter,
      record_delimiter: ['\r\n', '\n'],
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: options.maxRowBytes
    }
    this.#parser = new Parser(settings)
    this.#parser.on('error', () => {})
  }

  async feed(chunk: Uint8Array): Promise<readonly Item[]> {
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#bytes, chunk])
    const items: Item[] = []
    await new Promise<void>((resolve, reject) => {
      this.#parser.write(chunk, error => (error ? reject(csvError(error)) : resolve()))
      this.#take(items)
    })
    this.#take(items)
    return items
  }

  async end(): Promise<readonly Item[]> {
    const items: Item[] = []
    await new Promise<void>((resolve, reject) => {
      this.#parser.on('error', error => reject(csvError(error)))
      this.#parser.on('end', resolve)
      this.#parser.on('readable', () => this.#take(items))
      this.#parser.end()
      this.#take(items)
    })
    return items
  }

  #take(items: Item[]): void {
    for (;;) {
      const row: Row | null = this.#parser.read()
      if (row === null) return
      const item = this.#item(row)
      if (item !== undefined) items.push(item)
    }
  }

  #item({ record, info }: Row): Item | undefined {
    const end = info.bytes - this.#before
    const row = this.#bytes.subarray(0, end)
    this.#bytes = this.#bytes.subarray(end)
    this.#before += end
    if (this.#isHeader) {
      this.#isHeader = false
      this.#column ??= this.#columnNamed(record)
      return undefined
    }
    const data = this.#options.keepNewline ? row : withoutNewline(row)
    if (this.#options.keyColumn === undefined) return { data }
    const partitionKey = record[this.#column ?? 0]
    return partitionKey === undefined || partitionKey === '' ? { data, partitionKey: '' } : { data, partitionKey }
  }

  #columnNamed(header: readonly string[]): number | undefined {
    const name = this.#options.keyColumn
    if (name === undefined) return undefined
    const place = header.findIndex(column => column.replace(/^\ufeff/, '') === name)
    if (place >= 0) return place
    throw new CliError('CLI_ERR_USAGE', `--key-column: the header has no ${name}${hintOf(name, header)}`)
  }
}

function withoutNewline(row: Buffer): Buffer {
  let start = 0
  let end = row.length
  const isBreak = (byte: number | undefined) => byte === 0x0a || byte === 0x0d
  while (end > start && isBreak(row[end - 1])) end--
  while (start < end && isBreak(row[start])) start++
  return row.subarray(start, end)
}

function csvError(error: Error): CliError {
  return new CliError(
    'CLI_ERR_INPUT',
    `the CSV cannot be read on: ${'code' in error ? String(error.code) : error.name}`
  )
}

/**
 * Finds the entries of a PutRecords request in JSON without parsing it: a sink must be faster than what it measures.
 * Invariant: reads what JSON serializers write, compact or with white space (the KPL indents with tabs); anything else throws.
 */
export interface WireEntry {
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  /** The data, decoded when asked for. */
  readonly data: () => Buffer
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const BRACE_OPEN = 0x7b
const BRACE_CLOSE = 0x7d
const BRACKET_OPEN = 0x5b
const COLON = 0x3a
const SPACE = 0x20
const RECORDS = Buffer.from('"Records":')

export function scanJson(body: Buffer): WireEntry[] {
  const start = body.indexOf(RECORDS)
  if (start < 0) throw new Error('the body has no Records')
  const entries: WireEntry[] = []
  let at = skipSpace(body, start + RECORDS.length)
  if (body[at] !== BRACKET_OPEN) throw new Error('Records is not a list')
  at = skipSpace(body, at + 1)
  while (body[at] === BRACE_OPEN) {
    let partitionKey = ''
    let explicitHashKey: string | undefined
    let dataAt = 0
    let dataEnd = 0
    do {
      const nameAt = skipSpace(body, at + 1)
      const nameEnd = textEnd(body, nameAt)
      const colonAt = skipSpace(body, nameEnd + 1)
      if (body[colonAt] !== COLON) throw new Error(`no value at ${colonAt}`)
      const quoteAt = skipSpace(body, colonAt + 1)
      const name = body.toString('latin1', nameAt + 1, nameEnd)
      const valueAt = quoteAt + 1
      const valueEnd = textEnd(body, quoteAt)
      if (name === 'PartitionKey') partitionKey = textOf(body, valueAt, valueEnd)
      else if (name === 'ExplicitHashKey') explicitHashKey = textOf(body, valueAt, valueEnd)
      else if (name === 'Data') [dataAt, dataEnd] = [valueAt, valueEnd]
      else throw new Error(`an entry has ${name}`)
      at = skipSpace(body, valueEnd + 1)
    } while (body[at] === COMMA)
    if (body[at] !== BRACE_CLOSE) throw new Error('an entry does not end')
    const [from, to] = [dataAt, dataEnd]
    entries.push({
      partitionKey,
      explicitHashKey,
      data: () => Buffer.from(body.toString('latin1', from, to), 'base64')
    })
    at = skipSpace(body, at + 1)
    if (body[at] === COMMA) at = skipSpace(body, at + 1)
  }
  return entries
}

/** The first position from `at` on that is no white space. */
function skipSpace(body: Buffer, at: number): number {
  let end = at
  while (body[end]! <= SPACE) end++
  return end
}

/** Position of the quote that ends the text whose first quote is at `quoteAt`. */
function textEnd(body: Buffer, quoteAt: number): number {
  if (body[quoteAt] !== QUOTE) throw new Error(`no text at ${quoteAt}`)
  let end = body.indexOf(QUOTE, quoteAt + 1)
  while (end > 0 && isEscaped(body, end)) end = body.indexOf(QUOTE, end + 1)
  if (end < 0) throw new Error('a text does not end')
  return end
}

function isEscaped(body: Buffer, at: number): boolean {
  let backslashes = 0
  while (body[at - 1 - backslashes] === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

function textOf(body: Buffer, start: number, end: number): string {
  const text = body.toString('utf8', start, end)
  return text.includes('\\') ? String(JSON.parse(`"${text}"`)) : text
}

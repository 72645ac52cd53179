/**
 * Finds the entries of a PutRecords request in JSON without parsing it: a sink must be faster than what it measures.
 * Invariant: reads what JSON serializers write (no space needed, none expected inside entries); anything else throws.
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
const RECORDS = Buffer.from('"Records":[')

export function scanJson(body: Buffer): WireEntry[] {
  const start = body.indexOf(RECORDS)
  if (start < 0) throw new Error('the body has no Records')
  const entries: WireEntry[] = []
  let at = start + RECORDS.length
  while (body[at] === BRACE_OPEN) {
    let partitionKey = ''
    let explicitHashKey: string | undefined
    let dataAt = 0
    let dataEnd = 0
    do {
      const nameEnd = textEnd(body, at + 1)
      const name = body.toString('latin1', at + 2, nameEnd)
      const valueAt = nameEnd + 3
      const valueEnd = textEnd(body, nameEnd + 2)
      if (name === 'PartitionKey') partitionKey = textOf(body, valueAt, valueEnd)
      else if (name === 'ExplicitHashKey') explicitHashKey = textOf(body, valueAt, valueEnd)
      else if (name === 'Data') [dataAt, dataEnd] = [valueAt, valueEnd]
      else throw new Error(`an entry has ${name}`)
      at = valueEnd + 1
    } while (body[at] === COMMA)
    if (body[at] !== BRACE_CLOSE) throw new Error('an entry does not end')
    const [from, to] = [dataAt, dataEnd]
    entries.push({
      partitionKey,
      explicitHashKey,
      data: () => Buffer.from(body.toString('latin1', from, to), 'base64')
    })
    at++
    if (body[at] === COMMA) at++
  }
  return entries
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

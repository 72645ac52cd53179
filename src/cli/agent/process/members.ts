/**
 * Members put into a JSON object without parsing it again.
 * Example: the member `"b":2` makes `{"a":1.0}` into `{"a":1.0,"b":2}`.
 * Invariant: the bytes of the object stay as they are, so no number loses digits. A member that the object has already is left out.
 */
import { JsonScanner } from '../../input/json-scanner.ts'

export interface Member {
  readonly name: string
  /** JSON. */
  readonly json: string
}

const OPEN = 0x7b
const CLOSE = 0x7d
const ESCAPE = 0x5c

/** Returns the function that puts members into data, which returns undefined for data that is no JSON object. */
export function memberWriter(
  names: readonly string[]
): (data: Buffer, members: readonly Member[]) => Buffer | undefined {
  const checker = new JsonScanner([])
  const finders = new Map(names.map(name => [name, finderOf(name)]))
  return (data, members) => {
    const end = data.lastIndexOf(CLOSE)
    const isObject = end > 0 && firstOf(data) === OPEN && checker.find(data).kind !== 'not-json'
    if (!isObject) return undefined
    const hasEscapes = data.includes(ESCAPE)
    const added = members.filter(({ name }) => finders.get(name)?.(data, hasEscapes) === false)
    if (added.length === 0) return data
    const text = added.map(({ name, json }) => `${JSON.stringify(name)}:${json}`).join(',')
    return withText(data, end, isEmptyUntil(data, end) ? text : `,${text}`)
  }
}

/** Whether an object has a member of this name. Only where the name stands in the bytes at all are they read once more. */
function finderOf(name: string): (data: Buffer, hasEscapes: boolean) => boolean {
  const scanner = new JsonScanner([name])
  const quoted = Buffer.from(JSON.stringify(name))
  return (data, hasEscapes) => (hasEscapes || data.includes(quoted)) && scanner.find(data).kind !== 'missing'
}

/** One array and no views: this is done for each record. */
function withText(data: Buffer, at: number, text: string): Buffer {
  const length = Buffer.byteLength(text)
  const made = Buffer.allocUnsafe(data.length + length)
  data.copy(made, 0, 0, at)
  made.write(text, at)
  data.copy(made, at + length, at)
  return made
}

function firstOf(data: Buffer): number | undefined {
  let start = 0
  while (start < data.length && isSpace(data[start])) start++
  return data[start]
}

function isEmptyUntil(data: Buffer, end: number): boolean {
  let last = end - 1
  while (last > 0 && isSpace(data[last])) last--
  return data[last] === OPEN
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

/**
 * Members put into a JSON object without reading it anew.
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

/** Returns the function that puts members into data, which returns undefined for data that is no JSON object. */
export function memberWriter(
  names: readonly string[]
): (data: Buffer, members: readonly Member[]) => Buffer | undefined {
  const checker = new JsonScanner([])
  const scanners = new Map(names.map(name => [name, new JsonScanner([name])]))
  return (data, members) => {
    const end = data.lastIndexOf(CLOSE)
    const isObject = end > 0 && firstOf(data) === OPEN && checker.find(data).kind !== 'not-json'
    if (!isObject) return undefined
    const added = members.filter(({ name }) => scanners.get(name)?.find(data).kind === 'missing')
    if (added.length === 0) return data
    const text = added.map(({ name, json }) => `${JSON.stringify(name)}:${json}`).join(',')
    const comma = isEmptyUntil(data, end) ? '' : ','
    return Buffer.concat([data.subarray(0, end), Buffer.from(comma + text), data.subarray(end)])
  }
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

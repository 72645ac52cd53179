/**
 * A path into JSON, found by scanning the bytes: nothing is parsed into objects, and numbers keep their text.
 * Example: `.user.id` in `{"user":{"id":12345678901234567890}}` is the text `12345678901234567890`.
 * Invariant: the whole text is checked against RFC 8259, so bytes after a found value are never overlooked; of equal names the
 * last counts, as in JSON.parse.
 */
import { CliError } from '../errors.ts'
import { type Found, JsonScanner, type PathStep } from './json-scanner.ts'

/** Returns the steps of `.a.b[0]."odd name".["x"]`. Throws CLI_ERR_USAGE with the column. */
export function parsePath(text: string): readonly PathStep[] {
  const steps: PathStep[] = []
  const step = /\.?\[(-?\d{1,9})\]|\.([A-Za-z_][\w-]*)|\.("(?:[^"\\]|\\.)*")|\.?\[("(?:[^"\\]|\\.)*")\]/y
  while (step.lastIndex < text.length) {
    const column = step.lastIndex + 1
    const match = step.exec(text)
    if (match === null) throw pathError(column)
    const [, place, name, quoted, bracketed] = match
    if (place !== undefined) steps.push(Number(place))
    else steps.push(name ?? unquoted(quoted ?? bracketed ?? '""', column))
  }
  if (steps.length === 0) throw pathError(1)
  return steps
}

export class JsonPath {
  readonly #scanner: JsonScanner

  constructor(text: string) {
    this.#scanner = new JsonScanner(parsePath(text))
  }

  /** Returns what stands at the path: a string unescaped, a number, true or false as written. */
  find(bytes: Uint8Array): Found {
    return this.#scanner.find(bytes)
  }
}

function unquoted(text: string, column: number): string {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw pathError(column)
    throw error
  }
}

function pathError(column: number): CliError {
  return new CliError('CLI_ERR_USAGE', `the path is wrong at column ${column}; write .a.b[0], ."odd name" or .["x"]`)
}

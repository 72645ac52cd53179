/**
 * The config file: JSON with comments, read strictly.
 * Example: `{"regoin": "eu-west-1"}` ends with 2: `kpl.jsonc: regoin is not a key; did you mean region?`.
 * Invariant: an unknown key is an error with its path and the nearest name, never ignored.
 */
import { readFileSync } from 'node:fs'
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'
import { hintOf } from './arguments/nearest.ts'
import { CliError } from './errors.ts'

/** Returns the value of a JSON text with comments and trailing commas. Throws CLI_ERR_CONFIG with line and column. */
export function parseJsonc(text: string, path: string): unknown {
  const errors: ParseError[] = []
  const value: unknown = parse(text.replace(/^\ufeff/, ''), errors, { allowTrailingComma: true })
  const [first] = errors
  if (first === undefined) return value
  const before = text.slice(0, first.offset).split('\n')
  const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`
  throw new CliError('CLI_ERR_CONFIG', `${path}: ${printParseErrorCode(first.error)} at ${place}`)
}

/** Returns the value as an object whose keys are all known. `path` is the place within the file: `flows[0].key`. */
export function objectOf(value: unknown, path: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CliError('CLI_ERR_CONFIG', `${path} must be an object`)
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue
    throw new CliError(
      'CLI_ERR_CONFIG',
      `${path}: ${JSON.stringify(key.slice(0, 64))} is not a key${hintOf(key, known)}`
    )
  }
  return { ...value }
}

/** Returns the text of a config file. Throws CLI_ERR_INPUT when it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CliError('CLI_ERR_INPUT', `${path} cannot be read: ${error instanceof Error ? error.message : ''}`)
  }
}

/** The keys of the file; `state` and `flows` are those of `agent`, which checks them (agent/config-table.ts). */
const KEYS = ['$schema', 'region', 'endpoint', 'producer', 'state', 'flows'] as const

export interface CommonConfig {
  readonly region?: string
  readonly endpoint?: string
  /** Options of the producer, not checked yet. */
  readonly producer: Readonly<Record<string, unknown>>
}

/** Returns a parsed config file, checked, except the producer's options. */
export function commonConfig(value: unknown, path: string): CommonConfig {
  const { region, endpoint, producer = {} } = objectOf(value, path, KEYS)
  if (region !== undefined && typeof region !== 'string') throw notText(path, 'region')
  if (endpoint !== undefined && typeof endpoint !== 'string') throw notText(path, 'endpoint')
  if (typeof producer !== 'object' || producer === null || Array.isArray(producer)) {
    throw new CliError('CLI_ERR_CONFIG', `${path}: producer must be an object of options`)
  }
  return {
    ...(region === undefined ? undefined : { region }),
    ...(endpoint === undefined ? undefined : { endpoint }),
    producer: { ...producer }
  }
}

function notText(path: string, key: string): CliError {
  return new CliError('CLI_ERR_CONFIG', `${path}: ${key} must be a text`)
}

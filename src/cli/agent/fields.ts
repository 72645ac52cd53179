/**
 * Kinds of values of the config file. Each kind reads a value and has the JSON Schema that says the same.
 * Example: `time()` reads `"5s"` as 5,000 ms, and its schema is the pattern of such texts.
 * Invariant: a fault ends with CLI_ERR_CONFIG and names the place (`flows[0].rotateWait`); a key that is not known names the nearest one.
 */
import { expressionOf } from '../arguments/expression.ts'
import { hintOf } from '../arguments/nearest.ts'
import { durationMs, sizeBytes } from '../arguments/units.ts'
import { objectOf } from '../config.ts'
import { CliError } from '../errors.ts'
import type { Json } from '../output/json.ts'

export type JsonSchema = { readonly [name: string]: Json }

/** One kind of value: how it is read, and what a JSON Schema says of it. */
export interface Field<Value> {
  readonly schema: JsonSchema
  read(value: unknown, path: string): Value
}

export type ValueOf<Kind> = Kind extends Field<infer Value> ? Value : never
export type FieldsOf = Readonly<Record<string, Field<unknown>>>
/** The object that a table reads; what the file leaves out is undefined. */
export type ObjectOf<Table extends FieldsOf> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> | undefined }

const MAX_SHOWN_CHARACTERS = 40

export function text(
  more: { readonly minLength?: number; readonly pattern?: RegExp; readonly like?: string } = {}
): Field<string> {
  const { minLength = 1, pattern, like } = more
  return {
    schema: { type: 'string', minLength, ...(pattern === undefined ? undefined : { pattern: pattern.source }) },
    read(value, path) {
      if (typeof value !== 'string' || value.length < minLength)
        throw fault(path, minLength > 0 ? 'a text that is not empty' : 'a text', value)
      if (pattern !== undefined && !pattern.test(value)) throw fault(path, like ?? 'another text', value)
      return value
    }
  }
}

export function flag(): Field<boolean> {
  return {
    schema: { type: 'boolean' },
    read(value, path) {
      if (typeof value !== 'boolean') throw fault(path, 'true or false', value)
      return value
    }
  }
}

export function count(minimum = 0): Field<number> {
  return {
    schema: { type: 'integer', minimum },
    read(value, path) {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum)
        throw fault(path, `a whole number from ${minimum} on`, value)
      return value
    }
  }
}

const SIZE = '^\\d+(?:\\.\\d+)?\\s*(?:[bB]|[kKmMgG][iI]?[bB])?$'
const TIME = '^\\d+(?:\\.\\d+)?(?:ms|s|m|h|d)$'

/** Returns bytes: `8MiB`, or a number of bytes. */
export function size(minimum = 0): Field<number> {
  const like = `a size from ${minimum} bytes on: 512, "64KiB", "1MiB" or "5MB"`
  return {
    schema: {
      anyOf: [
        { type: 'integer', minimum },
        { type: 'string', pattern: SIZE }
      ]
    },
    read(value, path) {
      if (typeof value !== 'number' && !(typeof value === 'string' && new RegExp(SIZE).test(value)))
        throw fault(path, like, value)
      const bytes = typeof value === 'number' ? value : sizeBytes(value)
      if (!Number.isInteger(bytes) || bytes < minimum) throw fault(path, like, value)
      return bytes
    }
  }
}

/** Returns milliseconds: `5s`. A plain number is refused, because it has no unit. */
export function time(): Field<number> {
  return {
    schema: { type: 'string', pattern: TIME },
    read(value, path) {
      if (typeof value !== 'string' || !new RegExp(TIME).test(value))
        throw fault(path, 'a time: "250ms", "30s", "15m", "1h" or "7d"', value)
      return durationMs(value)
    }
  }
}

export function choice<const Choice extends string>(...choices: readonly Choice[]): Field<Choice> {
  return {
    schema: { enum: choices },
    read(value, path) {
      const found = choices.find(known => known === value)
      if (found !== undefined) return found
      const hint = typeof value === 'string' ? hintOf(value, choices) : ''
      throw fault(path, `${choices.map(known => `"${known}"`).join(', ')}`, value, hint)
    }
  }
}

/** A regular expression of JavaScript. It may begin with `(?i)`, `(?m)` or `(?s)`, which become its flags. */
export function expression(): Field<RegExp> {
  return {
    schema: { type: 'string', minLength: 1 },
    read(value, path) {
      if (typeof value !== 'string' || value === '') throw fault(path, 'a regular expression', value)
      return compiled(value, path)
    }
  }
}

function compiled(source: string, path: string): RegExp {
  try {
    return expressionOf(source)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new CliError('CLI_ERR_CONFIG', `${path} is not a regular expression: ${error.message.split(': ').at(-1)}`)
  }
}

export function list<Value>(item: Field<Value>, minItems = 0): Field<readonly Value[]> {
  return {
    schema: { type: 'array', items: item.schema, minItems },
    read(value, path) {
      if (!Array.isArray(value) || value.length < minItems)
        throw fault(path, minItems > 0 ? 'a list that is not empty' : 'a list', value)
      return value.map((each, place) => item.read(each, `${path}[${place}]`))
    }
  }
}

/** An object of these keys; `required` ones must be there. */
export function record<Table extends FieldsOf>(
  table: Table,
  { required = [], atMost }: { readonly required?: readonly (keyof Table & string)[]; readonly atMost?: number } = {}
): Field<ObjectOf<Table>> {
  const properties = Object.fromEntries(Object.entries(table).map(([name, { schema }]) => [name, schema]))
  return {
    schema: {
      type: 'object',
      properties,
      required,
      additionalProperties: false,
      ...(atMost === undefined ? undefined : { minProperties: 1, maxProperties: atMost })
    },
    read(value, path) {
      const given = objectOf(value, path, Object.keys(table))
      const missing = required.find(name => given[name] === undefined)
      if (missing !== undefined) throw new CliError('CLI_ERR_CONFIG', `${path}: ${missing} is missing`)
      const names = Object.keys(given)
      if (atMost !== undefined && (names.length === 0 || names.length > atMost))
        throw new CliError('CLI_ERR_CONFIG', `${path} takes exactly one of ${Object.keys(table).join(', ')}`)
      const read = names
        .filter(name => given[name] !== undefined)
        .map(name => [name, table[name]?.read(given[name], pathOf(path, name))])
      // The table gives each name its type.
      return Object.fromEntries(read) as ObjectOf<Table>
    }
  }
}

/** An object whose keys another check covers. */
export function open(like: string): Field<Readonly<Record<string, unknown>>> {
  return {
    schema: { type: 'object' },
    read(value, path) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault(path, like, value)
      return { ...value }
    }
  }
}

/** `kpl.jsonc` and `flows` are `kpl.jsonc: flows`; further names follow a dot. */
export function pathOf(path: string, name: string): string {
  return path.includes(': ') ? `${path}.${name}` : `${path}: ${name}`
}

/** The value is shown only as its kind, or as a number: a config file may hold secrets. */
export function fault(path: string, like: string, value: unknown, hint = ''): CliError {
  const shown =
    typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : Array.isArray(value)
        ? 'a list'
        : value === null
          ? 'null'
          : typeof value === 'string'
            ? `"${value.slice(0, MAX_SHOWN_CHARACTERS).replace(/[^\x20-\x7e]/g, '?')}"`
            : `an ${typeof value}`
  return new CliError('CLI_ERR_CONFIG', `${path} must be ${like}, got ${shown}${hint}`)
}

/**
 * The step `addFields`: fields into a record that is a JSON object.
 * Example: `{"host":"$host","app":"web"}` makes `{"a":1}` into `{"a":1,"host":"server-1","app":"web"}`.
 * Invariant: a field that the record has already stays as it is; a record that is no JSON object is a fault.
 */
import { objectOf } from '../../config.ts'
import { isoTime } from './iso-time.ts'
import { type Member, memberWriter } from './members.ts'
import type { ProcessRecord, Step, StepContext } from './step.ts'
import { fault } from './step-options.ts'

/** A text of its own that stands for what is known of the record. */
const VARIABLES = ['$host', '$path', '$offset', '$time'] as const
type Variable = (typeof VARIABLES)[number]
const NOT_OBJECT = {
  code: 'CLI_ERR_BAD_LINE',
  message: 'a line is no JSON object, so addFields cannot add to it'
} as const

/** The value is any object; texts of `VARIABLES` are replaced, and `$$` at the beginning of a text stands for `$`. */
export function addFieldsStep(value: unknown, path: string, context: StepContext): Step {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const given = Object.entries(objectOf(value, path, names))
  if (given.length === 0) throw fault(`${path} has no field`)
  const makers = given.map(([name, field]) => ({ name, json: jsonOf(field, `${path}.${name}`, context) }))
  const write = memberWriter(names)
  return (data, record) => {
    const members: Member[] = makers.map(({ name, json }) => ({ name, json: json(record) }))
    return write(data, members) ?? NOT_OBJECT
  }
}

function jsonOf(field: unknown, path: string, context: StepContext): (record: ProcessRecord) => string {
  const isText = typeof field === 'string' && field.startsWith('$')
  if (!isText || field.startsWith('$$')) {
    const json = JSON.stringify(isText ? field.slice(1) : field)
    return () => json
  }
  const variable = VARIABLES.find(name => name === field)
  if (variable === undefined) throw fault(`${path} must be one of ${VARIABLES.join(', ')}; $$ stands for $`)
  return variableOf(variable, context)
}

function variableOf(variable: Variable, context: StepContext): (record: ProcessRecord) => string {
  switch (variable) {
    case '$host': {
      const json = JSON.stringify(context.hostName)
      return () => json
    }
    case '$path':
      return ({ path }) => JSON.stringify(path)
    case '$offset':
      return ({ startOffset }) => String(startOffset)
    case '$time':
      return () => JSON.stringify(isoTime(context.wallMs()))
  }
}

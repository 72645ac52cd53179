/**
 * The step `log`: a line of a log as a JSON object of texts.
 * Example: `Nov  3 10:00:00 web cron[7]: done` is, by the format `syslog`, `{"timestamp":"Nov  3 10:00:00","hostname":"web",...}`.
 * Invariant: numbers stay texts, and a part that is not there is null. An expression of the user runs on the main thread, on lines of
 * at most 64 KiB: one that backtracks without bound stops the agent.
 */
import { expressionOf, groupCountOf } from '../../arguments/expression.ts'
import { objectOf } from '../../config.ts'
import { MATCHED_BYTES } from '../../follow/line-match.ts'
import { fieldWriter } from './json-fields.ts'
import { LOG_FORMATS, type LogFormat } from './log-formats.ts'
import { mismatch, type Step } from './step.ts'
import { choiceAt, fault, namesAt, policyAt, textAt } from './step-options.ts'

/** `format` or `match`; `fields` name the groups in their order, `onMismatch` what becomes of other lines. */
export function logStep(value: unknown, path: string): Step {
  const options = objectOf(value, path, ['format', 'match', 'fields', 'onMismatch'])
  const isOne = (options['format'] === undefined) !== (options['match'] === undefined)
  if (!isOne) throw fault(`${path} takes exactly one of format, match`)
  const names = options['fields'] === undefined ? undefined : namesAt(options['fields'], `${path}.fields`)
  const { expression, fields, hasDashes } =
    options['match'] === undefined ? formatAt(options['format'], names, path) : matchAt(options['match'], names, path)
  const policy = policyAt(options['onMismatch'], `${path}.onMismatch`)
  const write = fieldWriter(fields)
  return data => {
    const found = data.length > MATCHED_BYTES ? null : expression.exec(data.toString())
    if (found === null) return mismatch(policy, data, 'a line does not match the format of its log')
    const texts: (string | undefined)[] = found.slice(1)
    return write(hasDashes ? texts.map(text => (text === '-' ? undefined : text)) : texts)
  }
}

function formatAt(value: unknown, names: readonly string[] | undefined, path: string): LogFormat {
  const known = Object.keys(LOG_FORMATS) as (keyof typeof LOG_FORMATS)[]
  const format: LogFormat = LOG_FORMATS[choiceAt(value, `${path}.format`, known)]
  return names === undefined ? format : { ...format, fields: counted(names, format.fields.length, path) }
}

function matchAt(value: unknown, names: readonly string[] | undefined, path: string): LogFormat {
  const expression = expressionAt(textAt(value, `${path}.match`), `${path}.match`)
  const count = groupCountOf(expression)
  const named = [...expression.source.matchAll(/(?<!\\)\(\?<([^=!>][^>]*)>/g)].map(([, name = '']) => name)
  const fields = names ?? (named.length === count ? named : undefined)
  if (fields === undefined || count === 0)
    throw fault(`${path}.match has ${count} groups: name them all, or give fields`)
  return { expression, fields: counted(fields, count, path), hasDashes: false }
}

function expressionAt(source: string, path: string): RegExp {
  try {
    return expressionOf(source)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw fault(`${path} is no regular expression: ${error.message.split(': ').at(-1)}`)
  }
}

function counted(names: readonly string[], count: number, path: string): readonly string[] {
  if (names.length === count) return names
  throw fault(`${path}.fields has ${names.length} names, the format has ${count}`)
}

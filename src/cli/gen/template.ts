/**
 * A template compiled once into closures. There is no eval, and what a helper gives is never expanded again.
 * Example: `{"id":{{seq}},"name":"{{person.firstName}}"}`; `{{{{` stands for `{{`.
 * Invariant: every name is checked when the template is compiled; an unknown one is CLI_ERR_TEMPLATE with line, column and the
 * nearest name.
 * Grammar: text, or `{{name}}`, or `{{name(args)}}`; args are JSON values with commas between, or one bare text for date.*.
 */
import { CliError } from '../errors.ts'
import type { GenContext, Helper, HelperTable } from './context.ts'

export type Template = (context: GenContext) => string

const TAG_NAME = /\s*([A-Za-z]\w*(?:\.[A-Za-z]\w*)*)\s*/y

/** Compiles a template; `hintFor` says what to write instead of a name that is not in the table. */
export function compileTemplate(text: string, table: HelperTable, hintFor: (name: string) => string): Template {
  const parts: (string | Helper)[] = []
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('{{', at)
    if (open < 0) break
    parts.push(text.slice(at, open))
    if (text.startsWith('{{{{', open)) {
      parts.push('{{')
      at = open + 4
      continue
    }
    const tag = readTag(text, open)
    parts.push(helperOf(text, open, tag, table, hintFor))
    at = tag.end
  }
  parts.push(text.slice(at))
  const used = parts.filter(part => part !== '')
  return context => {
    let result = ''
    for (const part of used) result += typeof part === 'string' ? part : part(context)
    return result
  }
}

interface Tag {
  readonly name: string
  readonly args: string
  /** Behind the closing braces. */
  readonly end: number
}

function readTag(text: string, open: number): Tag {
  TAG_NAME.lastIndex = open + 2
  const match = TAG_NAME.exec(text)
  if (match === null) throw templateError(text, open, 'a name is expected behind {{')
  let at = TAG_NAME.lastIndex
  let args = ''
  if (text[at] === '(') {
    const close = closingBracket(text, at)
    if (close < 0) throw templateError(text, at, 'a bracket is not closed')
    args = text.slice(at + 1, close)
    at = close + 1
    while (text[at] === ' ') at++
  }
  if (!text.startsWith('}}', at)) throw templateError(text, at, '}} is expected')
  return { name: match[1]!, args, end: at + 2 }
}

/** The bracket that closes the one at `open`; brackets within JSON texts do not count. */
function closingBracket(text: string, open: number): number {
  let depth = 0
  let isInText = false
  for (let at = open; at < text.length; at++) {
    const character = text[at]
    if (isInText) {
      if (character === '\\') at++
      else if (character === '"') isInText = false
    } else if (character === '"') isInText = true
    else if (character === '(') depth++
    else if (character === ')' && --depth === 0) return at
  }
  return -1
}

function helperOf(
  text: string,
  at: number,
  { name, args }: Tag,
  table: HelperTable,
  hintFor: (name: string) => string
): Helper {
  const make = Object.hasOwn(table, name) ? table[name] : undefined
  if (make === undefined) throw templateError(text, at, `${name} is not a helper${hintFor(name)}`)
  const values = argumentsOf(name, args)
  if (values === undefined) throw templateError(text, at, `the arguments of ${name} are not JSON values`)
  try {
    return make(values)
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError)
      throw templateError(text, at, `${name} ${error.message}`)
    throw error
  }
}

function argumentsOf(name: string, args: string): readonly unknown[] | undefined {
  if (args.trim() === '') return []
  try {
    const values: unknown = JSON.parse(`[${args}]`)
    if (Array.isArray(values)) return values
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  // As the Kinesis Data Generator takes formats of dates.
  return name.startsWith('date.') ? [args] : undefined
}

function templateError(text: string, at: number, fault: string): CliError {
  const before = text.slice(0, at).split('\n')
  return new CliError('CLI_ERR_TEMPLATE', `line ${before.length}, column ${before.at(-1)!.length + 1}: ${fault}`)
}

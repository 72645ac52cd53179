/** The types that `npm run docs` writes from the tables, so that an editor shows what the tables say. */
import { describe, expect, test } from 'vitest'
import { ERRORS } from '../../src/model/errors.ts'
import { OPTIONS, type OptionEntry } from '../../src/model/options.ts'
import { generatedFile, read } from './documents.ts'
import { CODES } from './error-pages.ts'
import { optionFacts } from './option-text.ts'

const LINE_WIDTH = 120
const ERRORS_FILE = 'src/model/errors.ts'
const CODED_CLASSES = [
  ['OptionsError', ERRORS_FILE],
  ['InvalidRecordError', ERRORS_FILE],
  ['RecordFailedError', ERRORS_FILE],
  ['StreamReadError', ERRORS_FILE],
  ['SchemaError', ERRORS_FILE],
  ['TransportError', ERRORS_FILE],
  ['ConsumerError', 'src/consumer/deaggregate/consumer-error.ts']
] as const

test('src/model/producer-options.ts has a documented field for each row of the table of options', () => {
  const { is, shouldBe } = generatedFile('src/model/producer-options.ts', optionsModule())

  expect(is).toBe(shouldBe)
})

test('ErrorCode has the codes of the table of errors', () => {
  const text = read('src/model/error-table.ts')
  const type = /(?<=\nexport type ErrorCode =)[^/]*?(?=\n(?:\n|$))/

  const { is, shouldBe } = generatedFile('src/model/error-table.ts', text.replace(type, unionOf(CODES, '  ')))

  expect(type.test(text)).toBe(true)
  expect(is).toBe(shouldBe)
})

describe.each(CODED_CLASSES)('%s', (name, file) => {
  test('has the codes of the table as its own, each with its meaning', () => {
    const text = read(file)
    // Not beyond the end of the class.
    const field = new RegExp(
      `(\\nexport class ${name} (?:(?!\\n}\\n)[^])*?\\n)  /\\*\\*\\n   \\* One of:[^]*?\\*/\\n  ((?:declare )?readonly code:)[^]*?\\n(?=\\n|  /\\*\\*)`
    )

    const shouldBe = text.replace(field, (_, before: string, start: string) => `${before}${codeField(name, start)}`)
    const { is } = generatedFile(file, shouldBe)

    expect(field.test(text)).toBe(true)
    expect(is).toBe(shouldBe)
  })
})

function optionsModule(): string {
  const fields = Object.entries<OptionEntry>(OPTIONS).map(
    ([name, entry]) => `${comment(commentOf(entry))}  readonly ${name}?: ${typeOf(name, entry)} | undefined\n`
  )
  return `/**
 * The options of a producer as a type, one field for each row of the table in options.ts.
 * Invariant: \`npm run docs\` writes this file from the table, so that an editor shows what the table says. Do not edit it.
 */
import type { ObjectOptions } from './object-options.ts'

/** The options of \`new KinesisProducer\`. Each may be absent; \`undefined\` counts as absent. */
export interface ProducerOptions {
${fields.join('')}}
`
}

function commentOf(entry: OptionEntry): string[] {
  const facts = optionFacts(entry)
  return [...wrapped(entry.doc), ...(facts.length === 0 ? [] : ['', ...facts])]
}

function typeOf(name: string, entry: OptionEntry): string {
  switch (entry.kind) {
    case 'integer':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'choice':
      return entry.choices.map(choice => `'${choice}'`).join(' | ')
    case 'text':
      return 'string'
    default:
      return `ObjectOptions['${name}']`
  }
}

function codeField(name: string, start: string): string {
  const codes = CODES.filter(code => ERRORS[code].class === name)
  const lines = codes.flatMap(code =>
    wrapped(`- \`${code}\`: ${ERRORS[code].doc}`).map((line, i) => (i === 0 ? line : `  ${line}`))
  )
  return `${comment(['One of:', ...lines])}  ${start}${unionOf(codes, '    ')}\n`
}

/** As the formatter writes it: on one line, if it fits. */
function unionOf(codes: readonly string[], indent: string): string {
  const line = ` ${codes.map(code => `'${code}'`).join(' | ')}`
  const isShort = indent.length + 'declare readonly code:'.length + line.length <= LINE_WIDTH - 2
  return isShort ? line : codes.map(code => `\n${indent}| '${code}'`).join('')
}

function comment(lines: readonly string[]): string {
  const only = lines.length === 1 ? `  /** ${lines[0]} */\n` : ''
  if (only !== '' && only.length <= LINE_WIDTH + 1) return only
  return `  /**\n${lines.map(line => `   * ${line}`.trimEnd()).join('\n')}\n   */\n`
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`
    if (lines.length === 0 || longer.length > LINE_WIDTH - 8) lines.push(word)
    else lines[lines.length - 1] = longer
  }
  return lines
}

import { expect, test } from 'vitest'
import { ERRORS } from '../src/model/errors.ts'
import { OPTIONS, type OptionEntry, type OptionName } from '../src/model/options.ts'
import { generated, table } from './docs/documents.ts'

/** The options that most programs need: the table of the README. */
const USUAL: readonly OptionName[] = [
  'streamName',
  'region',
  'recordMaxBufferedTimeMs',
  'recordTtlMs',
  'bufferMaxBytes',
  'ordering',
  'dedupeTags',
  'logger'
]

test.each([
  ['README.md', 'options', usualTable()],
  ['docs/options.md', 'all-options', optionTable()],
  ['docs/errors.md', 'errors', errorTable()]
])('%s has the present table of %s', (file, name, body) => {
  const { is, shouldBe } = generated(file, name, body)

  expect(is).toBe(shouldBe)
})

function usualTable(): string {
  const rows = USUAL.map(name => [`\`${name}\``, defaultOf(OPTIONS[name]), OPTIONS[name].doc])
  return table(['option', 'default', 'meaning'], rows)
}

function optionTable(): string {
  const rows = Object.entries<OptionEntry>(OPTIONS).map(([name, entry]) => {
    const kpl = 'kpl' in entry && entry.kpl !== undefined ? entry.kpl : ''
    return [`\`${name}\``, defaultOf(entry), boundsOf(entry), kpl, entry.doc]
  })
  return table(['option', 'default', 'bounds', 'KPL', 'meaning'], rows)
}

function defaultOf(entry: OptionEntry): string {
  if (!('default' in entry)) return ''
  return typeof entry.default === 'number'
    ? number(entry.default)
    : `\`${JSON.stringify(entry.default).replaceAll('"', "'")}\``
}

function boundsOf(entry: OptionEntry): string {
  if (entry.kind === 'integer') return `${number(entry.min)} to ${number(entry.max)} ${entry.unit}`
  return entry.kind === 'choice' ? entry.choices.map(choice => `\`'${choice}'\``).join(', ') : entry.kind
}

function number(value: number): string {
  return value === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : value.toLocaleString('en-US').replace('∞', 'Infinity')
}

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([code, entry]) => {
    const link = `[\`${code}\`](#${code.toLowerCase()})`
    return [link, `\`${entry.class}\``, entry.retryable ? 'yes' : 'no', entry.doc]
  })
  return table(['code', 'class', 'try again', 'meaning'], rows)
}

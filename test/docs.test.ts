import { expect, test } from 'vitest'
import { ERRORS } from '../src/model/errors.ts'
import { OPTIONS, type OptionEntry, type OptionName } from '../src/model/options.ts'
import { generated, table } from './docs/documents.ts'
import { codesOf, ERROR_PAGES, type ErrorPage } from './docs/error-pages.ts'
import { shownDefault, shownNumber } from './docs/option-text.ts'

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

const TABLES: readonly (readonly [file: string, name: string, body: string])[] = [
  ['README.md', 'options', usualTable()],
  ['docs/options.md', 'all-options', optionTable()],
  ...ERROR_PAGES.map(page => [page, 'errors', errorTable(page)] as const)
]

test.each(TABLES)('%s has the present table of %s', (file, name, body) => {
  const { is, shouldBe } = generated(file, name, body)

  expect(is).toBe(shouldBe)
})

function usualTable(): string {
  const rows = USUAL.map(name => [`\`${name}\``, shownDefault(OPTIONS[name]), OPTIONS[name].doc])
  return table(['option', 'default', 'meaning'], rows)
}

function optionTable(): string {
  const rows = Object.entries<OptionEntry>(OPTIONS).map(([name, entry]) => {
    const kpl = 'kpl' in entry && entry.kpl !== undefined ? entry.kpl : ''
    return [`\`${name}\``, shownDefault(entry), boundsOf(entry), kpl, entry.doc]
  })
  return table(['option', 'default', 'bounds', 'KPL', 'meaning'], rows)
}

function boundsOf(entry: OptionEntry): string {
  if (entry.kind === 'integer') return `${shownNumber(entry.min)} to ${shownNumber(entry.max)} ${entry.unit}`
  return entry.kind === 'choice' ? entry.choices.map(choice => `\`'${choice}'\``).join(', ') : entry.kind
}

function errorTable(page: ErrorPage): string {
  const rows = codesOf(page).map(code => {
    const entry = ERRORS[code]
    const link = `[\`${code}\`](#${code.toLowerCase()})`
    return [link, `\`${entry.class}\``, entry.retryable ? 'yes' : 'no', entry.doc]
  })
  return table(['code', 'class', 'try again', 'meaning'], rows)
}

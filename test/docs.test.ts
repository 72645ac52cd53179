import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERRORS } from '../src/model/errors.ts'
import { OPTIONS, type OptionEntry } from '../src/model/options.ts'

const README = new URL('../README.md', import.meta.url)
const isUpdating = process.env['UPDATE_DOCS'] === '1'

test.each([
  ['options', optionTable()],
  ['errors', errorTable()]
])('the README has the present table of %s', (name, table) => {
  const readme = readFileSync(README, 'utf8')
  const section = new RegExp(`(<!-- ${name}: [^\\n]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`)

  const current = readme.replace(section, (_, start: string, end: string) => `${start}${table}${end}`)
  if (isUpdating) writeFileSync(README, current)

  expect(readFileSync(README, 'utf8')).toBe(current)
})

function optionTable(): string {
  const rows = Object.entries<OptionEntry>(OPTIONS).map(([name, entry]) => {
    const kpl = 'kpl' in entry && entry.kpl !== undefined ? entry.kpl : ''
    return `| \`${name}\` | ${defaultOf(entry)} | ${boundsOf(entry)} | ${kpl} | ${entry.doc} |\n`
  })
  return `| option | default | bounds | KPL | |\n|---|---|---|---|---|\n${rows.join('')}`
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
  const rows = Object.entries(ERRORS).map(
    ([code, entry]) => `| \`${code}\` | \`${entry.class}\` | ${entry.retryable ? 'yes' : 'no'} | ${entry.doc} |\n`
  )
  return `| code | class | try again | |\n|---|---|---|---|\n${rows.join('')}`
}

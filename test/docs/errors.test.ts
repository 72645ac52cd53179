import { describe, expect, test } from 'vitest'
import { pageOf as pageOfCommandLine } from '../../src/cli/errors.ts'
import { ERRORS } from '../../src/model/errors.ts'
import { ENTRY_ERRORS, REQUEST_ERRORS } from '../../src/model/service-errors.ts'
import { LOG_LEVELS } from '../../src/stats/log-line.ts'
import { DOCUMENTS, generated, read, SOURCES, table } from './documents.ts'
import { CODES, codesOf, ERROR_PAGES, pageOf } from './error-pages.ts'
import { publicSurface } from './public-surface.ts'

const FILE = 'docs/errors.md'

describe('the errors', () => {
  test.each(ERROR_PAGES)('of %s have one section each, in the order of their table', page => {
    const headings = [...read(page).matchAll(/^## (KPL_ERR_.*)$/gm)].map(([, code]) => code)

    expect(headings).toEqual(codesOf(page))
  })

  test('that users of a producer receive have a page without the others', () => {
    const carriers = new Set(codesOf(FILE).map(code => ERRORS[code].class))

    expect([...carriers].sort()).toEqual(['InvalidRecordError', 'OptionsError', 'ProducerError', 'RecordFailedError'])
    expect(ERROR_PAGES.flatMap(codesOf).sort()).toEqual([...CODES].sort())
  })

  test.each(CODES)('%s: the command line names the page that explains it', code => {
    expect(pageOfCommandLine(code)).toBe(pageOf(code))
  })

  test.each(CODES)('%s: the section begins with what the table says', code => {
    const { class: name, retryable, doc } = ERRORS[code]

    const { is, shouldBe } = generated(
      pageOf(code),
      code,
      `\`${name}\`, try again: ${retryable ? 'yes' : 'no'}. ${doc}\n`
    )

    expect(is).toBe(shouldBe)
  })

  test.each(CODES)('%s: the section says what happened and what to do, and has an example', code => {
    const section = sectionOf(code, pageOf(code))

    expect(['**What happened.**', '**What to do.**', '```ts'].filter(part => !section.includes(part))).toEqual([])
  })
})

test('the service codes are those of the source, each with its verdict', () => {
  const codes = [...new Set([...Object.keys(REQUEST_ERRORS), ...Object.keys(ENTRY_ERRORS)])].sort()
  const rows = codes.map(code => [`\`${code}\``, ENTRY_ERRORS[code] ?? '', REQUEST_ERRORS[code] ?? ''])

  const { is, shouldBe } = generated(FILE, 'service-codes', table(['code', 'on one record', 'on the request'], rows))

  expect(is).toBe(shouldBe)
})

test('every code that the library itself puts into an attempt is explained', () => {
  const ours = namesIn(
    /errorCode: '(\w+)'|protocolFailure\(\s*'(\w+)'|givenUp\('(\w+)'|(?:WRONG_SHARD|MALFORMED_ANSWER|UNANSWERED) = '(\w+)'/g
  )

  expect(firstCells('Codes in attempts')).toEqual(expect.arrayContaining(ours))
})

test('the warnings are those that the source emits', () => {
  expect(firstCells('Warnings')).toEqual(namesIn(/'(KPL_WARN_\w+)'/g))
})

test('the log messages are those that the source writes', () => {
  const written = namesIn(/logger\??\.(?:debug|info|warn|error)\('([^']+)'/g)

  expect(cells('Log messages', 1)).toEqual([...written, ...Object.keys(LOG_LEVELS)].sort())
})

test('the log messages have a type with their fields', () => {
  const typed = publicSurface().flatMap(({ name }) => /^LogEvents\.'([^']+)'$/.exec(name)?.[1] ?? [])

  expect(typed.sort()).toEqual(cells('Log messages', 1))
})

test('the log messages that a document names elsewhere are of the table', () => {
  const messages = cells('Log messages', 1)
  const linked = DOCUMENTS.flatMap(file => captures(read(file), /\[([^\]]+)\]\([^)]*#log-messages\)/g))
  const shown = DOCUMENTS.flatMap(file => captures(read(file), /^\/\/ (?:debug|info|warn|error): (.*?) \{/gm))

  expect(linked.filter(text => !messages.includes(text.replaceAll('`', '')))).toEqual([])
  expect(shown.filter(text => !messages.includes(text))).toEqual([])
  expect([linked.length, shown.length]).toEqual([2, 1])
})

function sectionOf(heading: string, file: string = FILE): string {
  return read(file).split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
}

function captures(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, found]) => found!)
}

/** The first capture of every match in the source without its comments, sorted, each once. */
function namesIn(pattern: RegExp): string[] {
  const codes = SOURCES.map(({ text }) => text.replace(/\/\*\*[\s\S]*?\*\//g, ''))
  const names = codes.flatMap(code => [...code.matchAll(pattern)].map(groups => groups.slice(1).find(Boolean)!))
  return [...new Set(names)].sort()
}

/** What stands in back quotes at the start of each row's cell, sorted. */
function cells(heading: string, column: number): string[] {
  const rows = sectionOf(heading).matchAll(/^\| (.*) \|$/gm)
  const texts = [...rows].map(([, row]) => /^`([^`]+)`/.exec(row!.split(' | ')[column] ?? '')?.[1])
  return texts.filter(text => text !== undefined).sort()
}

function firstCells(heading: string): string[] {
  return cells(heading, 0)
}

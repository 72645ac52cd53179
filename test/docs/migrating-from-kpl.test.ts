import { describe, expect, test } from 'vitest'
import { fromKplProperties } from '../../src/model/kpl-properties.ts'
import { OPTIONS, type OptionEntry } from '../../src/model/options.ts'
import { STREAM_STATISTICS } from '../../src/stats/statistics.ts'
import { DOCUMENTS, read } from './documents.ts'

const FILE = 'docs/migrating-from-kpl.md'

/** Properties that an option stands for, with that option. */
const MAPPED = Object.entries<OptionEntry>(OPTIONS).flatMap(([name, entry]) =>
  'kpl' in entry && entry.kpl !== undefined ? [{ property: entry.kpl, name }] : []
)
/** Names of the list of properties that do not apply; it is not exported, so it is read from the source. */
const NOT_APPLICABLE = [
  ...read('src/model/kpl-properties.ts')
    .split('const NOT_APPLICABLE')[1]!
    .split('\n}\n')[0]!
    .matchAll(/^ {2}([A-Z]\w+):/gm)
].map(([, property]) => property!)

const rows = sectionOf('Every property')
  .split('\n')
  .filter(line => line.startsWith('| `') && line.split('|').length === 6)
  .map(line => line.split('|').map(cell => cell.trim()))
  .map(([, property, , here, difference]) => ({
    property: property!.slice(1, -1),
    here: here!,
    difference: difference!
  }))

describe('the table of properties', () => {
  test('has every property that the reader of .properties files knows, each once', () => {
    const known = ['KinesisPort', ...NOT_APPLICABLE, ...MAPPED.map(({ property }) => property)]

    expect(rows.map(({ property }) => property).sort()).toEqual(known.sort())
  })

  test.each(MAPPED)('says that $property is $name', ({ property, name }) => {
    expect(rows.find(row => row.property === property)?.here).toBe(`\`${name}\``)
  })

  test.each(NOT_APPLICABLE)('says why %s does not apply', property => {
    const row = rows.find(other => other.property === property)

    expect({ here: row?.here, isExplained: (row?.difference.length ?? 0) > 10 }).toEqual({
      here: '',
      isExplained: true
    })
  })

  test('agrees with the reader about what does not apply', () => {
    const read = fromKplProperties(NOT_APPLICABLE.map(property => `${property} = 1`).join('\n'))

    expect(read.notApplicable.map(({ property }) => property)).toEqual(NOT_APPLICABLE)
  })
})

test('every option is named: as a property of the KPL, or as one that exists here only', () => {
  const section = sectionOf('Every property')

  expect(Object.keys(OPTIONS).filter(name => !section.includes(`\`${name}\``))).toEqual([])
})

test("the KPL's metrics that are listed as the same are those of the source", () => {
  const listed = [...sectionOf('Metrics').matchAll(/`([A-Z]\w+)`/g)].map(([, name]) => name!)

  expect(
    STREAM_STATISTICS.filter(name => !['PutToAck', 'UserRecordsRefused'].includes(name) && !listed.includes(name))
  ).toEqual([])
})

function sectionOf(heading: string): string {
  return read(FILE).split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
}

test('every document that says when the KPL loses records at a reshard says when that ended', () => {
  const told = DOCUMENTS.flatMap(file =>
    [...read(file).matchAll(/\S+\s+0\.15\.11\s+\S+\s+\S+/g)].map(([words]) => words)
  )

  expect(told.filter(words => !/0\.15\.11\s+to\s+1\.0\b/.test(words))).toEqual([])
  expect(told.length).toBeGreaterThan(3)
})

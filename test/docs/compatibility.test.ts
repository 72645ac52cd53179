/** docs/compatibility.md: its tables come from the recorded runs of the referees, of which none is missing and none differs. */
import { describe, expect, test } from 'vitest'
import type { Comparison, RefereeResult } from '../referee/outcome.ts'
import { REFEREES } from '../referee/roster.ts'
import { generated, read, table } from './documents.ts'

const results: readonly RefereeResult[] = JSON.parse(read('test/referee/results.json'))

test('docs/compatibility.md has the recorded results', () => {
  const { is, shouldBe } = generated('docs/compatibility.md', 'referee', results.map(section).join(''))

  expect(is).toBe(shouldBe)
})

test('every referee has a result, and no other program has', () => {
  expect(results.map(({ name }) => name)).toEqual(Object.keys(REFEREES))
})

describe.each(results)('$name', ({ date, toolchain, comparisons }) => {
  test('has a day, its tools, and programs with versions', () => {
    expect({
      date: /^20\d\d-\d\d-\d\d$/.test(date),
      toolchain: /\d+\.\d+/.test(toolchain),
      withoutVersion: comparisons.map(({ program }) => program).filter(program => !/\d+\.\d+/.test(program))
    }).toEqual({ date: true, toolchain: true, withoutVersion: [] })
  })

  test('has compared something in each row, without a difference', () => {
    const faulty = comparisons.filter(({ compared, differences }) => compared === 0 || differences > 0)

    expect(faulty).toEqual([])
  })
})

test('docs/compatibility.md names every referee as a command', () => {
  const commands = Object.keys(REFEREES).filter(name => !read('docs/compatibility.md').includes(`referee -- ${name}\``))

  expect(commands).toEqual([])
})

function section({ name, date, toolchain, comparisons }: RefereeResult): string {
  const programs = [...new Set(comparisons.map(({ program }) => program))]
  const title = `\n### ${REFEREES[name]!.what}\n\n`
  const facts = `\`npm run referee -- ${name}\`, ${date}, ${toolchain}.\n\n`
  const list = programs.length > 1 ? `${programs.map(program => `- ${program}\n`).join('')}\n` : ''
  return (
    title + facts + list + table(['program', 'what', 'compared', 'differences', 'note'], rowsOf(comparisons, programs))
  )
}

/** A row for each comparison; one for all programs where they have the same. */
function rowsOf(comparisons: readonly Comparison[], programs: readonly string[]): string[][] {
  const byFacts = new Map<string, { readonly facts: string[]; readonly programs: string[] }>()
  for (const { program, what, compared, differences, note = '' } of comparisons) {
    const facts = [what, compared.toLocaleString('en-US'), String(differences), note]
    const row = byFacts.get(facts.join()) ?? { facts, programs: [] }
    row.programs.push(program)
    byFacts.set(facts.join(), row)
  }
  return [...byFacts.values()].map(row => {
    const isOfAll = programs.length > 1 && row.programs.length === programs.length
    return [isOfAll ? `all ${programs.length}` : row.programs.join('; '), ...row.facts]
  })
}

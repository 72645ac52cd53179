/** docs/compatibility.md: its tables come from the recorded runs of the referees, of which none is missing and none differs. */
import { describe, expect, test } from 'vitest'
import type { RefereeResult } from '../referee/outcome.ts'
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
  const { what } = REFEREES[name]!
  const rows = comparisons.map(({ program, what, compared, differences, note = '' }) => [
    program,
    what,
    compared.toLocaleString('en-US'),
    String(differences),
    note
  ])
  return `\n### ${what}\n\n\`npm run referee -- ${name}\`, ${date}, ${toolchain}:\n\n${table(['program', 'what', 'compared', 'differences', 'note'], rows)}\n`
}

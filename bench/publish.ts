/**
 * The figures of docs/performance.md: from the results of the last runs to `docs/plots/measured.json`, and from there the
 * page's tables and the plot of the README.
 * Invariant: nothing is published of a quick run, nor of a bench without a result.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { PROJECT } from './harness/places.ts'
import type { Cell } from './harness/report.ts'
import { type Result, readResult, resultFile } from './harness/save.ts'
import { quantile } from './harness/statistics.ts'

/** The benches that docs/performance.md shows. */
export const PUBLISHED = ['kpl', 'end-to-end', 'service', 'put-path'] as const

const MEASURED = 'docs/plots/measured.json'
const DIGITS = 6

/** Returns the files that it wrote. */
export function publish(): string[] {
  const measured = PUBLISHED.map(name => {
    if (!existsSync(resultFile(name))) throw new Error(`${name} has no result: run npm run bench -- ${name}`)
    const { title, circumstances, tables }: Result = readResult(resultFile(name))
    if (circumstances.isQuick) throw new Error(`${name} is of a quick run: run npm run bench -- ${name}`)
    const shortened = tables.map(table => ({ ...table, rows: table.rows.map(row => row.map(shortCell)) }))
    return { name, title, circumstances, tables: shortened }
  })
  writeFileSync(`${PROJECT}${MEASURED}`, `${JSON.stringify(measured, undefined, 1)}\n`)
  const vitest = [`${PROJECT}node_modules/vitest/vitest.mjs`, 'run', 'test/docs/performance.test.ts']
  execFileSync(process.execPath, vitest, {
    cwd: PROJECT,
    env: { ...process.env, UPDATE_DOCS: '1' },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  return [MEASURED, 'docs/performance.md', 'docs/plots/cpu.svg']
}

/** Lowest, median and highest sample: as much as is shown. */
function shortCell(cell: Cell): Cell {
  if (typeof cell === 'string') return cell
  const samples = [0, 0.5, 1].map(share => Number(quantile(cell.samples, share).toPrecision(DIGITS)))
  return { ...cell, samples }
}

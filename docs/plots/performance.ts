/**
 * The tables of docs/performance.md and the plot of the README, from `measured.json`.
 * Invariant: every figure comes from that file, which `npm run bench -- record` writes; nothing is measured here.
 */
import { readFileSync } from 'node:fs'
import type { Cell, Side } from '../../bench/harness/report.ts'
import type { Result } from '../../bench/harness/save.ts'
import { median } from '../../bench/harness/statistics.ts'
import { formatMetric, formatValue } from '../../bench/harness/units.ts'
import { drawBars, type Panel } from './bars.ts'

const MEASURED: readonly Result[] = JSON.parse(readFileSync(new URL('./measured.json', import.meta.url), 'utf8'))

/** Columns that say how busy the machine was; the page is of CPU time. */
const WALL_TIME = /by wall time|CPU used/

/** The benches of docs/performance.md, in the order of the page. */
export const MEASURED_NAMES: readonly string[] = MEASURED.map(({ name }) => name)

/** Markdown of one bench: its tables, and where and when they were measured. */
export function performanceSection(name: string): string {
  const { tables, circumstances } = resultOf(name)
  const { date, node, cpu, cores, commit, load, rounds } = circumstances
  const day = date.slice(0, 10)
  const facts =
    `\`npm run bench -- ${name}\`, ${day}, commit ${commit}, Node.js ${node}, ${cores} cores of ${cpu}, ${rounds} rounds, ` +
    `load of the machine ${load.toFixed(1)}.`
  const parts = tables.map(({ title, columns, rows, notes = [] }) => {
    const shown = (cells: readonly Cell[]) => cells.filter((_, column) => !WALL_TIME.test(columns[column]!))
    const lines = [shown(columns), shown(columns).map(() => '---'), ...rows.map(row => shown(row).map(cellText))]
    const table = lines.map(cells => `| ${cells.join(' | ')} |\n`).join('')
    return `${capital(title)}:\n\n${table}${notes.map(note => `\n${note}\n`).join('')}\n`
  })
  return `\n${parts.join('')}${facts}\n\n`
}

/** User records a CPU second over HTTPS: ours, the KPL and the SDK, of one run. */
export function cpuPlot(): string {
  const { tables, circumstances } = resultOf('kpl')
  const { date, node, cpu } = circumstances
  return drawBars({
    title: 'User records acknowledged per CPU second, over HTTPS (more is better)',
    panels: tables.map(({ title, rows }): Panel => {
      const [size = ''] = title.split(' ')
      return { title: `${size.replace('-byte', ' bytes')} a record`, bars: rows.flatMap(barOf) }
    }),
    caption: `Nx: times the KPL. CPU time of all processes of each; npm run bench -- kpl, ${date.slice(0, 10)}, Node.js ${node}, ${cpu}`
  })
}

function barOf([name, times, rate]: readonly Cell[]): Panel['bars'] {
  if (typeof name !== 'string' || typeof times !== 'object' || typeof rate !== 'object') return []
  const value = median(rate.samples)
  const factor = median(times.samples)
  const [count] = formatValue(value, rate.unit).split('/')
  const note = factor === 1 ? count! : `${count}, ${formatValue(factor, 'times')}`
  return [{ label: name.replace('kinesis-producer, ', ''), side: sideOf(name), value, note }]
}

function sideOf(name: string): Side {
  if (name.startsWith('KPL')) return 'KPL'
  return name.startsWith('SDK') ? 'SDK' : 'ours'
}

function resultOf(name: string): Result {
  const result = MEASURED.find(each => each.name === name)
  if (result === undefined) throw new Error(`measured.json has no ${name}`)
  return result
}

/** Without the aims, which are for those who work on the library. */
function cellText(cell: Cell): string {
  return typeof cell === 'string' ? cell : formatMetric({ ...cell, target: undefined })
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

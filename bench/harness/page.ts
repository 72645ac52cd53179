/**
 * The page of all results, of each its plots and then its tables, in one file that needs no network and no script.
 * Invariant: everything on it comes from the results that it is given.
 */
import type { Cell, Table } from './report.ts'
import type { Result } from './save.ts'
import { escapeText, plotSvg } from './svg.ts'
import { cellText } from './table.ts'
import { isMissed } from './units.ts'

const STYLE = `
:root { color-scheme: light dark; --line: #8b949e55 }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 66rem; padding: 0 1rem }
h2 { margin-top: 2.5rem } h3 { font-size: 1rem; margin: 0 0 .2rem }
nav a { margin-right: 1rem; white-space: nowrap } .wide { overflow-x: auto; margin-bottom: 1.2rem }
table { border-collapse: collapse; font-size: 13px }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.figure { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
figure { margin: 1rem 0 1.6rem } figcaption { font-weight: 600; margin-bottom: .5rem } svg { max-width: 100%; height: auto }
svg text { font: 12px system-ui, sans-serif; fill: currentColor } .missed { color: light-dark(#9a6700, #d29922) } small { opacity: .8 } .missed small { opacity: 1 }`

export function pageOf(results: readonly Result[]): string {
  const links = results.map(({ name, title }) => `<a href="#${escapeText(name)}">${escapeText(title)}</a>`)
  const sections = results.map(sectionOf).join('\n')
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>kinesis-producer: benches</title><style>${STYLE}</style>
<h1>kinesis-producer: benches</h1>
<p>Medians; in brackets, and as whiskers, the lowest and the highest sample. An aim is a ratio to something that the same run
measured: other figures are of one machine on one day. Made by <code>npm run bench</code>.</p>
<nav>${links.join('\n')}</nav>
${sections}
</html>
`
}

function sectionOf({ name, title, tables, plots = [], circumstances }: Result): string {
  const { node, cpu, cores, commit, date, rounds, load, isQuick } = circumstances
  const facts = [
    `Node.js ${node}`,
    `${cores} cores of ${cpu}`,
    `commit ${commit}`,
    date,
    `rounds: ${rounds}`,
    `load ${load.toFixed(1)}`
  ]
  if (isQuick) facts.push('a quick run: figures mean little')
  return [
    `<section id="${escapeText(name)}"><h2>${escapeText(title)}</h2>`,
    ...plots.map(plotSvg),
    ...tables.map(tableHtml),
    `<p><small>npm run bench -- ${escapeText(name)} - ${escapeText(facts.join(' - '))}</small></p>`,
    '</section>'
  ].join('\n')
}

function tableHtml({ title, columns, rows, notes = [] }: Table): string {
  const areFigures = columns.map((_, i) => rows.some(row => row[i] !== undefined && typeof row[i] !== 'string'))
  const classOf = (i: number, isMissedCell = false) => {
    const names = [...(areFigures[i] ? ['figure'] : []), ...(isMissedCell ? ['missed'] : [])]
    return names.length === 0 ? '' : ` class="${names.join(' ')}"`
  }
  const head = columns.map((column, i) => `<th${classOf(i)}>${escapeText(column)}</th>`)
  const lines = rows.map(row => row.map((cell, i) => `<td${classOf(i, isMissedFigure(cell))}>${cellHtml(cell)}</td>`))
  const remarks = notes.length === 0 ? '' : `<p><small>${notes.map(escapeText).join('<br>')}</small></p>`
  const body = [head, ...lines].map(cells => `<tr>${cells.join('')}</tr>`).join('')
  return `<h3>${escapeText(title)}</h3><div class="wide"><table>${body}</table></div>${remarks}`
}

function isMissedFigure(cell: Cell): boolean {
  return typeof cell !== 'string' && isMissed(cell)
}

/** The extremes and the aim stand below the figure: beside it, the table would be wider than the page. */
function cellHtml(cell: Cell): string {
  if (typeof cell === 'string') return escapeText(cell)
  const [figure, ...remarks] = escapeText(cellText(cell)).split(/ (?=[([])/)
  return `${figure}${remarks.map(remark => `<br><small>${remark}</small>`).join('')}`
}

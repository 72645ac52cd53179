/**
 * The page of all results: tables and plots in one file that needs no network and no script.
 * Invariant: everything on it comes from the results that it is given.
 */
import type { Cell, Table } from './report.ts'
import type { Result } from './save.ts'
import { escapeText, plotSvg } from './svg.ts'
import { cellText } from './table.ts'
import { isMissed } from './units.ts'

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c1c1c }
table { border-collapse: collapse; margin: .6rem 0 1.2rem; font-size: 13px }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
figure { margin: 1rem 0 } figcaption { font-weight: 600; margin-bottom: .3rem } svg { max-width: 100%; height: auto }
svg text { font: 12px system-ui, sans-serif } .missed { color: #b42318 } small { color: #666 }`

export function pageOf(results: readonly Result[]): string {
  const sections = results.map(sectionOf).join('\n')
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>kinesis-producer: benches</title><style>${STYLE}</style>
<h1>kinesis-producer: benches</h1>
<p>Medians; in brackets the lowest and the highest sample. Made by <code>npm run bench</code>.</p>
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
    `${rounds} rounds`,
    `load ${load.toFixed(1)}`
  ]
  if (isQuick) facts.push('a quick run: figures mean little')
  return [
    `<section id="${escapeText(name)}"><h2>${escapeText(title)}</h2>`,
    `<p><small>${escapeText(facts.join(' - '))}</small></p>`,
    ...tables.map(tableHtml),
    ...plots.map(plotSvg),
    '</section>'
  ].join('\n')
}

function tableHtml({ title, columns, rows, notes = [] }: Table): string {
  const head = columns.map(column => `<th>${escapeText(column)}</th>`).join('')
  const lines = rows.map(row => `<tr>${row.map(cellHtml).join('')}</tr>`)
  const remarks = notes.map(note => `<p><small>${escapeText(note)}</small></p>`)
  return `<h3>${escapeText(title)}</h3><table><tr>${head}</tr>${lines.join('')}</table>${remarks.join('')}`
}

function cellHtml(cell: Cell): string {
  const attribute = typeof cell !== 'string' && isMissed(cell) ? ' class="missed"' : ''
  return `<td${attribute}>${escapeText(cellText(cell))}</td>`
}

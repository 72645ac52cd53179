/**
 * Tables for the terminal.
 * Invariant: columns are as wide as their widest cell; every row has as many cells as there are columns.
 */
import type { Cell, Report, Table } from './report.ts'
import { formatMetric } from './units.ts'

export function reportText(report: Report): string {
  return report.tables.map(tableText).join('\n')
}

export function cellText(cell: Cell): string {
  return typeof cell === 'string' ? cell : formatMetric(cell)
}

function tableText({ title, columns, rows, notes = [] }: Table): string {
  const texts = [columns, ...rows.map(row => row.map(cellText))]
  const widths = columns.map((_, column) => Math.max(...texts.map(row => row[column]!.length)))
  const [heading, ...lines] = texts.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  )
  const rule = widths.map(width => '-'.repeat(width)).join('  ')
  return [title, '', heading, rule, ...lines, ...notes.map(note => `  ${note}`), ''].join('\n')
}

/**
 * Tables for the terminal.
 * Invariant: the first row is the heading; columns are as wide as their widest cell.
 */
export function table(title: string, rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const lines = rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  )
  const rule = widths.map(width => '-'.repeat(width)).join('  ')
  return [title, '', lines[0], rule, ...lines.slice(1), ''].join('\n')
}

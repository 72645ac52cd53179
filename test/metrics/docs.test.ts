import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openTelemetryName, prometheusName } from '../../src/metrics/metric-names.ts'
import { METRIC_ROWS } from '../../src/metrics/metrics-table.ts'
import { CHANNELS } from '../../src/stats/diagnostics.ts'
import { SHARD_STATISTICS, STREAM_STATISTICS } from '../../src/stats/statistics.ts'

const PAGE = new URL('../../docs/metrics.md', import.meta.url)
const isUpdating = process.env['UPDATE_DOCS'] === '1'

test.each([
  ['kpl', metricTable(([, { level, isOurs }]) => level !== undefined && !isOurs)],
  ['own', metricTable(([, { level, isOurs }]) => level === undefined || isOurs === true)]
])('docs/metrics.md has the present table of %s metrics', (name, table) => {
  const page = readFileSync(PAGE, 'utf8')
  const section = new RegExp(`(<!-- ${name}: [^\\n]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`)

  const current = page.replace(section, (_, start: string, end: string) => `${start}${table}${end}`)
  if (isUpdating) writeFileSync(PAGE, current)

  expect(readFileSync(PAGE, 'utf8')).toBe(current)
})

test('docs/metrics.md names every channel', () => {
  const page = readFileSync(PAGE, 'utf8')

  expect(Object.values(CHANNELS).filter(name => !page.includes(`\`${name}\``))).toEqual([])
})

test('every statistic that is kept is in the table, and by shard just those that the table says', () => {
  const statistics = METRIC_ROWS.filter(([name]) => (STREAM_STATISTICS as readonly string[]).includes(name))

  expect(statistics.map(([name]) => name).sort()).toEqual([...STREAM_STATISTICS].sort())
  expect(statistics.flatMap(([name, { granularity }]) => (granularity === 'both' ? [name] : [])).sort()).toEqual(
    [...SHARD_STATISTICS].sort()
  )
})

function metricTable(isWanted: (row: (typeof METRIC_ROWS)[number]) => boolean): string {
  const rows = METRIC_ROWS.filter(isWanted).map(([name, entry]) => {
    const keptBy = entry.granularity === 'both' ? 'stream, shard' : entry.granularity
    const level = ` ${entry.level ?? ''} |`
    const otel = openTelemetryNames(name, entry.kind)
    return `| \`${name}\` | ${entry.unit} | ${keptBy} |${level} \`${prometheusName(name, entry)}\` | ${otel} | ${entry.doc} |\n`
  })
  return `| metric | unit | kept by | level | Prometheus | OpenTelemetry | |\n|---|---|---|---|---|---|---|\n${rows.join('')}`
}

function openTelemetryNames(name: string, kind: string): string {
  if (name === 'RequestTime') return '`messaging.client.operation.duration`'
  return `\`${openTelemetryName(name)}\`${kind === 'summary' ? ' + `.sum`, `.count`' : ''}`
}

/**
 * A load test as a table and as one HTML page that needs no network and no script.
 * Invariant: every figure is of the run; text of others is escaped.
 */
import { writeFileSync } from 'node:fs'
import { CliError } from '../errors.ts'
import { grouped } from '../output/progress.ts'
import { dateFormat } from './dates.ts'
import type { LoadTotals } from './load-totals.ts'
import { plotSvg, type Series } from './plot.ts'

export interface LoadReport {
  readonly stream: string
  readonly load: LoadTotals
  readonly version: string
  readonly atMs: number
}

const TIME = dateFormat('YYYY-MM-DD HH:mm:ss [UTC]', 'utc')
const PERCENTS = [50, 90, 95, 99, 99.9] as const
const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 56rem; padding: 0 1rem; color: #1c1c1c }
table { border-collapse: collapse; margin: .6rem 0 1.4rem } td, th { text-align: left; padding: .25rem 1.6rem .25rem 0; border-bottom: 1px solid #ddd }
td + td { text-align: right; font-variant-numeric: tabular-nums }
figure { margin: 1.4rem 0 } figcaption { font-weight: 600; margin-bottom: .3rem } svg { width: 100%; height: auto }
svg text { font: 12px system-ui, sans-serif; fill: #444 } small { color: #666 } .bad { color: #b42318 }`

/** Returns the table for a terminal. */
export function reportText(report: LoadReport): string {
  const rows = rowsOf(report)
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

/** Throws CLI_ERR_OUTPUT when the file cannot be written. */
export function writeReport(path: string, report: LoadReport): void {
  try {
    writeFileSync(path, pageOf(report))
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new CliError('CLI_ERR_OUTPUT', `the report ${path} cannot be written: ${reason}`)
  }
}

function rowsOf({ load }: LoadReport): (readonly [name: string, value: string])[] {
  const { throttled, requests, retries, kinesisRecords } = load.totals
  const due = load.samples.reduce((sum, sample) => sum + sample.due, 0)
  return [
    ['records put', grouped(load.put)],
    ['acknowledged', grouped(load.delivered)],
    ['failed', grouped(load.failed)],
    ['behind schedule, never put', grouped(load.dropped)],
    ['rate asked for', `${grouped(due / Math.max(0.001, load.scheduleSeconds))} records/s`],
    ['rate reached', `${grouped(load.delivered / Math.max(0.001, load.ackSeconds))} records/s`],
    ['data', `${(load.bytes / 1_000_000).toFixed(1)} MB`],
    ['Kinesis records', grouped(kinesisRecords)],
    ['requests', grouped(requests)],
    ['retries', grouped(retries)],
    ['throttled Kinesis records', grouped(throttled)],
    ...PERCENTS.map(
      percent => [`due to acknowledged, p${percent}`, milliseconds(load.latencies.percentileMs(percent))] as const
    ),
    ['due to acknowledged, longest', milliseconds(load.latencies.maxMs)]
  ]
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`
}

function pageOf(report: LoadReport): string {
  const { stream, load, version, atMs } = report
  const { samples } = load
  const x = samples.map(({ second }) => second + 1)
  const rates: Series[] = [
    { name: 'due', colour: '#9aa4b2', values: samples.map(({ due }) => due) },
    { name: 'acknowledged', colour: '#1f6feb', values: samples.map(({ delivered }) => delivered) }
  ]
  const latencies: Series[] = [
    { name: 'p50', colour: '#2da44e', values: samples.map(({ p50Ms }) => p50Ms) },
    // Not red: that is for failures.
    { name: 'p99', colour: '#8250df', values: samples.map(({ p99Ms }) => p99Ms) }
  ]
  const troubles: Series[] = [
    { name: 'throttled Kinesis records', colour: '#bf8700', values: samples.map(({ throttled }) => throttled) },
    { name: 'failed records', colour: '#d1242f', values: samples.map(({ failed }) => failed) }
  ]
  const rows = rowsOf(report).map(
    ([name, value]) => `<tr><td>${escapeText(name)}</td><td>${escapeText(value)}</td></tr>`
  )
  const isBehind = load.dropped > 0
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Load test: ${escapeText(stream)}</title><style>${STYLE}</style></head><body>
<h1>Load test: ${escapeText(stream)}</h1>
<p><small>kinesis-producer ${escapeText(version)}, ${TIME(atMs)}</small></p>
${isBehind ? `<p class="bad">The schedule was not held: ${grouped(load.dropped)} records were never put.</p>` : ''}
<table>${rows.join('\n')}</table>
${figure('Records a second', plotSvg(x, rates, 'records/s'))}
${figure('From due to acknowledged, records acknowledged in each second', plotSvg(x, latencies, 'ms'))}
${figure('Throttles and failures a second', plotSvg(x, troubles, 'a second'))}
<p><small>Latency counts from the moment a record was due, so that waiting for a full buffer is in it.</small></p>
</body></html>
`
}

function figure(title: string, svg: string): string {
  return `<figure><figcaption>${title}</figcaption>${svg}</figure>`
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

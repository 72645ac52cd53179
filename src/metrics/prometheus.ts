/**
 * 'kinesis-producer/prometheus': the metrics table in Prometheus' text format, for your own /metrics endpoint.
 * Invariant: every counter adds up over the series of a stream. Reads `stats()` and nothing else.
 * Format: Prometheus text exposition format 0.0.4.
 */
import type { LatencyStats } from '../stats/latency.ts'
import { LATENCY_BOUNDS_MS } from '../stats/latency-bounds.ts'
import { assertGivenOptions, GRANULARITY_RULES } from './given.ts'
import type { MetricKind } from './metric-entry.ts'
import { prometheusName } from './metric-names.ts'
import { METRIC_ROWS } from './metrics-table.ts'
import { DEFAULT_MAX_SHARDS, type Sample, samplesOf } from './series.ts'
import { namedSources, type StatsSources } from './stats-source.ts'

export type { StatsSource, StatsSources } from './stats-source.ts'

/** The options of `prometheusText`. */
export interface PrometheusOptions {
  /** `'shard'`, the default, gives every shard series of its own; `'stream'` adds them up. */
  readonly granularity?: 'stream' | 'shard'
  /** Shards of one stream that get series of their own; the others are in the series without a shard. Default: 500. */
  readonly maxShards?: number
}

/** The Content-Type to answer with. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Returns the metrics of one producer, or of several by name, which is then the label `producer`.
 * Cost: O(streams x shards). Throws OptionsError for a value that is not a producer, and for wrong options.
 *
 * @example
 * import { createServer } from 'node:http'
 *
 * const server = createServer((_, response) => {
 *   response.setHeader('Content-Type', PROMETHEUS_CONTENT_TYPE)
 *   response.end(prometheusText(producer))
 * })
 * prometheusText(producer).includes('kinesis_producer_buffered_records 0') // => true
 */
export function prometheusText(producers: StatsSources, options: PrometheusOptions = {}): string {
  assertGivenOptions('prometheusText', options, GRANULARITY_RULES)
  const { granularity = 'shard', maxShards = DEFAULT_MAX_SHARDS } = options
  const snapshots = namedSources('prometheusText', producers).map(({ name, source }) => ({
    labels: name === undefined ? {} : { producer: name },
    stats: source.stats()
  }))
  const families = METRIC_ROWS.map(([name, entry]) => {
    const lines = snapshots.flatMap(({ labels, stats }) => {
      if (entry.ofProducer !== undefined) return [lineOf('', labels, entry.ofProducer(stats))]
      return Object.entries(stats.streams).flatMap(([stream, state]) => {
        const streamLabels = { ...labels, stream }
        if (name === 'RequestTime') return histogramLines(state.requestTime, streamLabels)
        if (name === 'PutToAck') return histogramLines(state.putToAck, streamLabels)
        return samplesOf(name, entry, state, { granularity, maxShards }).map(sample => sampleLine(sample, streamLabels))
      })
    })
    return familyText(prometheusName(name, entry), entry.kind, entry.doc, lines)
  })
  return families.join('')
}

type Labels = Readonly<Record<string, string>>

const TYPES: Readonly<Record<MetricKind, string>> = {
  sum: 'counter',
  counter: 'counter',
  codes: 'counter',
  gauge: 'gauge',
  summary: 'summary',
  histogram: 'histogram'
}

/** A family without a series is left out altogether. */
function familyText(family: string, kind: MetricKind, doc: string, lines: readonly string[]): string {
  if (lines.length === 0) return ''
  const header = `# HELP ${family} ${escapeHelp(doc)}\n# TYPE ${family} ${TYPES[kind]}\n`
  return header + lines.map(line => `${family}${line}\n`).join('')
}

function sampleLine({ shard, code, part, value }: Sample, labels: Labels): string {
  const own = { ...(shard === undefined ? undefined : { shard }), ...(code === undefined ? undefined : { code }) }
  return lineOf(part === undefined ? '' : `_${part}`, { ...labels, ...own }, value)
}

function histogramLines({ count, sumMs, bucketCounts }: LatencyStats, labels: Labels): string[] {
  let belowCount = 0
  const buckets = LATENCY_BOUNDS_MS.map((boundMs, i) => {
    belowCount += bucketCounts[i]!
    return lineOf('_bucket', { ...labels, le: String(boundMs / 1000) }, belowCount)
  })
  const all = lineOf('_bucket', { ...labels, le: '+Inf' }, count)
  return [...buckets, all, lineOf('_sum', labels, sumMs / 1000), lineOf('_count', labels, count)]
}

/** A line without the family's name. */
function lineOf(suffix: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}

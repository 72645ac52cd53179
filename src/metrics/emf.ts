/**
 * Data as lines of CloudWatch's embedded metric format: one JSON document for every set of dimensions.
 * Invariant: a document has at most 100 metrics and 30 dimensions, and a root member for each of them.
 * Source: CloudWatch user guide, "Specification: Embedded metric format", 2026-11. The statistic set as a value is how
 * AWS's own libraries write it (aws-embedded-metrics-java, the CloudWatch agent); the guide speaks of numbers only.
 */
import type { Datum } from './dimension-tree.ts'

/** Metrics in one document. Source: as above, MetricDirective. */
export const MAX_EMF_METRICS = 100

/** A document, and the data that are in it. */
export interface EmfLine {
  readonly text: string
  readonly data: readonly Datum[]
}

/** Returns one line of JSON, without a line break, for each set of dimensions. */
export function emfLines(data: readonly Datum[], namespace: string, timestampMs: number): EmfLine[] {
  const groups = new Map<string, Datum[]>()
  for (const datum of data) {
    const key = JSON.stringify(datum.dimensions)
    const group = groups.get(key)
    if (group === undefined || group.length >= MAX_EMF_METRICS) groups.set(key, [datum])
    else group.push(datum)
  }
  return [...groups.values()].map(group => ({ text: documentOf(group, namespace, timestampMs), data: group }))
}

/**
 *   { "_aws": { "Timestamp": ms, "CloudWatchMetrics": [directive] }, dimension: text ..., metric: set ... }
 *   directive = { "Namespace": text, "Dimensions": [[dimension ...]], "Metrics": [{ "Name": metric, "Unit": unit } ...] }
 *   set = { "Max": number, "Min": number, "Count": number, "Sum": number }
 */
function documentOf(group: readonly Datum[], namespace: string, timestampMs: number): string {
  const dimensions = group[0]?.dimensions ?? []
  return JSON.stringify({
    _aws: {
      Timestamp: Math.round(timestampMs),
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [dimensions.map(([name]) => name)],
          Metrics: group.map(({ name, unit }) => ({ Name: name, Unit: unit }))
        }
      ]
    },
    ...Object.fromEntries(dimensions),
    ...Object.fromEntries(group.map(({ name, set }) => [name, statistics(set)]))
  })
}

function statistics({ count, sum, min, max }: Datum['set']) {
  return { Max: max, Min: min, Count: count, Sum: sum }
}

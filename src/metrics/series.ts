/**
 * One metric of one stream as numbers in base units (bytes, seconds), by shard where that is wanted.
 * Invariant: counters add up: what a shard's series has, the one without a shard has not. Gauges do not add up, and the
 * one without a shard is the whole stream's.
 */
import type { ShardState, StreamState } from '../stats/stats.ts'
import type { MetricEntry } from './metric-entry.ts'
import { baseUnitFactor } from './metric-names.ts'
import type { MetricName } from './metrics-table.ts'

export interface SeriesOptions {
  readonly granularity: 'stream' | 'shard'
  /** Shards that get series of their own; the others are in the one without a shard. */
  readonly maxShards: number
}

/** One number: `sum` and `count` are the parts of a summary. */
export interface Sample {
  readonly shard?: string
  readonly code?: string
  readonly part?: 'sum' | 'count'
  readonly value: number
}

/** Shards of one stream that get series of their own by default: a scrape of more is slow and dear. */
export const DEFAULT_MAX_SHARDS = 500

/** Returns the samples of anything but a histogram. Cost: O(shards). */
export function samplesOf(name: MetricName, entry: MetricEntry, stream: StreamState, options: SeriesOptions): Sample[] {
  const isByShard = options.granularity === 'shard' && (entry.granularity === 'both' || entry.granularity === 'shard')
  const shards = isByShard ? Object.entries(stream.shards).slice(0, options.maxShards) : []
  const byShard = shards.flatMap(([shard, state]) => valuesOf(name, entry, state).map(sample => ({ shard, ...sample })))
  const whole = valuesOf(name, entry, stream)
  return [...byShard, ...(entry.kind === 'gauge' ? whole : whole.map(sample => without(sample, byShard)))]
}

function valuesOf(name: MetricName, { kind, unit, ofStream, ofShard }: MetricEntry, state: StreamState | ShardState) {
  const factor = baseUnitFactor(unit)
  if (kind === 'codes') return Object.entries(state.errorsByCode).map(([code, value]): Sample => ({ code, value }))
  if (kind === 'sum' || kind === 'summary') {
    const { count, sum } = state.metrics[name as keyof typeof state.metrics]
    const samples: Sample[] = [
      { part: 'sum', value: sum * factor },
      { part: 'count', value: count }
    ]
    return kind === 'summary' ? samples : [{ value: sum * factor }]
  }
  const value = 'shards' in state ? ofStream?.(state) : ofShard?.(state)
  return value === undefined ? [] : [{ value: value * factor }]
}

function without(whole: Sample, parts: readonly Sample[]): Sample {
  const same = parts.filter(({ code, part }) => code === whole.code && part === whole.part)
  const rest = same.reduce((value, sample) => value - sample.value, whole.value)
  // Sums of times are not exact: what is left of nothing must not go below it.
  return { ...whole, value: Math.max(0, rest) }
}

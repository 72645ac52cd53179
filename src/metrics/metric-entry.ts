/**
 * The type of a row of the metrics table.
 * Invariant: types only.
 */
import type { ProducerStats, ShardState, StreamState } from '../stats/stats.ts'

/** The unit of a metric, as CloudWatch names it. */
export type MetricUnit = 'Count' | 'Bytes' | 'Milliseconds' | 'None'

/** The KPL's levels: `'detailed'` includes `'summary'`. */
export type MetricLevel = 'summary' | 'detailed'

/**
 * How a metric is read and shown.
 * - `sum`: the sum of a statistic set; it only grows.
 * - `summary`: a statistic set whose sum and count both matter.
 * - `histogram`: latencies.
 * - `codes`: failures by code.
 * - `counter`, `gauge`: one number of `stats()`.
 */
export type MetricKind = 'sum' | 'summary' | 'histogram' | 'codes' | 'counter' | 'gauge'

/** One row of the table of metrics. */
export interface MetricEntry {
  /** The unit of its values. */
  readonly unit: MetricUnit
  /** How it is read and shown. */
  readonly kind: MetricKind
  /** The owner of its values: the producer, each stream, each shard, or both streams and their shards. */
  readonly granularity: 'producer' | 'stream' | 'shard' | 'both'
  /** The KPL's level, or ours for what CloudWatch has beside its metrics; unset for a metric that is not exported there. */
  readonly level?: MetricLevel
  /** In CloudWatch too, though the KPL does not have it. */
  readonly isOurs?: true
  /** One or two sentences on its meaning. */
  readonly doc: string
  /** Counters and gauges of the producer: returns the number. */
  readonly ofProducer?: (stats: ProducerStats) => number
  /** Counters and gauges of a stream: returns the number; undefined: none at present. */
  readonly ofStream?: (stream: StreamState) => number | undefined
  /** Counters and gauges of a shard: returns the number. */
  readonly ofShard?: (shard: ShardState) => number
}

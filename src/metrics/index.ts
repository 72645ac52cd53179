/**
 * 'kinesis-producer/metrics': the table of metrics, windows on them, `stats()` as text, and the channels that can be listened to.
 * Invariant: nothing here starts anything.
 */
export {
  type BreakerEvent,
  CHANNELS,
  type RecordFailedEvent,
  type RequestEvent,
  type ShardMapEvent,
  type ThrottleEvent
} from '../stats/diagnostics.ts'
export { LATENCY_BOUNDS_MS } from '../stats/latency-bounds.ts'
export {
  MAX_WINDOWS,
  type Reading,
  SHARD_STATISTICS,
  type ShardStatistic,
  STREAM_STATISTICS,
  type StatisticSet,
  type StreamStatistic
} from '../stats/statistics.ts'
export type { ProducerStats, ShardState, StreamState } from '../stats/stats.ts'
export type { RecordCounters, ShardStats, StreamReading, StreamStats } from '../stats/stream-stats.ts'
export { type FormatStatsOptions, formatStats } from './format-stats.ts'
export type { MetricEntry, MetricKind, MetricLevel, MetricUnit } from './metric-entry.ts'
export { METRICS, type MetricName } from './metrics-table.ts'
export { type MetricsSource, MetricsWindow, type WindowReading } from './metrics-window.ts'

/**
 * The snapshot that `stats()` gives, and what a metrics window has seen since its last look.
 * Invariant: plain data, copied; reading it changes nothing, and it does not change afterwards.
 */

import type { StreamGauges } from '../model/exchange.ts'
import type { StatsCursor } from './statistics.ts'
import type { ShardStats, StreamReading, StreamStats } from './stream-stats.ts'
import type { StreamTelemetry } from './telemetry.ts'

/** The counters of a shard since the stream was first used, and its present rate. */
export interface ShardState extends ShardStats {
  /** The present rate as a part of `rateLimitPercent`: below 1 after throttles. 1 for a shard that is not open. */
  readonly rateFactor: number
}

/** Counters of a stream since it was first used, and its present state. */
export interface StreamState extends StreamStats {
  /** Aggregates that still take user records. */
  readonly openEnvelopes: number
  /** Kinesis records that wait for a request: aggregates that are closed, and records that go alone. */
  readonly sealedRecords: number
  /** Open shards of the shard map in use; 0 before the first map. */
  readonly openShards: number
  /** True while requests of the stream are held back after failures, except one at a time that tries again. */
  readonly isBreakerOpen: boolean
  /** True when Kinesis chooses the shards of this stream itself (record distribution strategy `AUTO`): no aggregates then. */
  readonly isServiceManaged: boolean
  /** The age of the shard map in use; undefined before the first map. */
  readonly shardMapAgeMs: number | undefined
  /** By shard id, also of shards that are closed by now. */
  readonly shards: Readonly<Record<string, ShardState>>
}

/** The result of `stats()`: numbers of this moment, and counters since the producer was made. Plain data, copied. */
export interface ProducerStats {
  /** Records that are accepted and not settled, now. */
  readonly bufferedRecords: number
  /** Their data, keys and overhead, as the option `bufferMaxBytes` counts them. */
  readonly bufferedBytes: number
  /** The option `bufferMaxRecords`. */
  readonly bufferMaxRecords: number
  /** The option `bufferMaxBytes`. */
  readonly bufferMaxBytes: number
  /** Unanswered PutRecords requests, now. The option `maxInFlightRequests` bounds them. */
  readonly inFlightRequests: number
  /** Acknowledged user records since the start. */
  readonly delivered: number
  /** User records that were accepted and failed, since the start. */
  readonly failed: number
  /** Calls of `put` and `tryPut` that found no room (`KPL_ERR_BUFFER_FULL`, or false), since the start. */
  readonly refused: number
  /** Calls that threw or rejected with InvalidRecordError, since the start. */
  readonly invalid: number
  /** Each stream, by its name, or by its ARN if that was given. */
  readonly streams: Readonly<Record<string, StreamState>>
  /** Only from `MetricsWindow.readStats`: the statistic sets and errors since that window was read last, by stream. */
  readonly window?: Readonly<Record<string, StreamReading>>
}

/** The source of `stats()`: all streams of one producer, with their counters. */
export interface CountedStreams {
  readonly streams: Iterable<{
    readonly streamName: string
    readonly telemetry: StreamTelemetry
    readonly gauges: StreamGauges
  }>
  readonly buffer: {
    readonly usedRecords: number
    readonly usedBytes: number
    readonly maxRecords: number
    readonly maxBytes: number
  }
  readonly inFlightRequests: number
  readonly delivered: number
  readonly failed: number
  readonly refusals: { readonly counts: { readonly refused: number; readonly invalid: number } }
}

/** Cost: O(streams x shards). Throws RangeError when `cursor` is new and one too many. */
export function snapshot(set: CountedStreams, nowMs: number, cursor?: StatsCursor): ProducerStats {
  const streams: Record<string, StreamState> = {}
  for (const { streamName, telemetry, gauges } of set.streams) {
    const { shardMapLoadedMs, rateFactorOf, ...state } = gauges
    const stats = telemetry.snapshot(nowMs)
    const shards: Record<string, ShardState> = {}
    for (const [shardId, shard] of Object.entries(stats.shards)) {
      shards[shardId] = { ...shard, rateFactor: rateFactorOf(shardId) }
    }
    const shardMapAgeMs = shardMapLoadedMs === undefined ? undefined : Math.max(0, nowMs - shardMapLoadedMs)
    streams[streamName] = { ...stats, ...state, shardMapAgeMs, shards }
  }
  return {
    bufferedRecords: set.buffer.usedRecords,
    bufferedBytes: set.buffer.usedBytes,
    bufferMaxRecords: set.buffer.maxRecords,
    bufferMaxBytes: set.buffer.maxBytes,
    inFlightRequests: set.inFlightRequests,
    delivered: set.delivered,
    failed: set.failed,
    ...set.refusals.counts,
    streams,
    ...(cursor === undefined ? undefined : { window: readWindow(set, cursor) })
  }
}

function readWindow(set: CountedStreams, cursor: StatsCursor): Record<string, StreamReading> {
  const window: Record<string, StreamReading> = {}
  for (const { streamName, telemetry } of set.streams) {
    if (cursor.isOpen) window[streamName] = telemetry.read(cursor)
    else telemetry.open(cursor)
  }
  cursor.isOpen = true
  return window
}

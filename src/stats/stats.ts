/**
 * The snapshot that `stats()` gives, and what a metrics window has seen since its last look.
 * Invariant: plain data, copied; reading it changes nothing, and it does not change afterwards.
 */

import type { PipelineGauges, StreamGauges } from '../model/exchange.ts'
import type { StatsCursor } from './statistics.ts'
import type { ShardStats, StreamReading, StreamStats } from './stream-stats.ts'
import type { StreamTelemetry } from './telemetry.ts'

/** The counters of a shard, and its present rate. */
export interface ShardState extends ShardStats {
  /** The present rate as a part of `rateLimitPercent`: below 1 after throttles. 1 for a shard that is not open. */
  readonly rateFactor: number
}

/** Counters of a stream, and the present state of its stream. */
export interface StreamState extends StreamStats, PipelineGauges {
  /** How old the shard map in use is; undefined before the first. */
  readonly shardMapAgeMs: number | undefined
  readonly shards: Readonly<Record<string, ShardState>>
}

export interface ProducerStats {
  /** Accepted and not settled, now. */
  readonly bufferedRecords: number
  /** Their data, keys and overhead, as `bufferMaxBytes` counts them. */
  readonly bufferedBytes: number
  /** The options' bounds of the two. */
  readonly bufferMaxRecords: number
  readonly bufferMaxBytes: number
  readonly inFlightRequests: number
  /** Acknowledged and failed user records since the start. */
  readonly delivered: number
  readonly failed: number
  /** Calls of `put` and `tryPut` that found no room (`KPL_ERR_BUFFER_FULL`, or false), since the start. */
  readonly refused: number
  /** Calls that were refused with InvalidRecordError since the start. */
  readonly invalid: number
  /** By stream name, or ARN where that is what was given. */
  readonly streams: Readonly<Record<string, StreamState>>
  /** Set when a cursor was given: statistic sets and errors since it was given last, by stream; none the first time. */
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

/**
 * The part of `stats()`, and of a metrics window, for one stream and its shards.
 * Invariant: types only.
 */
import type { LatencyStats } from './latency.ts'
import type { Reading, ShardStatistic } from './statistics.ts'

/**
 * Counters of one shard, or of one stream. Each that has the name of a metric is the sum of that metric: Kinesis records belong
 * to the shard that they were predicted for, user records to the one that took them.
 */
export interface RecordCounters {
  /** User records acknowledged, and their data bytes. */
  readonly userRecordsPut: number
  readonly userRecordsDataPut: number
  /** Kinesis records stored, also those that landed in the wrong shard, and their bytes. */
  readonly kinesisRecordsPut: number
  readonly kinesisRecordsDataPut: number
  /** Kinesis records answered with a throttle. */
  readonly throttled: number
  /** Kinesis records stored in another shard than predicted. */
  readonly mispredicted: number
  /** Entries and requests that failed, throttles included. */
  readonly allErrors: number
}

/** Counters of one shard since the stream was first used, and its statistic sets under the KPL's names. */
export interface ShardStats extends RecordCounters, Reading<ShardStatistic> {
  /** The throttled part of its answered Kinesis records, 0 to 1. */
  readonly throttledRatio: number
}

/** Counters, statistic sets and latencies of one stream since it was first used. */
export interface StreamStats extends RecordCounters, Reading {
  readonly userRecordsReceived: number
  /** Puts that found no room: each call that was refused, also when the same record was taken later. */
  readonly userRecordsRefused: number
  readonly userRecordsPending: number
  readonly userRecordsFailed: number
  readonly userRecordExpired: number
  /** User records in entries that were acknowledged, each as often as that happened. */
  readonly userRecordsSent: number
  /** User records in entries and requests that failed, by code, each as often as that happened. */
  readonly userRecordsSentByError: Readonly<Record<string, number>>
  /** Records whose attempts include one that may have been stored before: possible duplicates. */
  readonly duplicatesPossible: number
  readonly requests: number
  readonly retries: number
  readonly shardMapRefreshes: number
  readonly throttledRatio: number
  /** How long the oldest unsettled record has waited, to 0.1 s; 0 when there is none. */
  readonly oldestRecordAgeMs: number
  /** From `put` to acknowledgement. */
  readonly putToAck: LatencyStats
  /** From request to answer. */
  readonly requestTime: LatencyStats
  readonly shards: Readonly<Record<string, ShardStats>>
}

/** The changes of one stream since a reader's last look. */
export interface StreamReading extends Reading {
  readonly shards: Readonly<Record<string, Reading<ShardStatistic>>>
}

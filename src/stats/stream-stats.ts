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
  /** User records that Kinesis acknowledged. */
  readonly userRecordsPut: number
  /** Data bytes of these user records, without partition keys. */
  readonly userRecordsDataPut: number
  /** Kinesis records that were stored, also in another shard than predicted. */
  readonly kinesisRecordsPut: number
  /** Data bytes of these Kinesis records. */
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
  /** User records that the producer accepted. */
  readonly userRecordsReceived: number
  /** Puts that found no room: each call that was refused, also when the same record was taken later. */
  readonly userRecordsRefused: number
  /** User records that are accepted and not settled, now. */
  readonly userRecordsPending: number
  /** User records that were accepted and failed. */
  readonly userRecordsFailed: number
  /** User records that failed with `KPL_ERR_EXPIRED`. */
  readonly userRecordExpired: number
  /** User records in entries that were acknowledged, each as often as that happened. */
  readonly userRecordsSent: number
  /** User records in entries and requests that failed, by code, each as often as that happened. */
  readonly userRecordsSentByError: Readonly<Record<string, number>>
  /** Records whose attempts include one that may have been stored before: possible duplicates. */
  readonly duplicatesPossible: number
  /** PutRecords requests that were sent. */
  readonly requests: number
  /** Kinesis records that were sent again. */
  readonly retries: number
  /** Answers of ListShards. */
  readonly shardMapRefreshes: number
  /** The throttled part of the answered Kinesis records, 0 to 1. */
  readonly throttledRatio: number
  /** How long the oldest unsettled record has waited, to 0.1 s; 0 when there is none. */
  readonly oldestRecordAgeMs: number
  /** From `put` to acknowledgement. */
  readonly putToAck: LatencyStats
  /** From request to answer. */
  readonly requestTime: LatencyStats
  /** By shard id. */
  readonly shards: Readonly<Record<string, ShardStats>>
}

/** The changes of one stream since a reader's last look. */
export interface StreamReading extends Reading {
  /** By shard id. */
  readonly shards: Readonly<Record<string, Reading<ShardStatistic>>>
}

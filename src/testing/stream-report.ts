/**
 * The reports of a stream: its description for the API, its counters, and all its records.
 * Invariant: reads only; nothing here changes a stream.
 */
import type { DescribeStreamSummaryOutput, StreamDescriptionBase, StreamStatus } from './api-shapes.ts'
import type { FakeStream } from './fake-stream.ts'
import type { StoredRecord } from './shard-log.ts'

/** Counters of one shard since it was opened. Bytes are data and partition keys. */
export interface ShardStats {
  /** The id of the shard. */
  readonly shardId: string
  /** Whether it takes records. */
  readonly isOpen: boolean
  /** Its first hash key, as decimal text. */
  readonly startingHashKey: string
  /** Its last hash key, as decimal text. */
  readonly endingHashKey: string
  /** Kinesis records that it took. */
  readonly recordCount: number
  /** Bytes that it took. */
  readonly storedBytes: number
  /** Records refused with ProvisionedThroughputExceededException. */
  readonly throttledCount: number
}

/** Counters of one stream. */
export interface StreamStats {
  /** The status of the stream. */
  readonly status: StreamStatus
  /** Its shards, open and closed. */
  readonly shards: readonly ShardStats[]
}

const KIBIBYTE = 1_024

/** The members that DescribeStream and DescribeStreamSummary share. */
export function describeBase(stream: FakeStream, nowMs: number, retentionHours: number): StreamDescriptionBase {
  return {
    StreamName: stream.streamName,
    StreamARN: stream.streamArn,
    StreamStatus: stream.status(nowMs),
    StreamModeDetails: { StreamMode: stream.mode },
    RetentionPeriodHours: retentionHours,
    StreamCreationTimestamp: Math.round(stream.createdAtMs) / 1_000,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: 'NONE'
  }
}

export function describeSummary(
  stream: FakeStream,
  nowMs: number,
  retentionHours: number
): DescribeStreamSummaryOutput['StreamDescriptionSummary'] {
  return {
    ...describeBase(stream, nowMs, retentionHours),
    OpenShardCount: stream.openShards().length,
    ConsumerCount: 0,
    MaxRecordSizeInKiB: stream.maxRecordBytes / KIBIBYTE,
    ...(stream.mode === 'ON_DEMAND' ? { RecordDistributionStrategy: stream.distribution } : {})
  }
}

export function streamStats(stream: FakeStream, nowMs: number): StreamStats {
  const shards = stream.shards().map(shard => ({
    shardId: shard.shardId,
    isOpen: shard.isOpen,
    startingHashKey: shard.hashKeyRange.StartingHashKey,
    endingHashKey: shard.hashKeyRange.EndingHashKey,
    recordCount: shard.recordCount,
    storedBytes: shard.storedBytes,
    throttledCount: shard.throttledCount
  }))
  return { status: stream.status(nowMs), shards }
}

/** Every kept record, by shard in the order of ids, then in sequence order. */
export function storedRecords(stream: FakeStream): StoredRecord[] {
  return stream.shards().flatMap(shard => shard.log.toArray())
}

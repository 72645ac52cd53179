/**
 * The members of Kinesis requests and answers that the fake understands, under the API's own names.
 * Invariant: exactly the JSON wire shapes, but with blobs as bytes. Timestamps are seconds since 1970, with fractions.
 * Source: Kinesis API reference (API version 2013-12-02), read 2026-11.
 */

/** Which stream: one of the two, or both when they name the same. Only the stream's name in an ARN is compared. */
export interface StreamAddress {
  readonly StreamName?: string | undefined
  readonly StreamARN?: string | undefined
}

/** The status of a stream. */
export type StreamStatus = 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING'
/** The capacity mode of a stream. */
export type StreamMode = 'PROVISIONED' | 'ON_DEMAND'
/** The chooser of a record's shard: Kinesis, or the partition key. */
export type RecordDistributionStrategy = 'AUTO' | 'USER_PARTITION_KEY'

/** The input of CreateStream. */
export interface CreateStreamInput {
  readonly StreamName: string
  /** 1 to 10,000. Required for PROVISIONED; ON_DEMAND starts with 4 when not given. */
  readonly ShardCount?: number | undefined
  readonly StreamModeDetails?: { readonly StreamMode: StreamMode } | undefined
  /** 1024 (default) to 10240. */
  readonly MaxRecordSizeInKiB?: number | undefined
  /** ON_DEMAND streams only; default `USER_PARTITION_KEY`. */
  readonly RecordDistributionStrategy?: RecordDistributionStrategy | undefined
}

/** One record of a PutRecords request. */
export interface PutRecordsRequestEntry {
  /** Kept as it is, not copied: do not change it afterwards. */
  readonly Data?: Uint8Array | undefined
  readonly PartitionKey?: string | undefined
  /** Decimal text, 0 to 2^128 - 1. */
  readonly ExplicitHashKey?: string | undefined
}

/** The input of PutRecords. */
export interface PutRecordsInput extends StreamAddress {
  readonly Records: readonly PutRecordsRequestEntry[]
}

/** The input of PutRecord. */
export interface PutRecordInput extends StreamAddress, PutRecordsRequestEntry {
  readonly SequenceNumberForOrdering?: string | undefined
}

/** Either `SequenceNumber` and `ShardId`, or `ErrorCode` and `ErrorMessage`. */
export interface PutRecordsResultEntry {
  readonly SequenceNumber?: string
  readonly ShardId?: string
  readonly ErrorCode?: string
  readonly ErrorMessage?: string
}

/** The output of PutRecords. */
export interface PutRecordsOutput {
  readonly FailedRecordCount: number
  readonly EncryptionType: 'NONE'
  readonly Records: readonly PutRecordsResultEntry[]
}

/** The output of PutRecord. */
export interface PutRecordOutput {
  readonly ShardId: string
  readonly SequenceNumber: string
  readonly EncryptionType: 'NONE'
}

/** Decimal text, both ends inclusive. */
export interface HashKeyRange {
  readonly StartingHashKey: string
  readonly EndingHashKey: string
}

/** A shard of a listing. */
export interface Shard {
  readonly ShardId: string
  readonly ParentShardId?: string
  readonly AdjacentParentShardId?: string
  readonly HashKeyRange: HashKeyRange
  /** `EndingSequenceNumber` is set once the shard is closed. */
  readonly SequenceNumberRange: { readonly StartingSequenceNumber: string; readonly EndingSequenceNumber?: string }
}

/** The shards that ListShards returns. */
export interface ShardFilter {
  /** AFTER_SHARD_ID, AT_TRIM_HORIZON, FROM_TRIM_HORIZON, AT_LATEST, AT_TIMESTAMP or FROM_TIMESTAMP. */
  readonly Type?: string | undefined
  readonly ShardId?: string | undefined
  readonly Timestamp?: number | undefined
}

/** The input of ListShards. */
export interface ListShardsInput extends StreamAddress {
  readonly NextToken?: string | undefined
  readonly ExclusiveStartShardId?: string | undefined
  /** 1 to 10,000; pages never hold more than 1,000. */
  readonly MaxResults?: number | undefined
  readonly StreamCreationTimestamp?: number | undefined
  readonly ShardFilter?: ShardFilter | undefined
}

/** The output of ListShards. */
export interface ListShardsOutput {
  readonly Shards: readonly Shard[]
  readonly NextToken?: string
}

/** The input of SplitShard. */
export interface SplitShardInput extends StreamAddress {
  readonly ShardToSplit: string
  readonly NewStartingHashKey: string
}

/** The input of MergeShards. */
export interface MergeShardsInput extends StreamAddress {
  readonly ShardToMerge: string
  readonly AdjacentShardToMerge: string
}

/** The input of UpdateShardCount. */
export interface UpdateShardCountInput extends StreamAddress {
  readonly TargetShardCount: number
  readonly ScalingType?: string | undefined
}

/** The output of UpdateShardCount. */
export interface UpdateShardCountOutput {
  readonly StreamName: string
  readonly StreamARN: string
  readonly CurrentShardCount: number
  readonly TargetShardCount: number
}

/** The input of UpdateMaxRecordSize. */
export interface UpdateMaxRecordSizeInput extends StreamAddress {
  /** 1024 to 10240. */
  readonly MaxRecordSizeInKiB: number
}

/** The input of UpdateStreamMode. */
export interface UpdateStreamModeInput extends StreamAddress {
  readonly StreamModeDetails: { readonly StreamMode: StreamMode }
}

/** The input of UpdateStreamRecordDistributionStrategy. */
export interface UpdateStreamRecordDistributionStrategyInput extends StreamAddress {
  readonly RecordDistributionStrategy: RecordDistributionStrategy
}

/** The input of ListStreams. */
export interface ListStreamsInput {
  readonly Limit?: number | undefined
  readonly ExclusiveStartStreamName?: string | undefined
}

/** The output of ListStreams. */
export interface ListStreamsOutput {
  readonly StreamNames: readonly string[]
  readonly HasMoreStreams: boolean
}

/** The input of DescribeStream. */
export interface DescribeStreamInput extends StreamAddress {
  /** Shards in the answer, 1 to 10,000; default 100. */
  readonly Limit?: number | undefined
  readonly ExclusiveStartShardId?: string | undefined
}

/** The members that both descriptions of a stream have. */
export interface StreamDescriptionBase {
  readonly StreamName: string
  readonly StreamARN: string
  readonly StreamStatus: StreamStatus
  readonly StreamModeDetails: { readonly StreamMode: StreamMode }
  readonly RetentionPeriodHours: number
  readonly StreamCreationTimestamp: number
  readonly EnhancedMonitoring: readonly { readonly ShardLevelMetrics: readonly string[] }[]
  readonly EncryptionType: 'NONE'
}

/** The output of DescribeStream. */
export interface DescribeStreamOutput {
  readonly StreamDescription: StreamDescriptionBase & {
    readonly Shards: readonly Shard[]
    readonly HasMoreShards: boolean
  }
}

/** The output of DescribeStreamSummary. */
export interface DescribeStreamSummaryOutput {
  readonly StreamDescriptionSummary: StreamDescriptionBase & {
    readonly OpenShardCount: number
    readonly ConsumerCount: number
    readonly MaxRecordSizeInKiB: number
    /** Present for ON_DEMAND streams only. */
    readonly RecordDistributionStrategy?: RecordDistributionStrategy
  }
}

/** The input of GetShardIterator. */
export interface GetShardIteratorInput extends StreamAddress {
  readonly ShardId: string
  /** TRIM_HORIZON, LATEST, AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER or AT_TIMESTAMP. */
  readonly ShardIteratorType: string
  readonly StartingSequenceNumber?: string | undefined
  readonly Timestamp?: number | undefined
}

/** The output of GetShardIterator. */
export interface GetShardIteratorOutput {
  readonly ShardIterator: string
}

/** The input of GetRecords. */
export interface GetRecordsInput extends StreamAddress {
  readonly ShardIterator: string
  /** 1 to 10,000 (default). */
  readonly Limit?: number | undefined
}

/** One record of a GetRecords answer. */
export interface GetRecordsRecord {
  readonly SequenceNumber: string
  readonly ApproximateArrivalTimestamp: number
  readonly Data: Uint8Array
  readonly PartitionKey?: string
}

/** A shard that follows one that ended. */
export interface ChildShard {
  readonly ShardId: string
  readonly ParentShards: readonly string[]
  readonly HashKeyRange: HashKeyRange
}

/** The output of GetRecords. */
export interface GetRecordsOutput {
  readonly Records: readonly GetRecordsRecord[]
  /** Absent at the end of a closed shard. */
  readonly NextShardIterator?: string
  readonly MillisBehindLatest: number
  /** Present at the end of a closed shard. */
  readonly ChildShards?: readonly ChildShard[]
}

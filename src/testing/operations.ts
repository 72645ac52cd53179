/**
 * Every operation the fake answers over HTTP: which members it reads, and which method of the model it calls.
 * Invariant: one table; an operation that is not in it is the service's UnknownOperationException.
 */
import type { RecordDistributionStrategy, ShardFilter, StreamAddress, StreamMode } from './api-shapes.ts'
import type { FakeKinesis } from './fake-kinesis.ts'
import type { CallEffects, ServiceCall } from './fake-service.ts'
import type { InputFields } from './input-fields.ts'
import { FakeServiceError, required } from './service-error.ts'
import { readListingToken } from './shard-listing.ts'
import { readShardIterator } from './shard-reading.ts'
import { streamNameOfArn } from './stream-registry.ts'

type Run = ServiceCall['run']

/** Returns the call for a request. Throws FakeServiceError for an unknown operation or members of the wrong type. */
export function readCall(operation: string, fields: InputFields): ServiceCall {
  const read = OPERATIONS.get(operation)
  if (read === undefined) {
    throw new FakeServiceError('UnknownOperationException', `The fake Kinesis has no operation ${operation}.`)
  }
  const entryCount =
    operation === 'PutRecord' ? 1 : operation === 'PutRecords' ? (fields.listLength('Records') ?? 0) : 0
  return { operation, streamName: requestedStreamName(fields), entryCount, run: read(fields) }
}

/** Binds what an operation reads to what it does; the input is read at once, and applied when the call is run. */
function operation<Input>(
  read: (fields: InputFields) => Input,
  // biome-ignore lint/suspicious/noConfusingVoidType: operations without output are methods without result
  run: (kinesis: FakeKinesis, input: Input, effects: CallEffects) => object | void
): (fields: InputFields) => Run {
  return fields => {
    const input = read(fields)
    return (kinesis, effects) => run(kinesis, input, effects) ?? {}
  }
}

const OPERATIONS: ReadonlyMap<string, (fields: InputFields) => Run> = new Map([
  [
    'CreateStream',
    operation(
      fields => ({
        StreamName: required(fields.text('StreamName'), 'streamName'),
        ShardCount: fields.number('ShardCount'),
        StreamModeDetails: streamModeDetails(fields),
        MaxRecordSizeInKiB: fields.number('MaxRecordSizeInKiB'),
        RecordDistributionStrategy: fields.text('RecordDistributionStrategy') as RecordDistributionStrategy | undefined
      }),
      (kinesis, input) => kinesis.createStream(input)
    )
  ],
  ['DeleteStream', operation(address, (kinesis, input) => kinesis.deleteStream(input))],
  [
    'DescribeStream',
    operation(
      fields => ({
        ...address(fields),
        Limit: fields.number('Limit'),
        ExclusiveStartShardId: fields.text('ExclusiveStartShardId')
      }),
      (kinesis, input) => kinesis.describeStream(input)
    )
  ],
  ['DescribeStreamSummary', operation(address, (kinesis, input) => kinesis.describeStreamSummary(input))],
  [
    'GetRecords',
    operation(
      fields => ({
        ShardIterator: required(fields.text('ShardIterator'), 'shardIterator'),
        Limit: fields.number('Limit')
      }),
      (kinesis, input) => kinesis.getRecords(input)
    )
  ],
  [
    'GetShardIterator',
    operation(
      fields => ({
        ...address(fields),
        ShardId: required(fields.text('ShardId'), 'shardId'),
        ShardIteratorType: required(fields.text('ShardIteratorType'), 'shardIteratorType'),
        StartingSequenceNumber: fields.text('StartingSequenceNumber'),
        Timestamp: fields.number('Timestamp')
      }),
      (kinesis, input) => kinesis.getShardIterator(input)
    )
  ],
  [
    'ListShards',
    operation(
      fields => ({
        ...address(fields),
        NextToken: fields.text('NextToken'),
        ExclusiveStartShardId: fields.text('ExclusiveStartShardId'),
        MaxResults: fields.number('MaxResults'),
        StreamCreationTimestamp: fields.number('StreamCreationTimestamp'),
        ShardFilter: shardFilter(fields.structure('ShardFilter'))
      }),
      (kinesis, input, effects) => kinesis.listShards(input, effects.shardsAgoMs)
    )
  ],
  [
    'ListStreams',
    operation(
      fields => ({
        Limit: fields.number('Limit'),
        ExclusiveStartStreamName: fields.text('ExclusiveStartStreamName')
      }),
      (kinesis, input) => kinesis.listStreams(input)
    )
  ],
  [
    'MergeShards',
    operation(
      fields => ({
        ...address(fields),
        ShardToMerge: required(fields.text('ShardToMerge'), 'shardToMerge'),
        AdjacentShardToMerge: required(fields.text('AdjacentShardToMerge'), 'adjacentShardToMerge')
      }),
      (kinesis, input) => kinesis.mergeShards(input)
    )
  ],
  [
    'PutRecord',
    operation(
      fields => ({ ...address(fields), ...entry(fields) }),
      (kinesis, input, effects) => kinesis.putRecord(input, effects)
    )
  ],
  [
    'PutRecords',
    operation(
      fields => ({ ...address(fields), Records: required(fields.list('Records'), 'records').map(entry) }),
      (kinesis, input, effects) => kinesis.putRecords(input, effects)
    )
  ],
  [
    'SplitShard',
    operation(
      fields => ({
        ...address(fields),
        ShardToSplit: required(fields.text('ShardToSplit'), 'shardToSplit'),
        NewStartingHashKey: required(fields.text('NewStartingHashKey'), 'newStartingHashKey')
      }),
      (kinesis, input) => kinesis.splitShard(input)
    )
  ],
  [
    'UpdateMaxRecordSize',
    operation(
      fields => ({
        ...address(fields),
        MaxRecordSizeInKiB: required(fields.number('MaxRecordSizeInKiB'), 'maxRecordSizeInKiB')
      }),
      (kinesis, input) => kinesis.updateMaxRecordSize(input)
    )
  ],
  [
    'UpdateShardCount',
    operation(
      fields => ({
        ...address(fields),
        TargetShardCount: required(fields.number('TargetShardCount'), 'targetShardCount'),
        ScalingType: fields.text('ScalingType')
      }),
      (kinesis, input) => kinesis.updateShardCount(input)
    )
  ],
  [
    'UpdateStreamMode',
    operation(
      fields => ({
        ...address(fields),
        StreamModeDetails: required(streamModeDetails(fields), 'streamModeDetails')
      }),
      (kinesis, input) => kinesis.updateStreamMode(input)
    )
  ],
  [
    'UpdateStreamRecordDistributionStrategy',
    operation(
      fields => ({
        ...address(fields),
        RecordDistributionStrategy: required(
          fields.text('RecordDistributionStrategy') as RecordDistributionStrategy | undefined,
          'recordDistributionStrategy'
        )
      }),
      (kinesis, input) => kinesis.updateStreamRecordDistributionStrategy(input)
    )
  ]
])

function address(fields: InputFields): StreamAddress {
  return { StreamName: fields.text('StreamName'), StreamARN: fields.text('StreamARN') }
}

function entry(fields: InputFields) {
  return {
    Data: fields.blob('Data'),
    PartitionKey: fields.text('PartitionKey'),
    ExplicitHashKey: fields.text('ExplicitHashKey')
  }
}

function streamModeDetails(fields: InputFields): { StreamMode: StreamMode } | undefined {
  const mode = fields.structure('StreamModeDetails')?.text('StreamMode')
  return mode === undefined ? undefined : { StreamMode: mode as StreamMode }
}

function shardFilter(fields: InputFields | undefined): ShardFilter | undefined {
  if (fields === undefined) return undefined
  return { Type: fields.text('Type'), ShardId: fields.text('ShardId'), Timestamp: fields.number('Timestamp') }
}

/** The stream that the name, ARN, token or iterator of a request stands for. */
function requestedStreamName(fields: InputFields): string | undefined {
  const name = fields.text('StreamName')
  if (name !== undefined) return name
  const arn = fields.text('StreamARN')
  if (arn !== undefined) return streamNameOfArn(arn)
  const token = fields.text('NextToken')
  if (token !== undefined) return readListingToken(token).streamName
  const iterator = fields.text('ShardIterator')
  return iterator === undefined ? undefined : readShardIterator(iterator).streamName
}

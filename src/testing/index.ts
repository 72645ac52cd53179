/**
 * Entry point `kinesis-producer/testing`: a fake Kinesis, in memory and over HTTP, and what tests need beside it.
 * Invariant: no dependency but Node.js; nothing here is imported by the library itself.
 */
export type {
  ChildShard,
  CreateStreamInput,
  DescribeStreamInput,
  DescribeStreamOutput,
  DescribeStreamSummaryOutput,
  GetRecordsInput,
  GetRecordsOutput,
  GetRecordsRecord,
  GetShardIteratorInput,
  GetShardIteratorOutput,
  HashKeyRange,
  ListShardsInput,
  ListShardsOutput,
  ListStreamsInput,
  ListStreamsOutput,
  MergeShardsInput,
  PutRecordInput,
  PutRecordOutput,
  PutRecordsInput,
  PutRecordsOutput,
  PutRecordsRequestEntry,
  PutRecordsResultEntry,
  RecordDistributionStrategy,
  Shard,
  ShardFilter,
  SplitShardInput,
  StreamAddress,
  StreamDescriptionBase,
  StreamMode,
  StreamStatus,
  UpdateMaxRecordSizeInput,
  UpdateShardCountInput,
  UpdateShardCountOutput,
  UpdateStreamModeInput,
  UpdateStreamRecordDistributionStrategyInput
} from './api-shapes.ts'
export { DiscardTransport, type DiscardTransportOptions } from './discard-transport.ts'
export { FakeGlue, type FakeGlueFault, type FakeGlueOptions, type FakeGlueVersion } from './fake-glue.ts'
export { FakeKinesis, type FakeKinesisOptions } from './fake-kinesis.ts'
export type { OperationStats } from './fake-service.ts'
export { type FaultDecision, type FaultEnding, FaultPlan } from './fault-plan.ts'
export type { FaultAction, FaultMatch, FaultRequest, FaultRule, RecordSelection } from './fault-rule.ts'
export { type FakeGlueServer, type FakeGlueServerOptions, startFakeGlue } from './glue-server.ts'
export { InMemoryTransport, type InMemoryTransportOptions } from './in-memory-transport.ts'
export { type KclUserRecord, readAsKcl } from './kcl-reader.ts'
export {
  kinesisEvent,
  type LambdaContextOptions,
  type LambdaEventOptions,
  type LambdaEventRecord,
  type LambdaTestContext,
  type LambdaTestEvent,
  type LambdaTestRecord,
  lambdaContext
} from './lambda-event.ts'
export type { PutEffects } from './put-records.ts'
export type { RecordError } from './record-error.ts'
export { type SeededRandom, seededRandom } from './seeded-random.ts'
export { type FakeKinesisServer, type FakeKinesisServerOptions, startFakeKinesisServer } from './server.ts'
export { FakeServiceError } from './service-error.ts'
export type { StoredRecord } from './shard-log.ts'
export type { ShardStats, StreamStats } from './stream-report.ts'
export { VirtualClock } from './virtual-clock.ts'

/**
 * Kinesis Data Streams in memory: one account and region, every operation a synchronous call with the API's own shapes.
 * Invariant: nothing happens between calls; what depends on time is worked out from `nowMs()` when a call is made.
 */
import { type OptionRules, oneOf } from '../consumer/deaggregate/given-options.ts'
import type { Random } from '../model/ports.ts'
import type * as Api from './api-shapes.ts'
import { FakeStream } from './fake-stream.ts'
import { assertGiven, DURATION, FLAG, FUNCTION, TEXT } from './given.ts'
import { type PutEffects, putRecords } from './put-records.ts'
import { seededRandom } from './seeded-random.ts'
import { FakeServiceError, required } from './service-error.ts'
import { assertListingInput, describeShards, listShards, readListingToken } from './shard-listing.ts'
import type { StoredRecord } from './shard-log.ts'
import { getRecords, readShardIterator, shardIterator } from './shard-reading.ts'
import { StreamRegistry, streamAddress } from './stream-registry.ts'
import { describeBase, describeSummary, type StreamStats, storedRecords, streamStats } from './stream-report.ts'
import {
  assertDistribution,
  assertHashKeyText,
  assertMode,
  assertScaling,
  assertShardCount,
  assertStreamName,
  DEFAULT_RECORD_KIB,
  recordBytes
} from './stream-settings.ts'

/** The options of `FakeKinesis`. */
export interface FakeKinesisOptions {
  /**
   * The time in milliseconds; must never go back. Read as milliseconds since 1970 where the API has a timestamp.
   * Give `() => clock.nowMs()` of a `VirtualClock`, or of the producer's own clock.
   */
  readonly nowMs: () => number
  /** The account in ARNs. Default: `000000000000`. */
  readonly accountId?: string | undefined
  /** The region in ARNs. Default: `us-east-1`. */
  readonly region?: string | undefined
  /** Places the records of `AUTO` streams. Default: a fixed seed. */
  readonly random?: Random | undefined
  /** Whether shards refuse more than 1,000 records/s and 1 MiB/s. Default true. */
  readonly throughputLimits?: boolean | undefined
  /** How long a new stream stays CREATING. Default: 0. */
  readonly creatingMs?: number | undefined
  /** How long a deleted stream stays DELETING. Default: 0. */
  readonly deletingMs?: number | undefined
  /** How long a stream stays UPDATING, for each split or merge. Default: 0. */
  readonly updatingMs?: number | undefined
  /** How long records are kept. Default 24 h. */
  readonly retentionMs?: number | undefined
  /** `'discard'`: records are checked, counted and acknowledged, but not kept. Default `'keep'`. */
  readonly storage?: 'keep' | 'discard' | undefined
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const ON_DEMAND_SHARD_COUNT = 4
const DESCRIBE_STREAM_LIMIT = 100
const LIST_STREAMS_LIMIT = 100

const RULES: OptionRules<FakeKinesisOptions> = {
  nowMs: FUNCTION,
  accountId: TEXT,
  region: TEXT,
  random: FUNCTION,
  throughputLimits: FLAG,
  creatingMs: DURATION,
  deletingMs: DURATION,
  updatingMs: DURATION,
  retentionMs: DURATION,
  storage: oneOf('keep', 'discard')
}

/**
 * The model behind the server and the in-memory transport; tests may also call it directly. Operations throw
 * `FakeServiceError` with the service's code: ResourceNotFoundException, ResourceInUseException, ValidationException,
 * InvalidArgumentException, ExpiredIteratorException, ExpiredNextTokenException, and for PutRecord also
 * ProvisionedThroughputExceededException.
 *
 * @example
 * const clock = new VirtualClock()
 * const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs() })
 * kinesis.createStream({ StreamName: 'orders', ShardCount: 2 })
 * const transport = new InMemoryTransport({ kinesis, clock })
 * const producer = new KinesisProducer({ streamName: 'orders' }, { transport, clock })
 */
export class FakeKinesis {
  readonly #options: FakeKinesisOptions
  readonly #nowMs: () => number
  readonly #random: Random
  readonly #registry: StreamRegistry
  #hasThroughputLimits: boolean
  #nextOrdinal = 1
  #nextIncarnation = 1

  /** Has no stream: `createStream` makes one. Throws OptionsError. */
  constructor(options: FakeKinesisOptions) {
    assertGiven('FakeKinesis', options, RULES, ['nowMs'])
    this.#options = options
    this.#nowMs = options.nowMs
    this.#random = options.random ?? seededRandom(0)
    this.#registry = new StreamRegistry(this.#accountId)
    this.#hasThroughputLimits = options.throughputLimits ?? true
  }

  /**
   * Switches the shards' limits of 1,000 records/s and 1 MiB/s on or off, from the next record on.
   *
   * @example
   * kinesis.setThroughputLimits(false)
   */
  setThroughputLimits(isOn: boolean): void {
    this.#hasThroughputLimits = isOn
  }

  /**
   * Creates a stream with equal shards. ResourceInUseException when the name is taken, also while it is DELETING.
   *
   * @example
   * kinesis.createStream({ StreamName: 'clicks', ShardCount: 2 })
   * kinesis.listStreams().StreamNames // => ['clicks', 'orders']
   */
  createStream(input: Api.CreateStreamInput): void {
    const nowMs = this.#nowMs()
    const streamName = assertStreamName(input.StreamName)
    const mode = assertMode(input.StreamModeDetails?.StreamMode ?? 'PROVISIONED')
    const distribution = input.RecordDistributionStrategy ?? 'USER_PARTITION_KEY'
    assertDistribution(distribution, mode)
    const shardCount = input.ShardCount ?? (mode === 'ON_DEMAND' ? ON_DEMAND_SHARD_COUNT : undefined)
    const stream = new FakeStream({
      streamName,
      streamArn: `arn:aws:kinesis:${this.#options.region ?? 'us-east-1'}:${this.#accountId}:stream/${streamName}`,
      accountId: this.#accountId,
      incarnation: this.#nextIncarnation++,
      shardCount: assertShardCount(required(shardCount, 'shardCount'), 'shardCount'),
      mode,
      distribution,
      maxRecordBytes: recordBytes(input.MaxRecordSizeInKiB ?? DEFAULT_RECORD_KIB),
      nowMs,
      activeAtMs: nowMs + (this.#options.creatingMs ?? 0),
      nextOrdinal: () => this.#nextOrdinal++
    })
    this.#registry.add(stream, nowMs)
  }

  /**
   * Deletes the stream and all it stored, after `deletingMs`. Until then it takes and gives records as before.
   *
   * @example
   * kinesis.deleteStream({ StreamName: 'orders' })
   * kinesis.listStreams().StreamNames // => []
   */
  deleteStream(input: Api.StreamAddress): void {
    const nowMs = this.#nowMs()
    const stream = this.#registry.find(input, nowMs)
    stream.goneAtMs = Math.min(stream.goneAtMs, nowMs + (this.#options.deletingMs ?? 0))
  }

  /**
   * Returns the names of the streams, in the order of names.
   *
   * @example
   * kinesis.listStreams() // => { StreamNames: ['orders'], HasMoreStreams: false }
   */
  listStreams(input: Api.ListStreamsInput = {}): Api.ListStreamsOutput {
    const after = input.ExclusiveStartStreamName ?? ''
    const names = this.#registry.all(this.#nowMs()).map(stream => stream.streamName)
    const rest = names.filter(name => name > after)
    const page = rest.slice(0, input.Limit ?? LIST_STREAMS_LIMIT)
    return { StreamNames: page, HasMoreStreams: rest.length > page.length }
  }

  /**
   * Returns the description of the stream, with its shards.
   *
   * @example
   * kinesis.describeStream({ StreamName: 'orders' }).StreamDescription.Shards.length // => 1
   */
  describeStream(input: Api.DescribeStreamInput): Api.DescribeStreamOutput {
    const nowMs = this.#nowMs()
    const stream = this.#registry.find(input, nowMs)
    const limit = input.Limit ?? DESCRIBE_STREAM_LIMIT
    const { shards, hasMore } = describeShards(stream, input.ExclusiveStartShardId, limit, nowMs)
    const base = describeBase(stream, nowMs, this.#retentionMs / HOUR_MS)
    return { StreamDescription: { ...base, Shards: shards, HasMoreShards: hasMore } }
  }

  /**
   * Returns the description of the stream, with counts in place of its shards.
   *
   * @example
   * kinesis.describeStreamSummary({ StreamName: 'orders' }).StreamDescriptionSummary.StreamStatus // => 'ACTIVE'
   */
  describeStreamSummary(input: Api.StreamAddress): Api.DescribeStreamSummaryOutput {
    const nowMs = this.#nowMs()
    const stream = this.#registry.find(input, nowMs)
    return { StreamDescriptionSummary: describeSummary(stream, nowMs, this.#retentionMs / HOUR_MS) }
  }

  /**
   * `agoMs`: answers with the shards as they were so long ago, a stale answer. ResourceInUse while CREATING.
   *
   * @example
   * kinesis.listShards({ StreamName: 'orders' }).Shards[0]?.ShardId // => 'shardId-000000000000'
   */
  listShards(input: Api.ListShardsInput, agoMs: number = 0): Api.ListShardsOutput {
    assertListingInput(input)
    const nowMs = this.#nowMs()
    const token = input.NextToken === undefined ? undefined : readListingToken(input.NextToken)
    const stream = this.#registry.find(token === undefined ? input : { StreamName: token.streamName }, nowMs)
    if (stream.status(nowMs) === 'CREATING') {
      throw new FakeServiceError('ResourceInUseException', `Stream ${stream.streamName} is still CREATING.`)
    }
    return listShards(stream, input, token, { nowMs, asOfMs: nowMs - agoMs, horizonMs: nowMs - this.#retentionMs })
  }

  /**
   * Splits a shard of a PROVISIONED stream at a hash key, after `updatingMs`.
   *
   * @example
   * const middle = String(2n ** 127n)
   * kinesis.splitShard({ StreamName: 'orders', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: middle })
   * kinesis.listShards({ StreamName: 'orders', ShardFilter: { Type: 'AT_LATEST' } }).Shards.length // => 2
   */
  splitShard(input: Api.SplitShardInput): void {
    const nowMs = this.#nowMs()
    const stream = this.#registry.findProvisioned(input, nowMs)
    const at = assertHashKeyText(required(input.NewStartingHashKey, 'newStartingHashKey'), 'newStartingHashKey')
    stream.scheduleSplit(required(input.ShardToSplit, 'shardToSplit'), at, nowMs + this.#updatingMs)
    stream.advance(nowMs)
  }

  /**
   * Merges two adjacent shards of a PROVISIONED stream, after `updatingMs`.
   *
   * @example
   * kinesis.reshard('orders', 2)
   * const [left, right] = ['shardId-000000000001', 'shardId-000000000002'] as const
   * kinesis.mergeShards({ StreamName: 'orders', ShardToMerge: left, AdjacentShardToMerge: right })
   * kinesis.listShards({ StreamName: 'orders', ShardFilter: { Type: 'AT_LATEST' } }).Shards.length // => 1
   */
  mergeShards(input: Api.MergeShardsInput): void {
    const nowMs = this.#nowMs()
    const stream = this.#registry.findProvisioned(input, nowMs)
    const shardId = required(input.ShardToMerge, 'shardToMerge')
    const adjacentShardId = required(input.AdjacentShardToMerge, 'adjacentShardToMerge')
    stream.scheduleMerge(shardId, adjacentShardId, nowMs + this.#updatingMs)
    stream.advance(nowMs)
  }

  /**
   * Equal ranges by splits and merges, from half to twice the open shards; each step takes `updatingMs`.
   *
   * @example
   * kinesis.updateShardCount({ StreamName: 'orders', TargetShardCount: 2 }).CurrentShardCount // => 1
   */
  updateShardCount(input: Api.UpdateShardCountInput): Api.UpdateShardCountOutput {
    const nowMs = this.#nowMs()
    const stream = this.#registry.findProvisioned(input, nowMs)
    const target = assertShardCount(required(input.TargetShardCount, 'targetShardCount'), 'targetShardCount')
    const current = stream.openShards().length
    assertScaling(current, target)
    stream.scheduleUniform(target, nowMs, this.#updatingMs)
    stream.advance(nowMs)
    const { streamName, streamArn } = stream
    return { StreamName: streamName, StreamARN: streamArn, CurrentShardCount: current, TargetShardCount: target }
  }

  /**
   * Not an API operation: scales a stream of either mode to `targetShardCount` equal shards, as the service does on
   * its own for ON_DEMAND streams. Without the bound of half to double; each step takes `updatingMs`.
   *
   * @example
   * kinesis.reshard('orders', 4)
   * kinesis.listShards({ StreamName: 'orders', ShardFilter: { Type: 'AT_LATEST' } }).Shards.length // => 4
   */
  reshard(streamNameOrArn: string, targetShardCount: number): void {
    const nowMs = this.#nowMs()
    const stream = this.#registry.findActive(streamAddress(streamNameOrArn), nowMs)
    stream.scheduleUniform(assertShardCount(targetShardCount, 'targetShardCount'), nowMs, this.#updatingMs)
    stream.advance(nowMs)
  }

  /**
   * Changes the stream's limit for one record.
   *
   * @example
   * kinesis.updateMaxRecordSize({ StreamName: 'orders', MaxRecordSizeInKiB: 10_240 })
   */
  updateMaxRecordSize(input: Api.UpdateMaxRecordSizeInput): void {
    const stream = this.#registry.findActive(input, this.#nowMs())
    stream.maxRecordBytes = recordBytes(required(input.MaxRecordSizeInKiB, 'maxRecordSizeInKiB'))
  }

  /**
   * Changes the capacity mode of the stream.
   *
   * @example
   * kinesis.updateStreamMode({ StreamName: 'orders', StreamModeDetails: { StreamMode: 'ON_DEMAND' } })
   */
  updateStreamMode(input: Api.UpdateStreamModeInput): void {
    const stream = this.#registry.findActive(input, this.#nowMs())
    stream.mode = assertMode(required(input.StreamModeDetails?.StreamMode, 'streamModeDetails.streamMode'))
    if (stream.mode === 'PROVISIONED') stream.distribution = 'USER_PARTITION_KEY'
  }

  /**
   * Sets the side that chooses shards from now on: the partition key, or (`AUTO`, ON_DEMAND streams only) the service.
   *
   * @example
   * kinesis.updateStreamMode({ StreamName: 'orders', StreamModeDetails: { StreamMode: 'ON_DEMAND' } })
   * kinesis.updateStreamRecordDistributionStrategy({ StreamName: 'orders', RecordDistributionStrategy: 'AUTO' })
   */
  updateStreamRecordDistributionStrategy(input: Api.UpdateStreamRecordDistributionStrategyInput): void {
    const stream = this.#registry.findActive(input, this.#nowMs())
    const distribution = required(input.RecordDistributionStrategy, 'recordDistributionStrategy')
    assertDistribution(distribution, stream.mode)
    stream.distribution = distribution
  }

  /**
   * `Data` is kept as it is, not copied. `effects`: what a fault plan does to the records. O(records).
   *
   * @example
   * const Records = [{ Data: Buffer.from('hello'), PartitionKey: 'user-1' }]
   * kinesis.putRecords({ StreamName: 'orders', Records }).FailedRecordCount // => 0
   */
  putRecords(input: Api.PutRecordsInput, effects: PutEffects = {}): Api.PutRecordsOutput {
    const nowMs = this.#nowMs()
    const stream = this.#registry.findReadable(input, nowMs)
    const settings = {
      nowMs,
      hasThroughputLimits: this.#hasThroughputLimits,
      keepsRecords: this.#options.storage !== 'discard',
      horizonMs: nowMs - this.#retentionMs,
      pickIndex: (count: number) => Math.floor(this.#random() * count)
    }
    return putRecords(stream, input.Records, settings, effects)
  }

  /**
   * As a PutRecords of one. Sequence numbers always increase, so `SequenceNumberForOrdering` changes nothing.
   *
   * @example
   * const { ShardId } = kinesis.putRecord({ StreamName: 'orders', Data: Buffer.from('hello'), PartitionKey: 'user-1' })
   * ShardId // => 'shardId-000000000000'
   */
  putRecord(input: Api.PutRecordInput, effects: PutEffects = {}): Api.PutRecordOutput {
    const { StreamName, StreamARN } = input
    const { Records } = this.putRecords({ StreamName, StreamARN, Records: [input] }, effects)
    const { ErrorCode, ErrorMessage = '', ShardId = '', SequenceNumber = '' } = Records[0]!
    if (ErrorCode !== undefined) throw new FakeServiceError(ErrorCode, ErrorMessage)
    return { ShardId, SequenceNumber, EncryptionType: 'NONE' }
  }

  /**
   * Returns an iterator, from which `getRecords` reads the shard.
   *
   * @example
   * const place = { ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' }
   * const { ShardIterator } = kinesis.getShardIterator({ StreamName: 'orders', ...place })
   */
  getShardIterator(input: Api.GetShardIteratorInput): Api.GetShardIteratorOutput {
    const nowMs = this.#nowMs()
    const stream = this.#registry.findReadable(input, nowMs)
    return { ShardIterator: shardIterator(stream, input, nowMs) }
  }

  /**
   * `Data` is not copied. The read limits of a shard (2 MiB/s, 5 calls/s) are not modelled. O(records returned).
   *
   * @example
   * const place = { ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' }
   * const { ShardIterator } = kinesis.getShardIterator({ StreamName: 'orders', ...place })
   * kinesis.getRecords({ ShardIterator }).Records // => []
   */
  getRecords(input: Api.GetRecordsInput): Api.GetRecordsOutput {
    const nowMs = this.#nowMs()
    const iterator = readShardIterator(required(input.ShardIterator, 'shardIterator'))
    const stream = this.#registry.findReadable({ StreamName: iterator.streamName }, nowMs)
    return getRecords(stream, iterator, input.Limit, nowMs)
  }

  /**
   * Not an API operation: all that is stored, by shard in the order of their ids, then in sequence order. O(records).
   *
   * @example
   * await producer.put({ partitionKey: 'user-1', data: 'hello' })
   * kinesis.storedRecords('orders').map(({ partitionKey }) => partitionKey) // => ['user-1']
   */
  storedRecords(streamNameOrArn: string): StoredRecord[] {
    return storedRecords(this.#registry.find(streamAddress(streamNameOrArn), this.#nowMs()))
  }

  /**
   * Not an API operation: counters of every stream and shard, open and closed.
   *
   * @example
   * kinesis.stats()['orders']?.shards[0]?.recordCount // => 0
   */
  stats(): Readonly<Record<string, StreamStats>> {
    const nowMs = this.#nowMs()
    return Object.fromEntries(this.#registry.all(nowMs).map(stream => [stream.streamName, streamStats(stream, nowMs)]))
  }

  get #accountId(): string {
    return this.#options.accountId ?? '000000000000'
  }

  get #retentionMs(): number {
    return this.#options.retentionMs ?? DAY_MS
  }

  get #updatingMs(): number {
    return this.#options.updatingMs ?? 0
  }
}

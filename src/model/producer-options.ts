/**
 * The options of a producer as a type, one field for each row of the table in options.ts.
 * Invariant: `npm run docs` writes this file from the table, so that an editor shows what the table says. Do not edit it.
 */
import type { ObjectOptions } from './object-options.ts'

/** The options of `new KinesisProducer`. Each may be absent; `undefined` counts as absent. */
export interface ProducerOptions {
  /** Stream name or stream ARN of records that have no `streamName`. */
  readonly streamName?: string | undefined
  /**
   * AWS region. Default: the AWS SDK finds it (environment, profile).
   *
   * - KPL: `Region`
   */
  readonly region?: string | undefined
  /**
   * URL of the Kinesis endpoint. VPC endpoints and local servers need it.
   *
   * - KPL: `KinesisEndpoint`
   */
  readonly endpoint?: string | undefined
  /**
   * Allows a plain http endpoint on another machine.
   *
   * - Default: `false`
   */
  readonly allowInsecureEndpoint?: boolean | undefined
  /** AWS credentials, or a function that provides them, as the AWS SDK takes them. Default: the SDK's chain. */
  readonly credentials?: ObjectOptions['credentials'] | undefined
  /** HTTP handler of the AWS SDK. Proxies need it. Default: HTTP/1.1 with keep-alive. */
  readonly requestHandler?: ObjectOptions['requestHandler'] | undefined
  /**
   * A ready KinesisClient. It replaces region, endpoint, credentials and requestHandler. The producer never closes
   * it.
   */
  readonly client?: ObjectOptions['client'] | undefined
  /**
   * Format of PutRecords requests. 'json' sends data as base64. 'cbor', as the AWS SDK for Java uses, sends the
   * bytes without base64: a quarter less.
   *
   * - Default: `'json'`
   * - One of: `'json'`, `'cbor'`
   */
  readonly wireFormat?: 'json' | 'cbor' | undefined
  /**
   * Packs user records into KPL aggregates.
   *
   * - Default: `true`
   * - KPL: `AggregationEnabled`
   */
  readonly aggregationEnabled?: boolean | undefined
  /**
   * Most user records in one aggregate.
   *
   * - Default: 4,294,967,295 records
   * - Bounds: 1 to 2^53 - 1 records
   * - KPL: `AggregationMaxCount`
   */
  readonly aggregationMaxCount?: number | undefined
  /**
   * Largest aggregate, exact to the byte. A larger user record is sent alone, without an aggregate.
   *
   * - Default: 51,200 bytes
   * - Bounds: 64 to 10,485,760 bytes
   * - KPL: `AggregationMaxSize`
   */
  readonly aggregationMaxBytes?: number | undefined
  /**
   * Partition key of an aggregate. 'a' is the KPL's constant. 'first' is the key of the first user record, which
   * spreads aggregates over Lambda's parallel batches.
   *
   * - Default: `'a'`
   * - One of: `'a'`, `'first'`
   */
  readonly containerKey?: 'a' | 'first' | undefined
  /**
   * Record distribution strategy to assume while DescribeStreamSummary fails. 'USER_PARTITION_KEY' (keys choose the
   * shard) allows aggregates, also without ListShards. 'AUTO' (the service chooses) forbids them.
   *
   * - Default: `'UNSET'`
   * - One of: `'UNSET'`, `'AUTO'`, `'USER_PARTITION_KEY'`
   * - KPL: `RecordDistributionStrategyDefault`
   */
  readonly recordDistributionDefault?: 'UNSET' | 'AUTO' | 'USER_PARTITION_KEY' | undefined
  /**
   * Time between two DescribeStreamSummary calls for a stream in use. The producer subtracts a random part of up to
   * a quarter. It never calls twice within a second.
   *
   * - Default: 300,000 ms
   * - Bounds: 1 to 31,536,000,000 ms
   * - KPL: `DescribeStreamSummaryIntervalMs`
   */
  readonly describeStreamSummaryIntervalMs?: number | undefined
  /**
   * Most Kinesis records in one PutRecords request.
   *
   * - Default: 500 records
   * - Bounds: 1 to 500 records
   * - KPL: `CollectionMaxCount`
   */
  readonly collectionMaxCount?: number | undefined
  /**
   * Most bytes of data and partition keys in one request. A larger record goes in a request of its own.
   *
   * - Default: 5,242,880 bytes
   * - Bounds: 52,224 to 10,485,760 bytes
   * - KPL: `CollectionMaxSize`
   */
  readonly collectionMaxBytes?: number | undefined
  /**
   * A request is sent when it has this many bytes for one shard. The KPL has a constant.
   *
   * - Default: 262,144 bytes
   * - Bounds: 1,024 to 10,485,760 bytes
   */
  readonly collectionMaxShardBytes?: number | undefined
  /**
   * Longest time from put to request, aggregation and collection together, while nothing is throttled.
   *
   * - Default: 100 ms
   * - Bounds: 0 to 31,536,000,000 ms
   * - KPL: `RecordMaxBufferedTime`
   */
  readonly recordMaxBufferedTimeMs?: number | undefined
  /**
   * Time to live. A record that is not acknowledged within this time fails with KPL_ERR_EXPIRED. Infinity is
   * allowed.
   *
   * - Default: 120,000 ms
   * - Bounds: 100 to Infinity ms
   * - KPL: `RecordTtl`
   */
  readonly recordTtlMs?: number | undefined
  /**
   * Highest rate for one shard, in percent of its limits of 1,000 records/s and 1 MiB/s. Above 100, one producer can
   * use the share that other producers leave.
   *
   * - Default: 150 percent
   * - Bounds: 1 to 1,000,000,000 percent
   * - KPL: `RateLimit`
   */
  readonly rateLimitPercent?: number | undefined
  /**
   * Fails a throttled record at once. By default the producer sends it again.
   *
   * - Default: `false`
   * - KPL: `FailIfThrottled`
   */
  readonly failIfThrottled?: boolean | undefined
  /**
   * Back-off of a shard after its first failure: a random time up to this value. The value doubles with each further
   * failure.
   *
   * - Default: 50 ms
   * - Bounds: 1 to 60,000 ms
   */
  readonly retryBaseMs?: number | undefined
  /**
   * Longest back-off of a shard.
   *
   * - Default: 5,000 ms
   * - Bounds: 1 to 600,000 ms
   */
  readonly retryCapMs?: number | undefined
  /**
   * Most unanswered PutRecords requests at one time. It is also the number of sockets.
   *
   * - Default: 24 requests
   * - Bounds: 1 to 256 requests
   * - KPL: `MaxConnections`
   */
  readonly maxInFlightRequests?: number | undefined
  /**
   * Longest time to open a connection, with TCP and TLS.
   *
   * - Default: 6,000 ms
   * - Bounds: 100 to 300,000 ms
   * - KPL: `ConnectTimeout`
   */
  readonly connectTimeoutMs?: number | undefined
  /**
   * Longest time for one request and its whole answer.
   *
   * - Default: 10,000 ms
   * - Bounds: 100 to 600,000 ms
   * - KPL: `RequestTimeout`
   */
  readonly requestTimeoutMs?: number | undefined
  /**
   * Largest user record, data and partition key together. Raise the stream's own limit first (UpdateMaxRecordSize).
   *
   * - Default: 1,048,576 bytes
   * - Bounds: 64 to 10,485,760 bytes
   * - KPL: `MaxUserRecordSize`
   */
  readonly maxUserRecordBytes?: number | undefined
  /**
   * Most bytes of accepted records that are not settled: data, keys, and 256 bytes for each record. At least
   * `maxUserRecordBytes` and 1,280 bytes.
   *
   * - Default: 67,108,864 bytes
   * - Bounds: 1,048,576 to 68,719,476,736 bytes
   */
  readonly bufferMaxBytes?: number | undefined
  /**
   * Most accepted records that are not settled.
   *
   * - Default: 1,000,000 records
   * - Bounds: 1 to 4,294,967,295 records
   */
  readonly bufferMaxRecords?: number | undefined
  /**
   * 'key': Kinesis stores records of one partition key in the order of their puts. Each shard then has one Kinesis
   * record in flight.
   *
   * - Default: `'none'`
   * - One of: `'none'`, `'key'`
   */
  readonly ordering?: 'none' | 'key' | undefined
  /**
   * Writes an id of 24 to 34 bytes with every user record. Consumers can drop duplicates by this id: see
   * docs/consumers.md. The KPL has no such id, and its consumers ignore it.
   *
   * - Default: `false`
   */
  readonly dedupeTags?: boolean | undefined
  /**
   * An object with debug, info, warn and error: console, pino, winston, Powertools. Default: only warnings, by
   * process.emitWarning.
   */
  readonly logger?: ObjectOptions['logger'] | undefined
}

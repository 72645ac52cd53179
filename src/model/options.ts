/**
 * Every option, in one table: kind, default, bounds, unit, the KPL's name and a sentence.
 * Invariant: `resolveOptions` (resolve-options.ts), the README's table, `ProducerOptions` (producer-options.ts, generated) and
 * `fromKplProperties` all walk `OPTIONS`; no default and no bound is written anywhere else. Source of KPL names, defaults and bounds: KinesisProducerConfiguration.java, KPL 1.0.7,
 * and of two properties KPL 1.1.
 */

import {
  DEFAULT_RECORD_BYTES,
  DEFAULT_REQUEST_BYTES,
  MAX_RECORD_BYTES,
  MAX_REQUEST_BYTES,
  MAX_REQUEST_RECORDS,
  MEBIBYTE
} from './limits.ts'
import type { ObjectOptions } from './object-options.ts'

export type { KinesisClientLike } from './object-options.ts'
export type { ProducerOptions } from './producer-options.ts'

interface NumberOption {
  readonly kind: 'integer'
  readonly default: number
  readonly min: number
  readonly max: number
  readonly unit: 'ms' | 'bytes' | 'records' | 'requests' | 'percent'
  /** The KPL's property (as in a `.properties` file), when it has one. */
  readonly kpl?: string
  readonly doc: string
}
interface BooleanOption {
  readonly kind: 'boolean'
  readonly default: boolean
  readonly kpl?: string
  readonly doc: string
}
interface ChoiceOption {
  readonly kind: 'choice'
  readonly default: string
  readonly choices: readonly string[]
  readonly kpl?: string
  readonly doc: string
}
interface TextOption {
  readonly kind: 'text'
  readonly kpl?: string
  readonly doc: string
}
interface ObjectOption {
  readonly kind: 'object'
  readonly doc: string
}
/** One row of the table. */
export type OptionEntry = NumberOption | BooleanOption | ChoiceOption | TextOption | ObjectOption

const SECOND_MS = 1000
const YEAR_MS = 31_536_000_000
const GIBIBYTE = 1024 * MEBIBYTE

/** The table. */
export const OPTIONS = {
  streamName: { kind: 'text', doc: 'Stream name or stream ARN of records that have no `streamName`.' },
  region: { kind: 'text', kpl: 'Region', doc: 'AWS region. Default: the AWS SDK finds it (environment, profile).' },
  endpoint: {
    kind: 'text',
    kpl: 'KinesisEndpoint',
    doc: 'URL of the Kinesis endpoint. VPC endpoints and local servers need it.'
  },
  allowInsecureEndpoint: {
    kind: 'boolean',
    default: false,
    doc: 'Allows a plain http endpoint on another machine.'
  },
  credentials: {
    kind: 'object',
    doc: "AWS credentials, or a function that provides them, as the AWS SDK takes them. Default: the SDK's chain."
  },
  requestHandler: {
    kind: 'object',
    doc: 'HTTP handler of the AWS SDK. Proxies need it. Default: HTTP/1.1 with keep-alive.'
  },
  client: {
    kind: 'object',
    doc: 'A ready KinesisClient. It replaces region, endpoint, credentials and requestHandler. The producer never closes it.'
  },
  wireFormat: {
    kind: 'choice',
    default: 'json',
    choices: ['json', 'cbor'],
    doc: "Format of PutRecords requests. 'json' sends data as base64. 'cbor', as the AWS SDK for Java uses, sends the bytes without base64: a quarter less."
  },
  aggregationEnabled: {
    kind: 'boolean',
    default: true,
    kpl: 'AggregationEnabled',
    doc: 'Packs user records into KPL aggregates.'
  },
  aggregationMaxCount: {
    kind: 'integer',
    default: 4_294_967_295,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    unit: 'records',
    kpl: 'AggregationMaxCount',
    doc: 'Most user records in one aggregate.'
  },
  aggregationMaxBytes: {
    kind: 'integer',
    default: 51_200,
    min: 64,
    max: MAX_RECORD_BYTES,
    unit: 'bytes',
    kpl: 'AggregationMaxSize',
    doc: 'Largest aggregate, exact to the byte. A larger user record is sent alone, without an aggregate.'
  },
  containerKey: {
    kind: 'choice',
    default: 'a',
    choices: ['a', 'first'],
    doc: "Partition key of an aggregate. 'a' is the KPL's constant. 'first' is the key of the first user record, which spreads aggregates over Lambda's parallel batches."
  },
  recordDistributionDefault: {
    kind: 'choice',
    default: 'UNSET',
    choices: ['UNSET', 'AUTO', 'USER_PARTITION_KEY'],
    kpl: 'RecordDistributionStrategyDefault',
    doc: "Record distribution strategy to assume while DescribeStreamSummary fails. 'USER_PARTITION_KEY' (keys choose the shard) allows aggregates, also without ListShards. 'AUTO' (the service chooses) forbids them."
  },
  describeStreamSummaryIntervalMs: {
    kind: 'integer',
    default: 300 * SECOND_MS,
    min: 1,
    max: YEAR_MS,
    unit: 'ms',
    kpl: 'DescribeStreamSummaryIntervalMs',
    doc: 'Time between two DescribeStreamSummary calls for a stream in use. The producer subtracts a random part of up to a quarter. It never calls twice within a second.'
  },
  collectionMaxCount: {
    kind: 'integer',
    default: MAX_REQUEST_RECORDS,
    min: 1,
    max: MAX_REQUEST_RECORDS,
    unit: 'records',
    kpl: 'CollectionMaxCount',
    doc: 'Most Kinesis records in one PutRecords request.'
  },
  collectionMaxBytes: {
    kind: 'integer',
    default: DEFAULT_REQUEST_BYTES,
    min: 52_224,
    max: MAX_REQUEST_BYTES,
    unit: 'bytes',
    kpl: 'CollectionMaxSize',
    doc: 'Most bytes of data and partition keys in one request. A larger record goes in a request of its own.'
  },
  collectionMaxShardBytes: {
    kind: 'integer',
    default: 262_144,
    min: 1024,
    max: MAX_REQUEST_BYTES,
    unit: 'bytes',
    doc: 'A request is sent when it has this many bytes for one shard. The KPL has a constant.'
  },
  recordMaxBufferedTimeMs: {
    kind: 'integer',
    default: 100,
    min: 0,
    max: YEAR_MS,
    unit: 'ms',
    kpl: 'RecordMaxBufferedTime',
    doc: 'Longest time from put to request, aggregation and collection together, while nothing is throttled.'
  },
  recordTtlMs: {
    kind: 'integer',
    default: 120 * SECOND_MS,
    min: 100,
    max: Number.POSITIVE_INFINITY,
    unit: 'ms',
    kpl: 'RecordTtl',
    doc: 'Time to live. A record that is not acknowledged within this time fails with KPL_ERR_EXPIRED. Infinity is allowed.'
  },
  rateLimitPercent: {
    kind: 'integer',
    default: 150,
    min: 1,
    max: 1_000_000_000,
    unit: 'percent',
    kpl: 'RateLimit',
    doc: 'Highest rate for one shard, in percent of its limits of 1,000 records/s and 1 MiB/s. Above 100, one producer can use the share that other producers leave.'
  },
  failIfThrottled: {
    kind: 'boolean',
    default: false,
    kpl: 'FailIfThrottled',
    doc: 'Fails a throttled record at once. By default the producer sends it again.'
  },
  retryBaseMs: {
    kind: 'integer',
    default: 50,
    min: 1,
    max: 60 * SECOND_MS,
    unit: 'ms',
    doc: 'Back-off of a shard after its first failure: a random time up to this value. The value doubles with each further failure.'
  },
  retryCapMs: {
    kind: 'integer',
    default: 5 * SECOND_MS,
    min: 1,
    max: 600 * SECOND_MS,
    unit: 'ms',
    doc: 'Longest back-off of a shard.'
  },
  maxInFlightRequests: {
    kind: 'integer',
    default: 24,
    min: 1,
    max: 256,
    unit: 'requests',
    kpl: 'MaxConnections',
    doc: 'Most unanswered PutRecords requests at one time. It is also the number of sockets.'
  },
  connectTimeoutMs: {
    kind: 'integer',
    default: 6 * SECOND_MS,
    min: 100,
    max: 300 * SECOND_MS,
    unit: 'ms',
    kpl: 'ConnectTimeout',
    doc: 'Longest time to open a connection, with TCP and TLS.'
  },
  requestTimeoutMs: {
    kind: 'integer',
    default: 10 * SECOND_MS,
    min: 100,
    max: 600 * SECOND_MS,
    unit: 'ms',
    kpl: 'RequestTimeout',
    doc: 'Longest time for one request and its whole answer.'
  },
  maxUserRecordBytes: {
    kind: 'integer',
    default: DEFAULT_RECORD_BYTES,
    min: 64,
    max: MAX_RECORD_BYTES,
    unit: 'bytes',
    kpl: 'MaxUserRecordSize',
    doc: "Largest user record, data and partition key together. Raise the stream's own limit first (UpdateMaxRecordSize)."
  },
  bufferMaxBytes: {
    kind: 'integer',
    default: 64 * MEBIBYTE,
    min: MEBIBYTE,
    max: 64 * GIBIBYTE,
    unit: 'bytes',
    doc: 'Most bytes of accepted records that are not settled: data, keys, and 256 bytes for each record. At least `maxUserRecordBytes` and 1,280 bytes.'
  },
  bufferMaxRecords: {
    kind: 'integer',
    default: 1_000_000,
    min: 1,
    max: 4_294_967_295,
    unit: 'records',
    doc: 'Most accepted records that are not settled.'
  },
  ordering: {
    kind: 'choice',
    default: 'none',
    choices: ['none', 'key'],
    doc: "'key': Kinesis stores records of one partition key in the order of their puts. Each shard then has one Kinesis record in flight."
  },
  dedupeTags: {
    kind: 'boolean',
    default: false,
    doc: 'Writes an id of 24 to 34 bytes with every user record. Consumers can drop duplicates by this id: see docs/consumers.md. The KPL has no such id, and its consumers ignore it.'
  },
  logger: {
    kind: 'object',
    doc: 'An object with debug, info, warn and error: console, pino, winston, Powertools. Default: only warnings, by process.emitWarning.'
  }
} as const satisfies Record<string, OptionEntry>

type Value<Name extends OptionName> = Name extends keyof ObjectOptions ? ObjectOptions[Name] : ValueOfKind<Table[Name]>

type ValueOfKind<Entry> = Entry extends { kind: 'integer' }
  ? number
  : Entry extends { kind: 'boolean' }
    ? boolean
    : Entry extends { kind: 'choice'; choices: readonly (infer Choice)[] }
      ? Choice
      : string

type Table = typeof OPTIONS
export type OptionName = keyof Table
type Defaulted = { [Name in OptionName]: Table[Name] extends { default: unknown } ? Name : never }[OptionName]

/** All options with their values; those without a default may be absent. */
export type ResolvedOptions = { readonly [Name in Defaulted]: Value<Name> } & {
  readonly [Name in Exclude<OptionName, Defaulted>]?: Value<Name>
}

/**
 * Every option, in one table: kind, default, bounds, unit, the KPL's name and a sentence.
 * Invariant: `resolveOptions` (resolve-options.ts), the README's table and `fromKplProperties` all walk `OPTIONS`; no default and no bound
 * is written anywhere else. Source of KPL names, defaults and bounds: KinesisProducerConfiguration.java, KPL 1.0.7,
 * and of two properties KPL 1.1.
 */

import type { KinesisClientConfig } from '@aws-sdk/client-kinesis'
import {
  DEFAULT_RECORD_BYTES,
  DEFAULT_REQUEST_BYTES,
  MAX_RECORD_BYTES,
  MAX_REQUEST_BYTES,
  MAX_REQUEST_RECORDS,
  MEBIBYTE
} from './limits.ts'
import type { Logger } from './ports.ts'

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
export type OptionEntry = NumberOption | BooleanOption | ChoiceOption | TextOption | ObjectOption

const SECOND_MS = 1000
const YEAR_MS = 31_536_000_000
const GIBIBYTE = 1024 * MEBIBYTE

/** The table. */
export const OPTIONS = {
  streamName: { kind: 'text', doc: 'Stream name or stream ARN for records that do not name their own.' },
  region: { kind: 'text', kpl: 'Region', doc: 'AWS region; default: as the AWS SDK finds it (environment, profile).' },
  endpoint: {
    kind: 'text',
    kpl: 'KinesisEndpoint',
    doc: 'URL of the Kinesis endpoint, for VPC endpoints and local servers.'
  },
  allowInsecureEndpoint: {
    kind: 'boolean',
    default: false,
    doc: 'Allow a plain http endpoint that is not on this machine.'
  },
  credentials: {
    kind: 'object',
    doc: "AWS credentials or a provider of them, as the AWS SDK takes them; default: the SDK's chain."
  },
  requestHandler: {
    kind: 'object',
    doc: 'An HTTP handler for the AWS SDK, for proxies; default: HTTP/1.1 with keep-alive.'
  },
  client: {
    kind: 'object',
    doc: 'A ready KinesisClient instead of region, endpoint, credentials and requestHandler. Never closed by the producer.'
  },
  wireFormat: {
    kind: 'choice',
    default: 'json',
    choices: ['json', 'cbor'],
    doc: "How PutRecords is written: 'cbor' (the AWS SDK for Java's choice) sends the bytes as they are, a quarter less than base64 in JSON."
  },
  aggregationEnabled: {
    kind: 'boolean',
    default: true,
    kpl: 'AggregationEnabled',
    doc: 'Pack user records into KPL aggregates.'
  },
  aggregationMaxCount: {
    kind: 'integer',
    default: 4_294_967_295,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    unit: 'records',
    kpl: 'AggregationMaxCount',
    doc: 'User records in one aggregate.'
  },
  aggregationMaxBytes: {
    kind: 'integer',
    default: 51_200,
    min: 64,
    max: MAX_RECORD_BYTES,
    unit: 'bytes',
    kpl: 'AggregationMaxSize',
    doc: 'Size of one aggregate, exact. A larger user record is sent alone, as it is.'
  },
  containerKey: {
    kind: 'choice',
    default: 'a',
    choices: ['a', 'first'],
    doc: "Partition key of an aggregate: the KPL's constant, or its first member's (spreads Lambda's parallel batches)."
  },
  recordDistributionDefault: {
    kind: 'choice',
    default: 'UNSET',
    choices: ['UNSET', 'AUTO', 'USER_PARTITION_KEY'],
    kpl: 'RecordDistributionStrategyDefault',
    doc: "Who chooses shards while DescribeStreamSummary cannot be had: 'USER_PARTITION_KEY' (keys) allows aggregates without ListShards too, 'AUTO' (the service) forbids them."
  },
  describeStreamSummaryIntervalMs: {
    kind: 'integer',
    default: 300 * SECOND_MS,
    min: 1,
    max: YEAR_MS,
    unit: 'ms',
    kpl: 'DescribeStreamSummaryIntervalMs',
    doc: 'Age at which the summary of a stream in use is fetched again, less up to a quarter; never within a second of the last one.'
  },
  collectionMaxCount: {
    kind: 'integer',
    default: MAX_REQUEST_RECORDS,
    min: 1,
    max: MAX_REQUEST_RECORDS,
    unit: 'records',
    kpl: 'CollectionMaxCount',
    doc: 'Kinesis records in one PutRecords request.'
  },
  collectionMaxBytes: {
    kind: 'integer',
    default: DEFAULT_REQUEST_BYTES,
    min: 52_224,
    max: MAX_REQUEST_BYTES,
    unit: 'bytes',
    kpl: 'CollectionMaxSize',
    doc: 'Data and partition keys in one request. A larger record goes alone.'
  },
  collectionMaxShardBytes: {
    kind: 'integer',
    default: 262_144,
    min: 1024,
    max: MAX_REQUEST_BYTES,
    unit: 'bytes',
    doc: 'A request is sent once one shard has this much in it (a constant in the KPL).'
  },
  recordMaxBufferedTimeMs: {
    kind: 'integer',
    default: 100,
    min: 0,
    max: YEAR_MS,
    unit: 'ms',
    kpl: 'RecordMaxBufferedTime',
    doc: 'Longest wait from put to request while nothing is throttled, aggregation and collection together.'
  },
  recordTtlMs: {
    kind: 'integer',
    default: 120 * SECOND_MS,
    min: 100,
    max: Number.POSITIVE_INFINITY,
    unit: 'ms',
    kpl: 'RecordTtl',
    doc: 'A record not acknowledged by then fails with KPL_ERR_EXPIRED. Infinity is allowed.'
  },
  rateLimitPercent: {
    kind: 'integer',
    default: 150,
    min: 1,
    max: 1_000_000_000,
    unit: 'percent',
    kpl: 'RateLimit',
    doc: "Most that one shard is sent, in percent of its 1,000 records/s and 1 MiB/s. Other producers' share is why it may exceed 100."
  },
  failIfThrottled: {
    kind: 'boolean',
    default: false,
    kpl: 'FailIfThrottled',
    doc: 'Fail a throttled record at once instead of trying again.'
  },
  retryBaseMs: {
    kind: 'integer',
    default: 50,
    min: 1,
    max: 60 * SECOND_MS,
    unit: 'ms',
    doc: 'Back-off of a shard after its first failure: a random time up to this, doubling with each further one.'
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
    doc: 'PutRecords requests unanswered at one time, which is also the number of sockets.'
  },
  connectTimeoutMs: {
    kind: 'integer',
    default: 6 * SECOND_MS,
    min: 100,
    max: 300 * SECOND_MS,
    unit: 'ms',
    kpl: 'ConnectTimeout',
    doc: 'Time for TCP and TLS.'
  },
  requestTimeoutMs: {
    kind: 'integer',
    default: 10 * SECOND_MS,
    min: 100,
    max: 600 * SECOND_MS,
    unit: 'ms',
    kpl: 'RequestTimeout',
    doc: 'Time for one request and its whole answer.'
  },
  maxUserRecordBytes: {
    kind: 'integer',
    default: DEFAULT_RECORD_BYTES,
    min: 64,
    max: MAX_RECORD_BYTES,
    unit: 'bytes',
    kpl: 'MaxUserRecordSize',
    doc: 'Largest user record, data and partition key. Raise it only with the stream (UpdateMaxRecordSize).'
  },
  bufferMaxBytes: {
    kind: 'integer',
    default: 64 * MEBIBYTE,
    min: MEBIBYTE,
    max: 64 * GIBIBYTE,
    unit: 'bytes',
    doc: 'Accepted and not yet settled: data, keys and 256 bytes for each record. At least `maxUserRecordBytes` and 1,280 bytes.'
  },
  bufferMaxRecords: {
    kind: 'integer',
    default: 1_000_000,
    min: 1,
    max: 4_294_967_295,
    unit: 'records',
    doc: 'Accepted and not yet settled.'
  },
  ordering: {
    kind: 'choice',
    default: 'none',
    choices: ['none', 'key'],
    doc: "'key': records of one key are stored in the order of their puts, one Kinesis record in flight per shard."
  },
  dedupeTags: {
    kind: 'boolean',
    default: false,
    doc: "Write a tag of 24 to 34 bytes with every user record, by which consumers can drop duplicates (docs/consumers.md); an extension of ours, not the KPL's, whose consumers ignore it."
  },
  logger: {
    kind: 'object',
    doc: 'An object with debug, info, warn and error: console, pino, winston, Powertools; default: warnings go to process.emitWarning, nothing else.'
  }
} as const satisfies Record<string, OptionEntry>

/** A KinesisClient of any release of the SDK, or anything that sends its commands as one does. */
export interface KinesisClientLike {
  send(command: never, options?: never): Promise<unknown>
}

/** The types of the options that are objects: the SDK's own, where it has one. */
interface ObjectTypes {
  readonly credentials: NonNullable<KinesisClientConfig['credentials']>
  readonly requestHandler: NonNullable<KinesisClientConfig['requestHandler']>
  readonly client: KinesisClientLike
  readonly logger: Logger
}

type Value<Name extends OptionName> = Name extends keyof ObjectTypes ? ObjectTypes[Name] : ValueOfKind<Table[Name]>

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

/** What a caller may give: any of the options; `undefined` counts as absent. */
export type ProducerOptions = {
  readonly [Name in OptionName]?: Value<Name> | undefined
}

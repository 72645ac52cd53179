/**
 * Every metric: its unit, the owner of its values, and its meaning. Those with a `level` go to CloudWatch. They are the KPL's,
 * under its own names, except those with `isOurs`.
 * Invariant: this is the only list; exporters walk it, and the table in docs/metrics.md is generated from it.
 * Source: KPL 1.0.7, metrics_constants.cc and retrier.cc.
 */
import type { MetricEntry } from './metric-entry.ts'

/** Every metric by its name: unit, kind, owner and meaning. `docs/metrics.md` shows this table. */
export const METRICS = {
  UserRecordsReceived: {
    unit: 'Count',
    kind: 'sum',
    granularity: 'stream',
    level: 'detailed',
    doc: 'User records accepted.'
  },
  UserRecordsPending: {
    unit: 'Count',
    kind: 'gauge',
    granularity: 'stream',
    level: 'detailed',
    doc: 'Accepted user records that are not settled, sampled at every answer and at every reading (KPL: every 200 ms).',
    ofStream: stream => stream.userRecordsPending
  },
  UserRecordsPut: {
    unit: 'Count',
    kind: 'sum',
    granularity: 'both',
    level: 'summary',
    doc: 'Settled user records: 1 for an acknowledged one, 0 for a failed one. The mean is the rate of success.'
  },
  UserRecordsDataPut: {
    unit: 'Bytes',
    kind: 'sum',
    granularity: 'both',
    level: 'detailed',
    doc: 'Data of acknowledged user records. Least and greatest are those of the means of Kinesis records.'
  },
  KinesisRecordsPut: {
    unit: 'Count',
    kind: 'sum',
    granularity: 'both',
    level: 'summary',
    doc: 'Answered Kinesis records: 1 for a stored one, 0 for a failed one. A request that fails as a whole adds none.'
  },
  KinesisRecordsDataPut: {
    unit: 'Bytes',
    kind: 'sum',
    granularity: 'both',
    level: 'detailed',
    doc: 'Data of stored Kinesis records, envelopes included.'
  },
  ErrorsByCode: {
    unit: 'Count',
    kind: 'codes',
    granularity: 'both',
    level: 'summary',
    doc: 'Failed Kinesis records, and failed requests (without a shard), by error code.'
  },
  AllErrors: {
    unit: 'Count',
    kind: 'sum',
    granularity: 'both',
    level: 'summary',
    doc: 'The same without the code: 1 for a failed one, 0 for a stored Kinesis record.'
  },
  RetriesPerRecord: {
    unit: 'Count',
    kind: 'summary',
    granularity: 'both',
    level: 'detailed',
    doc: 'Attempts of a settled user record beyond the first, at most 15. The KPL counts expiry as one more attempt.'
  },
  UserRecordExpired: {
    unit: 'Count',
    kind: 'sum',
    granularity: 'both',
    level: 'summary',
    doc: 'User records whose time to live ended.'
  },
  BufferingTime: {
    unit: 'Milliseconds',
    kind: 'summary',
    granularity: 'both',
    level: 'summary',
    doc: 'Time from acceptance, or from the previous answer, to the next request. One sample for each attempt of a user record.'
  },
  RequestTime: {
    unit: 'Milliseconds',
    kind: 'histogram',
    granularity: 'stream',
    level: 'detailed',
    doc: 'Time from a PutRecords request to its answer.'
  },
  UserRecordsPerKinesisRecord: {
    unit: 'Count',
    kind: 'summary',
    granularity: 'both',
    level: 'detailed',
    doc: 'User records in each Kinesis record that was sent, with any outcome.'
  },
  KinesisRecordsPerPutRecordsRequest: {
    unit: 'Count',
    kind: 'summary',
    granularity: 'stream',
    level: 'detailed',
    doc: 'Kinesis records in each request.'
  },
  UserRecordsPerPutRecordsRequest: {
    unit: 'Count',
    kind: 'summary',
    granularity: 'stream',
    level: 'detailed',
    doc: 'User records in each request.'
  },
  PutToAck: {
    unit: 'Milliseconds',
    kind: 'histogram',
    granularity: 'stream',
    doc: 'Time from `put` to acknowledgement of each user record. `stats()` has percentiles.'
  },
  UserRecordsRefused: {
    unit: 'Count',
    kind: 'sum',
    granularity: 'stream',
    level: 'summary',
    isOurs: true,
    doc: 'Calls of `put` and `tryPut` that found no room (`KPL_ERR_BUFFER_FULL`, or false).'
  },
  UserRecordsInvalid: {
    unit: 'Count',
    kind: 'counter',
    granularity: 'producer',
    doc: 'Calls of `put` and `tryPut` that failed with InvalidRecordError.',
    ofProducer: stats => stats.invalid
  },
  UserRecordsFailed: {
    unit: 'Count',
    kind: 'counter',
    granularity: 'stream',
    doc: 'User records settled with an error.',
    ofStream: stream => stream.userRecordsFailed
  },
  DuplicatesPossible: {
    unit: 'Count',
    kind: 'counter',
    granularity: 'stream',
    doc: 'Acknowledged user records with an earlier attempt that Kinesis may have stored too.',
    ofStream: stream => stream.duplicatesPossible
  },
  Requests: {
    unit: 'Count',
    kind: 'counter',
    granularity: 'stream',
    doc: 'PutRecords requests sent.',
    ofStream: stream => stream.requests
  },
  Retries: {
    unit: 'Count',
    kind: 'counter',
    granularity: 'stream',
    doc: 'Kinesis records that the producer sends again, whole or taken apart.',
    ofStream: stream => stream.retries
  },
  Throttled: {
    unit: 'Count',
    kind: 'counter',
    granularity: 'both',
    doc: 'Kinesis records that Kinesis throttled.',
    ofStream: stream => stream.throttled,
    ofShard: shard => shard.throttled
  },
  ThrottledRatio: {
    unit: 'None',
    kind: 'gauge',
    granularity: 'both',
    doc: 'The throttled part of the answered Kinesis records since the start, 0 to 1.',
    ofStream: stream => stream.throttledRatio,
    ofShard: shard => shard.throttledRatio
  },
  RateFactor: {
    unit: 'None',
    kind: 'gauge',
    granularity: 'shard',
    doc: 'The present rate of the shard as a part of its full rate. Throttles lower it; time without throttles raises it.',
    ofShard: shard => shard.rateFactor
  },
  Mispredicted: {
    unit: 'Count',
    kind: 'counter',
    granularity: 'both',
    doc: 'Kinesis records stored in another shard than predicted.',
    ofStream: stream => stream.mispredicted,
    ofShard: shard => shard.mispredicted
  },
  BreakerOpen: {
    unit: 'None',
    kind: 'gauge',
    granularity: 'stream',
    doc: '1 while the producer holds the requests of the stream back after failures, else 0.',
    ofStream: stream => Number(stream.isBreakerOpen)
  },
  OldestRecordAge: {
    unit: 'Milliseconds',
    kind: 'gauge',
    granularity: 'stream',
    doc: 'Waiting time of the oldest unsettled user record, to 0.1 s. 0 when there is none.',
    ofStream: stream => stream.oldestRecordAgeMs
  },
  ShardMapAge: {
    unit: 'Milliseconds',
    kind: 'gauge',
    granularity: 'stream',
    doc: 'Age of the shard map in use. The producer refreshes the map when an answer contradicts it, so an old map is no fault.',
    ofStream: stream => stream.shardMapAgeMs
  },
  ShardMapRefreshes: {
    unit: 'Count',
    kind: 'counter',
    granularity: 'stream',
    doc: 'Answers of ListShards.',
    ofStream: stream => stream.shardMapRefreshes
  },
  OpenShards: {
    unit: 'Count',
    kind: 'gauge',
    granularity: 'stream',
    doc: 'Open shards in the shard map. 0 while there is no map.',
    ofStream: stream => stream.openShards
  },
  BufferedRecords: {
    unit: 'Count',
    kind: 'gauge',
    granularity: 'producer',
    level: 'detailed',
    isOurs: true,
    doc: 'User records in the buffer. `BufferMaxRecords` is its limit.',
    ofProducer: stats => stats.bufferedRecords
  },
  BufferMaxRecords: {
    unit: 'Count',
    kind: 'gauge',
    granularity: 'producer',
    level: 'detailed',
    isOurs: true,
    doc: 'The option `bufferMaxRecords`.',
    ofProducer: stats => stats.bufferMaxRecords
  },
  BufferedBytes: {
    unit: 'Bytes',
    kind: 'gauge',
    granularity: 'producer',
    level: 'detailed',
    isOurs: true,
    doc: 'Data, keys and overhead of the user records in the buffer. `BufferMaxBytes` is its limit.',
    ofProducer: stats => stats.bufferedBytes
  },
  BufferMaxBytes: {
    unit: 'Bytes',
    kind: 'gauge',
    granularity: 'producer',
    level: 'detailed',
    isOurs: true,
    doc: 'The option `bufferMaxBytes`.',
    ofProducer: stats => stats.bufferMaxBytes
  },
  InFlightRequests: {
    unit: 'Count',
    kind: 'gauge',
    granularity: 'producer',
    doc: 'Unanswered PutRecords requests.',
    ofProducer: stats => stats.inFlightRequests
  }
} as const satisfies Readonly<Record<string, MetricEntry>>

/** The name of a metric. */
export type MetricName = keyof typeof METRICS

/** The table's rows in order. */
export const METRIC_ROWS: readonly (readonly [MetricName, MetricEntry])[] = Object.entries(METRICS) as [
  MetricName,
  MetricEntry
][]

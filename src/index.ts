/**
 * 'kinesis-producer': the public surface, every name listed.
 * Invariant: a name is here when users need it, and each one is documented; `test/public-api.txt` holds the list. The tables of
 * options and errors stay inside, so that their shape may change.
 */

export {
  type ErrorCode,
  InvalidRecordError,
  OptionsError,
  ProducerError,
  RecordFailedError,
  type RecordFailure,
  StreamReadError,
  TransportError,
  type TransportFailure
} from './model/errors.ts'
export { fromKplProperties, type KplProperties } from './model/kpl-properties.ts'
export { fromObjectFirst, type ObjectFirstLogger } from './model/object-first-logger.ts'
export type { KinesisClientLike } from './model/object-options.ts'
export type {
  Clock,
  LogFields,
  Logger,
  PutRecordsAnswer,
  PutRecordsEntry,
  PutRecordsRequest,
  PutRecordsResponse,
  Random,
  ShardHashRange,
  StreamSummary,
  Timer,
  Transport
} from './model/ports.ts'
export type { ProducerOptions } from './model/producer-options.ts'
export type { RecordFrame, StreamRef, UserRecord } from './model/records.ts'
export type { Attempt, ContextCallback, Persisted, PutResult, SettleCallback } from './model/results.ts'
export { type CloseResult, KinesisProducer, type ProducerPorts } from './producer/kinesis-producer.ts'
export type { PutAllOutcome } from './producer/put-all.ts'
export type { PutManyOptions, PutManyResult, PutOutcome } from './producer/put-many.ts'
export type { WritableOptions } from './producer/writable.ts'
export type { LogEvents } from './stats/log-line.ts'
export type { StatisticSet } from './stats/statistics.ts'
export type { ProducerStats, ShardState, StreamState } from './stats/stats.ts'
export type { LatencyStats, RecordCounters, ShardStats, StreamStats } from './stats/telemetry.ts'

/**
 * The arithmetic of docs/tuning.md and docs/delivery.md: limits, defaults and the envelope's own size, nothing measured.
 * Invariant: pure functions of their arguments and of the tables in src/model; `npm run docs` writes what they give.
 */
import {
  MEBIBYTE,
  RECORD_OVERHEAD_BYTES,
  SHARD_BYTES_PER_SECOND,
  SHARD_RECORDS_PER_SECOND
} from '../../src/model/limits.ts'
import { OPTIONS } from '../../src/model/options.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'

/** Every example has partition keys of this length, each used once. */
export const KEY_BYTES = 20
/** The key of an aggregate is one character. */
const CONTAINER_KEY_BYTES = 1
const HOURS_PER_MONTH = 720
const SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600
const MILLION = 1_000_000
const GIGABYTE = 1_000_000_000

/** Assumed prices in US dollars; docs/tuning.md says so beside the table. */
export const PRICES = { shardHour: 0.015, millionPayloadUnits: 0.014, onDemandGigabyte: 0.08, onDemandStreamHour: 0.04 }
/** The price list says 25 KB and 1 KB (1,024 bytes). The smaller reading of the first is the more expensive one. */
const PAYLOAD_UNIT_BYTES = 25_000
const ON_DEMAND_STEP_BYTES = 1024

export interface FullAggregate {
  readonly userRecords: number
  /** Data and partition key, as the service counts them. */
  readonly requestBytes: number
}

/** Returns what a full aggregate holds; one user record alone when no second one fits. */
export function fullAggregate(
  dataBytes: number,
  maxBytes: number = OPTIONS.aggregationMaxBytes.default
): FullAggregate {
  const writer = new EnvelopeWriter()
  const data = new Uint8Array(dataBytes)
  let userRecords = 0
  const keyOf = (index: number) => String(index).padStart(KEY_BYTES, 'k')
  while (
    dataBytes < maxBytes &&
    writer.addWithin(maxBytes, keyOf(userRecords), KEY_BYTES, undefined, data, dataBytes)
  ) {
    userRecords++
  }
  if (userRecords < 2) return { userRecords: 1, requestBytes: dataBytes + KEY_BYTES }
  return { userRecords, requestBytes: writer.sealedBytes + CONTAINER_KEY_BYTES }
}

export interface ShardThroughput {
  /** User records per second that one shard takes when each is a Kinesis record. */
  readonly plain: number
  /** The same in full aggregates. */
  readonly aggregated: number
}

export function shardThroughput(dataBytes: number): ShardThroughput {
  const { userRecords, requestBytes } = fullAggregate(dataBytes)
  const kinesisRecords = (bytes: number) => Math.min(SHARD_RECORDS_PER_SECOND, SHARD_BYTES_PER_SECOND / bytes)
  return {
    plain: kinesisRecords(dataBytes + KEY_BYTES),
    aggregated: userRecords * kinesisRecords(requestBytes)
  }
}

export interface Need {
  readonly shardsPlain: number
  readonly shardsAggregated: number
  readonly userRecordsPerAggregate: number
  /** Full aggregates per second over all shards. */
  readonly aggregatesPerSecond: number
}

/** Returns what `rate` user records per second need, without any headroom. */
export function need(rate: number, dataBytes: number): Need {
  const { plain, aggregated } = shardThroughput(dataBytes)
  const { userRecords } = fullAggregate(dataBytes)
  return {
    shardsPlain: Math.ceil(rate / plain),
    shardsAggregated: Math.ceil(rate / aggregated),
    userRecordsPerAggregate: userRecords,
    aggregatesPerSecond: rate / userRecords
  }
}

/** With `ordering: 'key'` one Kinesis record of a shard is out at a time: bytes per second at most, limit or not. */
export function orderedBytesPerSecond(recordBytes: number, roundTripMs: number): number {
  return Math.min(SHARD_BYTES_PER_SECOND, (recordBytes * 1000) / roundTripMs)
}

/** The longest round trip at which records of that size still fill a shard, in milliseconds. */
export function fillingRoundTripMs(recordBytes: number): number {
  return (recordBytes * 1000) / SHARD_BYTES_PER_SECOND
}

export interface Buffering {
  readonly countedBytesPerSecond: number
  /** Seconds without a single acknowledgement until the default buffer is full. */
  readonly defaultLastsSeconds: number
  /** `bufferMaxBytes` for a minute of that. */
  readonly minuteBytes: number
  /** Records of that minute, for `bufferMaxRecords`. */
  readonly minuteRecords: number
}

export function buffering(rate: number, dataBytes: number): Buffering {
  const countedBytesPerSecond = rate * (dataBytes + KEY_BYTES + RECORD_OVERHEAD_BYTES)
  const byBytes = OPTIONS.bufferMaxBytes.default / countedBytesPerSecond
  const byRecords = OPTIONS.bufferMaxRecords.default / rate
  return {
    countedBytesPerSecond,
    defaultLastsSeconds: Math.min(byBytes, byRecords),
    minuteBytes: 60 * countedBytesPerSecond,
    minuteRecords: 60 * rate
  }
}

export interface Cost {
  readonly shards: number
  readonly millionPayloadUnits: number
  readonly provisionedDollars: number
  readonly onDemandGigabytes: number
  readonly onDemandDollars: number
}

/** Returns what a month of 30 days costs to write, with Kinesis records of `requestBytes` that hold `userRecords` each. */
export function monthlyCost(rate: number, shards: number, { userRecords, requestBytes }: FullAggregate): Cost {
  const kinesisRecords = (rate / userRecords) * SECONDS_PER_MONTH
  const millionPayloadUnits = (kinesisRecords * Math.ceil(requestBytes / PAYLOAD_UNIT_BYTES)) / MILLION
  const billedBytes = Math.ceil(requestBytes / ON_DEMAND_STEP_BYTES) * ON_DEMAND_STEP_BYTES
  const onDemandGigabytes = (kinesisRecords * billedBytes) / GIGABYTE
  return {
    shards,
    millionPayloadUnits,
    provisionedDollars: shards * HOURS_PER_MONTH * PRICES.shardHour + millionPayloadUnits * PRICES.millionPayloadUnits,
    onDemandGigabytes,
    onDemandDollars: onDemandGigabytes * PRICES.onDemandGigabyte + HOURS_PER_MONTH * PRICES.onDemandStreamHour
  }
}

/** Bytes as a person writes them, in steps of 1,024. */
export function bytesText(bytes: number): string {
  if (bytes >= MEBIBYTE) return `${(bytes / MEBIBYTE).toFixed(bytes >= 10 * MEBIBYTE ? 0 : 1)} MiB`
  return bytes >= 1024 ? `${(bytes / 1024).toFixed(0)} KiB` : `${bytes} B`
}

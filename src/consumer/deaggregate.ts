/**
 * './deaggregate': Kinesis records in, user records out, by the KCL's rules; and the inverse.
 * Invariant: the user records of one Kinesis record all come out or none does: an aggregate is validated as a whole before
 * its first member is shown. Deviations from the KCL are listed, with reasons, in docs/consumers.md.
 */

import { hasMagic, isEnvelope } from '../wire/decode.ts'
import { MalformedEnvelopeError } from '../wire/format.ts'
import type { KeyTable } from '../wire/key-table.ts'
import { DigestsAhead } from './deaggregate/digests-ahead.ts'
import { bytesOf, listOf } from './deaggregate/given-data.ts'
import { assertOptions, type OptionRules } from './deaggregate/given-options.ts'
import type { AnyKinesisRecord } from './deaggregate/kinesis-record.ts'
import { type ConsumedRecord, type DeaggregateOptions, membersOf, open } from './deaggregate/members.ts'
import { RECORD_RULES, SHARD_RULES } from './deaggregate/rules.ts'

export { MalformedEnvelopeError } from '../wire/format.ts'
export type { ArrivalTime } from './deaggregate/arrival-time.ts'
export {
  compareSequenceNumbers,
  type ExtendedSequenceNumber,
  formatSequenceNumber,
  parseSequenceNumber
} from './deaggregate/checkpoint.ts'
export { ConsumerError } from './deaggregate/consumer-error.ts'
export type {
  AnyKinesisRecord,
  LambdaKinesisPayload,
  LambdaKinesisRecord,
  SdkKinesisRecord,
  StoredKinesisRecord,
  TransformationMetadata,
  TransformationRecord
} from './deaggregate/kinesis-record.ts'
export type { ConsumedRecord, DeaggregateOptions } from './deaggregate/members.ts'
export type { ShardRange } from './deaggregate/range-filter.ts'
export {
  type AggregatableRecord,
  type AggregatedRecord,
  aggregate,
  RecordAggregator,
  type RecordAggregatorOptions
} from './deaggregate/record-aggregator.ts'

const RULES: OptionRules<DeaggregateOptions> = { ...SHARD_RULES, ...RECORD_RULES }

/** Facts about the bytes of a Kinesis record, without its user records. */
export interface AggregateInfo {
  /** Whether `deaggregate` takes it for an aggregate. */
  readonly aggregated: boolean
  /** Of the bytes after the magic: `'absent'` when there is no magic. */
  readonly digest: 'absent' | 'invalid' | 'valid'
  /** The fault of a record that has the magic; undefined when it has none. */
  readonly fault: string | undefined
  /** 1 for a plain record. */
  readonly userRecordCount: number
  /** The table of partition keys as it stands, with unused and repeated entries; empty for a plain record. */
  readonly partitionKeys: readonly string[]
  /** The table of explicit hash keys as it stands; empty for a plain record. */
  readonly explicitHashKeys: readonly string[]
  /** Bytes of all user records' data together. */
  readonly dataBytes: number
  /** Bytes of the whole. */
  readonly recordBytes: number
}

/**
 * Returns the user records of one Kinesis record, in order; a plain record gives itself. The record is validated at the
 * call; the user records are made one by one as they are asked for, once. The record's bytes are aliased meanwhile.
 * Throws KPL_ERR_INVALID_INPUT for a value that is not a record and for wrong options, and KPL_ERR_MALFORMED_ENVELOPE, with the
 * sequence number, if `onCorrupt` says so or the memory is taken away before the last user record was made. Linear in the bytes.
 *
 * @example
 * for (const { partitionKey, data } of deaggregate(kinesisRecord)) {
 *   console.log(partitionKey, Buffer.from(data).toString())
 * }
 */
export function deaggregate(
  record: AnyKinesisRecord,
  options: DeaggregateOptions = {}
): IterableIterator<ConsumedRecord> {
  assertOptions(options, RULES)
  return membersOf(record, options)
}

/**
 * Returns the user records of many Kinesis records of one shard, in order, one Kinesis record at a time. Throws as `deaggregate`
 * does: at the call for a value that is not a list and for options, at the record for the rest. The digests of an array are
 * checked for several records together, of up to 32 records and 2 MiB from the one whose turn it is; of other lists, one by one.
 *
 * @example
 * const userRecords = [...deaggregateAll(kinesisRecords)]
 * userRecords.map(({ partitionKey }) => partitionKey) // => ['user-1', 'user-2', 'user-3']
 */
export function deaggregateAll(
  records: Iterable<AnyKinesisRecord>,
  options: DeaggregateOptions = {}
): Generator<ConsumedRecord, void, undefined> {
  assertOptions(options, RULES)
  return membersOfAll(listOf(records), options)
}

function* membersOfAll(
  records: Iterable<AnyKinesisRecord>,
  options: DeaggregateOptions
): Generator<ConsumedRecord, void, undefined> {
  const ahead = new DigestsAhead(records)
  let index = 0
  for (const record of records) {
    ahead.turnTo(index++)
    for (const userRecord of membersOf(record, options, ahead)) yield userRecord
  }
}

/**
 * Whether the bytes are framed as an aggregated record: the magic, and a digest that is right. The body is not read.
 *
 * @example
 * const [aggregated] = aggregate(records)
 * isAggregated(aggregated!.data) // => true
 * isAggregated(Buffer.from('hello')) // => false
 */
export function isAggregated(bytes: Uint8Array): boolean {
  return isEnvelope(bytesOf(bytes))
}

/**
 * Returns what there is to know about the bytes of a Kinesis record; never throws for what they hold.
 *
 * @example
 * const [aggregated] = aggregate(records)
 * const { digest, userRecordCount, partitionKeys } = aggregateInfo(aggregated!.data)
 * digest // => 'valid'
 * userRecordCount // => 3
 * partitionKeys // => ['user-1', 'user-2', 'user-3']
 */
export function aggregateInfo(bytes: Uint8Array): AggregateInfo {
  const data = bytesOf(bytes)
  const hasDigest = hasMagic(data)
  const plainInfo = {
    aggregated: false,
    digest: hasDigest ? (isEnvelope(data) ? 'valid' : 'invalid') : 'absent',
    fault: undefined,
    userRecordCount: 1,
    partitionKeys: [],
    explicitHashKeys: [],
    dataBytes: data.length,
    recordBytes: data.length
  } as const
  if (!hasDigest) return plainInfo
  try {
    const reader = open(data, {}).reader
    return {
      ...plainInfo,
      aggregated: true,
      userRecordCount: reader.count,
      partitionKeys: textsOf(reader.keys),
      explicitHashKeys: textsOf(reader.hashKeys),
      dataBytes: reader.dataBytes
    }
  } catch (error) {
    if (!(error instanceof MalformedEnvelopeError)) throw error
    return { ...plainInfo, fault: error.fault }
  }
}

/** All entries of a key table, in order. */
function textsOf(table: KeyTable): string[] {
  return Array.from({ length: table.count }, (_, index) => {
    table.select(index)
    return table.text()!
  })
}

/**
 * './deaggregate': Kinesis records in, user records out, by the KCL's rules; and the inverse.
 * Invariant: the user records of one Kinesis record all come out or none does: an aggregate is validated as a whole before
 * its first member is shown. Deviations from the KCL are listed, with reasons, in docs/consumers.md.
 */

import { hasMagic, isEnvelope } from '../wire/decode.ts'
import { EnvelopeReader } from '../wire/envelope-reader.ts'
import { MalformedEnvelopeError } from '../wire/format.ts'
import type { KeyTable } from '../wire/key-table.ts'
import { bytesOf, listOf } from './deaggregate/given-data.ts'
import { assertOptions, type OptionRules } from './deaggregate/given-options.ts'
import { type AnyKinesisRecord, type OuterRecord, outerRecord } from './deaggregate/kinesis-record.ts'
import { RangeFilter, type ShardRange } from './deaggregate/range-filter.ts'
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
export type { ShardRange } from './deaggregate/range-filter.ts'
export {
  type AggregatableRecord,
  type AggregatedRecord,
  aggregate,
  RecordAggregator,
  type RecordAggregatorOptions
} from './deaggregate/record-aggregator.ts'

/** One user record as its producer put it, and where it stood. */
export interface ConsumedRecord {
  readonly partitionKey: string
  /** Decimal text as the producer wrote it; undefined when there was none, and for every plain record. */
  readonly explicitHashKey?: string | undefined
  /** A view into the Kinesis record's bytes, unless the option `copy` is set. */
  readonly data: Uint8Array
  /** The Kinesis record's; the same for all user records of one aggregate. */
  readonly sequenceNumber: string
  /** The place in the aggregate, from 0; 0 for a plain record. Members that are filtered out keep theirs. */
  readonly subSequenceNumber: number
  /** Whether it came in an aggregate. */
  readonly aggregated: boolean
  /** When Kinesis took the Kinesis record, in milliseconds since the epoch, as far as the input says. */
  readonly arrivalTimestamp?: number | undefined
  /** The same for every copy of a user record that was produced with `dedupeTags`; else there is no such field. */
  readonly dedupeId?: string | undefined
}

export interface DeaggregateOptions {
  /** The shard the record was read from. Without it, all hash keys are inside. */
  readonly shardRange?: ShardRange | undefined
  /**
   * What to do with user records whose hash key is outside `shardRange`. `'filter'`, the default: drop those. `'kcl'`:
   * drop the whole aggregate, as the KCL does. `'keep'`: do not look. Plain records are never dropped.
   */
  readonly outOfRange?: 'filter' | 'kcl' | 'keep' | undefined
  /**
   * What to do with bytes that begin with the magic but are no aggregated record. `'plain'`, the default: they are a
   * record of someone who is not the KPL. `'throw'`: KPL_ERR_MALFORMED_ENVELOPE. `'skip'`: drop the Kinesis record.
   */
  readonly onCorrupt?: 'plain' | 'throw' | 'skip' | undefined
  /** An aggregate with more user records than this is corrupt. Default: no bound, for memory does not grow with it. */
  readonly maxUserRecords?: number | undefined
  /** Whether each `data` is an own copy, for consumers that keep few of many. Default: false. */
  readonly copy?: boolean | undefined
}

const RULES: OptionRules<DeaggregateOptions> = { ...SHARD_RULES, ...RECORD_RULES }

/** What there is to know about a Kinesis record's bytes without its user records. */
export interface AggregateInfo {
  /** Whether `deaggregate` takes it for an aggregate. */
  readonly aggregated: boolean
  /** Of the bytes after the magic: `'absent'` when there is no magic. */
  readonly digest: 'absent' | 'invalid' | 'valid'
  /** What is wrong with a record that has the magic; undefined when nothing is. */
  readonly fault: string | undefined
  /** 1 for a plain record. */
  readonly userRecordCount: number
  /** The key tables as they stand, with unused and repeated entries; empty for a plain record. */
  readonly partitionKeys: readonly string[]
  readonly explicitHashKeys: readonly string[]
  /** Bytes of all user records' data together. */
  readonly dataBytes: number
  /** Bytes of the whole. */
  readonly recordBytes: number
}

/**
 * Returns the user records of one Kinesis record, in order; a plain record gives itself. The record is validated at the
 * call; the user records are made one by one as they are asked for, once. The record's bytes are aliased meanwhile.
 * Throws KPL_ERR_INVALID_INPUT for what is no record and for options that will not do, and KPL_ERR_MALFORMED_ENVELOPE, with the
 * sequence number, if `onCorrupt` says so or the memory is taken away before the last user record was made. Linear in the bytes.
 *
 *   for (const { partitionKey, data } of deaggregate(record)) ...
 */
export function deaggregate(
  record: AnyKinesisRecord,
  options: DeaggregateOptions = {}
): IterableIterator<ConsumedRecord> {
  assertOptions(options, RULES)
  return members(record, options)
}

function members(record: AnyKinesisRecord, options: DeaggregateOptions): IterableIterator<ConsumedRecord> {
  const outer = outerRecord(record)
  if (!hasMagic(outer.bytes)) return plain(outer, options.copy)
  try {
    return new Members(outer, open(outer.bytes, options), options.copy)
  } catch (error) {
    if (!(error instanceof MalformedEnvelopeError)) throw error
    if (options.onCorrupt === 'throw') throw new MalformedEnvelopeError(error.fault, error.offset, outer.sequenceNumber)
    return options.onCorrupt === 'skip' ? [].values() : plain(outer, options.copy)
  }
}

/**
 * Returns the user records of many Kinesis records of one shard, in order, one Kinesis record at a time. Throws as `deaggregate`
 * does: at the call for what is no list and for options, when it comes to the record for the rest.
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
  for (const record of records) {
    for (const userRecord of members(record, options)) yield userRecord
  }
}

/** Whether the bytes are framed as an aggregated record: the magic, and a digest that is right. The body is not read. */
export function isAggregated(bytes: Uint8Array): boolean {
  return isEnvelope(bytesOf(bytes))
}

/** Returns what there is to know about the bytes of a Kinesis record; never throws for what they hold. */
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

/** A checked envelope; the filter is undefined when no member can be outside. */
interface OpenEnvelope {
  readonly reader: EnvelopeReader
  readonly filter: RangeFilter | undefined
}

/** Checks everything about bytes that begin with the magic; throws KPL_ERR_MALFORMED_ENVELOPE. */
function open(bytes: Uint8Array, options: DeaggregateOptions): OpenEnvelope {
  const { shardRange, outOfRange, maxUserRecords = Number.POSITIVE_INFINITY } = options
  if (!isEnvelope(bytes)) throw new MalformedEnvelopeError('digest does not match', bytes.length)
  const reader = new EnvelopeReader(bytes)
  if (reader.count > maxUserRecords) {
    throw new MalformedEnvelopeError(
      `${reader.count} user records, over maxUserRecords ${maxUserRecords},`,
      bytes.length
    )
  }
  const isFiltered = outOfRange === 'kcl' || (shardRange && outOfRange !== 'keep')
  const filter = isFiltered ? new RangeFilter(reader, shardRange) : undefined
  if (filter && outOfRange === 'kcl') dropForeign(reader, filter)
  return { reader, filter }
}

/** The KCL's rule: it looks at the members in order, and at the first that is not in the shard's range all are gone. */
function dropForeign(reader: EnvelopeReader, filter: RangeFilter): void {
  let isForeign = false
  while (reader.next()) {
    const place = filter.place()
    // The KCL would deliver the members before this one and lose the others.
    if (place === 'unknown' && !isForeign) throw new MalformedEnvelopeError('explicit hash key that is not a number', 0)
    if (place !== 'inside') isForeign = true
  }
  // With the cursor left at the end, there is nothing to show.
  if (!isForeign) reader.rewind()
}

/** The user records of a checked envelope. Hot; a generator takes a tenth longer (bench/deaggregate.bench.ts). */
class Members implements IterableIterator<ConsumedRecord> {
  readonly #outer: OuterRecord
  readonly #reader: EnvelopeReader
  readonly #filter: RangeFilter | undefined
  readonly #copy: boolean | undefined
  #subSequenceNumber = 0

  constructor(outer: OuterRecord, { reader, filter }: OpenEnvelope, copy: boolean | undefined) {
    this.#outer = outer
    this.#reader = reader
    this.#filter = filter
    this.#copy = copy
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<ConsumedRecord, undefined> {
    try {
      return this.#next()
    } catch {
      // The bytes were valid: what throws now is that they are gone.
      const { sequenceNumber } = this.#outer
      throw new MalformedEnvelopeError('memory taken away or changed while it was read', 0, sequenceNumber)
    }
  }

  #next(): IteratorResult<ConsumedRecord, undefined> {
    const reader = this.#reader
    const { sequenceNumber, arrivalTimestamp } = this.#outer
    while (reader.next()) {
      const subSequenceNumber = this.#subSequenceNumber++
      // A key that no shard can own is nobody else's either: dropping it would lose it.
      if (this.#filter?.place() === 'outside') continue
      const data = reader.data()
      const value: ConsumedRecord & { dedupeId?: string } = {
        partitionKey: reader.keys.text()!,
        explicitHashKey: reader.hashKeys.text(),
        data: this.#copy ? data.slice() : data,
        sequenceNumber,
        subSequenceNumber,
        aggregated: true,
        arrivalTimestamp
      }
      const dedupeId = reader.dedupeId()
      // Not spread into another object: that takes twice as long as all of the rest.
      if (dedupeId !== undefined) value.dedupeId = dedupeId
      return { done: false, value }
    }
    return { done: true, value: undefined }
  }
}

function plain(outer: OuterRecord, copy: boolean | undefined): IterableIterator<ConsumedRecord> {
  const { bytes, partitionKey, sequenceNumber, arrivalTimestamp } = outer
  const record: ConsumedRecord = {
    partitionKey,
    explicitHashKey: undefined,
    data: copy ? bytes.slice() : bytes,
    sequenceNumber,
    subSequenceNumber: 0,
    aggregated: false,
    arrivalTimestamp
  }
  return [record].values()
}

/**
 * One Kinesis record taken apart: user records out, or the record itself where it is plain.
 * Invariant: the user records all come out or none does: an aggregate is validated as a whole before its first member is shown.
 */
import { hasMagic, isEnvelope } from '../../wire/decode.ts'
import { EnvelopeReader } from '../../wire/envelope-reader.ts'
import { MalformedEnvelopeError } from '../../wire/format.ts'
import { type AnyKinesisRecord, decodedBase64, type OuterRecord, outerRecord } from './kinesis-record.ts'
import { RangeFilter, type ShardRange } from './range-filter.ts'

/** One user record as its producer put it, and where it stood. */
export interface ConsumedRecord {
  /** The partition key, as the producer gave it. */
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
  /** The same for every copy of a user record that was produced with `dedupeTags`; else there is not a field. */
  readonly dedupeId?: string | undefined
}

/** The options of `deaggregate`, `deaggregateAll`, `userRecords` and `readStream`. */
export interface DeaggregateOptions {
  /** The shard the record was read from. Without it, all hash keys are inside. */
  readonly shardRange?: ShardRange | undefined
  /**
   * The treatment of user records whose hash key is outside `shardRange`. `'filter'`, the default: drop those. `'kcl'`: drop
   * the whole aggregate, as the KCL does. `'keep'`: do not look. Plain records are never dropped.
   */
  readonly outOfRange?: 'filter' | 'kcl' | 'keep' | undefined
  /**
   * The treatment of bytes that begin with the magic but are not an aggregate. `'plain'`, the default: they are a record of
   * another program than the KPL. `'throw'`: KPL_ERR_MALFORMED_ENVELOPE. `'skip'`: drop the Kinesis record.
   */
  readonly onCorrupt?: 'plain' | 'throw' | 'skip' | undefined
  /** An aggregate with more user records than this is corrupt. Default: no bound, because memory does not grow with it. */
  readonly maxUserRecords?: number | undefined
  /** Whether each `data` is an own copy, for consumers that keep few of many. Default: false. */
  readonly copy?: boolean | undefined
}

/** Reads and checks the bytes of a record. A list can do both for several records together. */
export interface RecordAccess {
  /** Returns the bytes of base64 text. */
  readonly decoded: (text: string) => Uint8Array
  /** Whether `bytes` is an envelope whose digest is right. */
  readonly isEnvelope: (bytes: Uint8Array) => boolean
}

const ONE_BY_ONE: RecordAccess = { decoded: decodedBase64, isEnvelope }

/** Returns the user records of one Kinesis record, as `deaggregate` does; the options were checked. */
export function membersOf(
  record: AnyKinesisRecord,
  options: DeaggregateOptions,
  access: RecordAccess = ONE_BY_ONE
): IterableIterator<ConsumedRecord> {
  const outer = outerRecord(record, access.decoded)
  if (!hasMagic(outer.bytes)) return plain(outer, options.copy)
  try {
    return new Members(outer, open(outer.bytes, options, access), options.copy)
  } catch (error) {
    if (!(error instanceof MalformedEnvelopeError)) throw error
    if (options.onCorrupt === 'throw') throw new MalformedEnvelopeError(error.fault, error.offset, outer.sequenceNumber)
    return options.onCorrupt === 'skip' ? [].values() : plain(outer, options.copy)
  }
}

/** A checked envelope; the filter is undefined when no member can be outside. */
interface OpenEnvelope {
  readonly reader: EnvelopeReader
  readonly filter: RangeFilter | undefined
}

/** Checks everything about bytes that begin with the magic; throws KPL_ERR_MALFORMED_ENVELOPE. */
export function open(bytes: Uint8Array, options: DeaggregateOptions, access: RecordAccess = ONE_BY_ONE): OpenEnvelope {
  const { shardRange, outOfRange, maxUserRecords = Number.POSITIVE_INFINITY } = options
  if (!access.isEnvelope(bytes)) throw new MalformedEnvelopeError('digest does not match', bytes.length)
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
      // A key that no shard can own belongs to no other shard either: dropping it would lose it.
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

/**
 * The inverse of de-aggregation: user records in, Kinesis records as the KPL makes them out.
 * Invariant: the bytes are the KPL's for the same records in the same order; one record alone stays plain. It does not know
 * shards: its caller gives it records of one shard only, or a KCL consumer drops the aggregate.
 */
import { md5 } from '../../wire/digest.ts'
import { EnvelopeWriter } from '../../wire/encode.ts'
import { CONTAINER_KEY } from '../../wire/format.ts'
import { explicitHashKeyFault } from '../../wire/hash-key.ts'
import { ConsumerError, invalidInput } from './consumer-error.ts'
import { bytesOf, listOf } from './given-data.ts'
import { assertOptions, numberFrom, type OptionRules } from './given-options.ts'

/** A user record to aggregate. */
export interface AggregatableRecord {
  /** The partition key: well-formed Unicode. */
  readonly partitionKey: string
  /** Copied; a string is written as its UTF-8 bytes and is well-formed Unicode. */
  readonly data: Uint8Array | string
  /** 0 to 2^128 - 1, as a bigint or plain decimal digits. */
  readonly explicitHashKey?: string | bigint | undefined
}

/** The bounds of one aggregated record. */
export interface RecordAggregatorOptions {
  /** Bytes of one aggregated record, at most; a single record may be larger. Default: 51,200, as the KPL. */
  readonly maxBytes?: number | undefined
  /** User records in one aggregated record, at most. Default: no bound. */
  readonly maxUserRecords?: number | undefined
}

/** A record for Kinesis: the input of `PutRecord`, or an entry of `PutRecords`. `data` is fresh. */
export interface AggregatedRecord {
  /** `a` for an aggregate, as the KPL has it; the user record's own when it is alone. */
  readonly partitionKey: string
  /** The first user record's hash key, in decimal: it decides the shard. */
  readonly explicitHashKey: string
  /** The bytes of the Kinesis record. */
  readonly data: Uint8Array
  /** The number of user records in it. */
  readonly userRecordCount: number
}

const DEFAULT_MAX_BYTES = 51_200
const RULES: OptionRules<RecordAggregatorOptions> = { maxBytes: numberFrom(0), maxUserRecords: numberFrom(0) }

/**
 * Builds one aggregated record at a time.
 *
 * @example
 * const aggregator = new RecordAggregator({ maxBytes: 25_600 })
 * const sealed: AggregatedRecord[] = []
 * for (const record of records) {
 *   if (aggregator.add(record)) continue
 *   sealed.push(aggregator.seal()!)
 *   aggregator.add(record)
 * }
 * const last = aggregator.seal()
 * last?.userRecordCount // => 3
 */
export class RecordAggregator {
  readonly #writer = new EnvelopeWriter()
  readonly #maxBytes: number
  readonly #maxUserRecords: number
  #explicitHashKey = ''

  /** Throws KPL_ERR_INVALID_INPUT for options that will not do. */
  constructor(options: RecordAggregatorOptions = {}) {
    assertOptions(options, RULES)
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
    this.#maxUserRecords = options.maxUserRecords ?? Number.POSITIVE_INFINITY
  }

  /** User records taken since the last `seal`. */
  get count(): number {
    return this.#writer.count
  }

  /** Bytes that `seal` would return now. */
  get sealedBytes(): number {
    return this.#writer.sealedBytes
  }

  /**
   * Whether `add` would take this record now; the first one always fits. Throws as `add` does.
   *
   * @example
   * const aggregator = new RecordAggregator({ maxUserRecords: 1 })
   * aggregator.fits(record) // => true
   * aggregator.add(record)
   * aggregator.fits(record) // => false
   */
  fits(record: AggregatableRecord): boolean {
    return this.#fits(measured(record))
  }

  /**
   * Takes the record, or returns false when it does not fit: then `seal` first. Throws KPL_ERR_INVALID_INPUT.
   *
   * @example
   * const aggregator = new RecordAggregator({ maxUserRecords: 1 })
   * aggregator.add(record) // => true
   * aggregator.add(record) // => false
   */
  add(record: AggregatableRecord): boolean {
    const given = measured(record)
    if (!this.#fits(given)) return false
    const { partitionKey, keyBytes, hashKey, data, dataBytes } = given
    if (this.count === 0) this.#explicitHashKey = hashKey ?? String(BigInt('0x' + md5(partitionKey, 'hex')))
    this.#writer.add(partitionKey, keyBytes, hashKey, data, dataBytes)
    return true
  }

  /**
   * Returns what was added as one Kinesis record and starts over; undefined when there is nothing.
   *
   * @example
   * const aggregator = new RecordAggregator()
   * aggregator.add(record)
   * aggregator.seal()?.userRecordCount // => 1
   * aggregator.seal() // => undefined
   */
  seal(): AggregatedRecord | undefined {
    const userRecordCount = this.count
    const { firstPartitionKey } = this.#writer
    if (firstPartitionKey === undefined) return undefined
    const partitionKey = userRecordCount > 1 ? CONTAINER_KEY : firstPartitionKey
    return { partitionKey, explicitHashKey: this.#explicitHashKey, data: this.#writer.seal(), userRecordCount }
  }

  #fits({ partitionKey, keyBytes, hashKey, dataBytes }: MeasuredRecord): boolean {
    if (this.count === 0) return true
    const bytes = this.#writer.bytesWith(partitionKey, keyBytes, hashKey, dataBytes)
    return this.count < this.#maxUserRecords && bytes <= this.#maxBytes
  }
}

/**
 * Yields the records aggregated in their order, each aggregate as full as the options allow. One shard's records only.
 *
 * @example
 * import { PutRecordCommand } from '@aws-sdk/client-kinesis'
 *
 * for (const { data, partitionKey, explicitHashKey } of aggregate(records)) {
 *   const address = { StreamName: 'orders', PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey }
 *   await client.send(new PutRecordCommand({ ...address, Data: data }))
 * }
 */
export function aggregate(
  records: Iterable<AggregatableRecord>,
  options?: RecordAggregatorOptions
): Generator<AggregatedRecord, void, undefined> {
  return aggregated(listOf(records), new RecordAggregator(options))
}

function* aggregated(
  records: Iterable<AggregatableRecord>,
  aggregator: RecordAggregator
): Generator<AggregatedRecord, void, undefined> {
  for (const record of records) {
    if (aggregator.add(record)) continue
    yield aggregator.seal()!
    aggregator.add(record)
  }
  const last = aggregator.seal()
  if (last !== undefined) yield last
}

/** A record that was checked, with its lengths in UTF-8. */
interface MeasuredRecord {
  readonly partitionKey: string
  readonly keyBytes: number
  readonly hashKey: string | undefined
  readonly data: Uint8Array | string
  readonly dataBytes: number
}

/** Reads each field once. */
function measured(record: AggregatableRecord): MeasuredRecord {
  if (typeof record !== 'object' || record === null) throw invalidInput('record', 'a user record', record)
  const { partitionKey, data, explicitHashKey } = record
  if (typeof partitionKey !== 'string') throw invalidInput('partitionKey', 'text', partitionKey)
  const given = typeof data === 'string' ? data : bytesOf(data, 'a Uint8Array or text')
  const fault = explicitHashKey === undefined ? undefined : explicitHashKeyFault(explicitHashKey)
  if (fault !== undefined) throw new ConsumerError('KPL_ERR_INVALID_INPUT', `explicitHashKey ${fault}`)
  return {
    partitionKey,
    keyBytes: textBytes(partitionKey, 'partitionKey'),
    hashKey: explicitHashKey === undefined ? undefined : String(explicitHashKey),
    data: given,
    dataBytes: typeof given === 'string' ? textBytes(given, 'data') : given.length
  }
}

function textBytes(text: string, name: string): number {
  if (text.isWellFormed()) return Buffer.byteLength(text)
  throw new ConsumerError('KPL_ERR_INVALID_INPUT', `${name} has a lone surrogate`)
}

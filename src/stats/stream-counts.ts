/**
 * Counters and statistic sets of one stream, by shard and by code.
 * Invariant: a sample is added in one place, its shard's or the stream's own; a stream's statistics are put together when
 * somebody reads, and a counter that is also a statistic is read from it, so that one name has one number. Shards beyond `MAX_SHARDS_COUNTED` share one entry, codes beyond theirs one name.
 */
import {
  AT,
  mergeReadings,
  type Reading,
  type Samples,
  SHARD_STATISTICS,
  type ShardStatistic,
  STREAM_STATISTICS,
  Statistics,
  type StatsCursor,
  type StreamStatistic
} from './statistics.ts'
import type { RecordCounters, ShardStats, StreamReading } from './stream-stats.ts'

const MAX_SHARDS_COUNTED = 10_000
const MAX_CODES_COUNTED = 100
/** Pairs of code and shard; beyond them a code is counted for the stream alone. */
const MAX_CODE_SERIES = 10_000
const OTHER = '_OTHER'
/** A text of Kinesis becomes a name only if it looks like one: exporters make labels and dimensions of it. */
const CODE = /^[A-Za-z][\w.:-]{0,127}$/
const SHARD_ID = /^[A-Za-z][\w-]{0,127}$/

/** The counters beside the statistics. */
interface OwnCounters {
  throttled: number
  mispredicted: number
}

interface ShardEntry {
  readonly counters: OwnCounters
  readonly statistics: Statistics<ShardStatistic>
}

export class StreamCounts {
  /** User records acknowledged so far. */
  userRecordsPut = 0
  readonly #total: OwnCounters = newCounters()
  /** Samples without a shard. */
  readonly own: Statistics<StreamStatistic> = new Statistics(STREAM_STATISTICS)
  readonly #shards = new Map<string, ShardEntry>()
  readonly #userRecordsByCode = new Map<string, number>()
  #codeSeries = 0

  /** Where samples go: to their shard's, or to the stream's own while the shard is unknown. */
  samplesOf(shardId: string | undefined): Samples {
    return this.#shardOf(shardId)?.statistics ?? this.own
  }

  /** Counts one failed entry of `userRecords`, or a failed request (without a shard), under its code. */
  error(code: string, shardId: string | undefined, userRecords: number): void {
    const codes = this.#userRecordsByCode
    const isKnown = codes.has(code) || (codes.size < MAX_CODES_COUNTED && CODE.test(code))
    const known = isKnown ? code : OTHER
    codes.set(known, (codes.get(known) ?? 0) + userRecords)
    const samples = this.samplesOf(shardId)
    samples.addEqual(AT.AllErrors, 1, 1)
    const isNew = !samples.hasCode(known)
    if (isNew && this.#codeSeries >= MAX_CODE_SERIES) this.own.addCode(known)
    else samples.addCode(known)
    if (isNew) this.#codeSeries++
  }

  throttled(shardId: string | undefined): void {
    this.#count('throttled', shardId)
  }

  mispredicted(shardId: string | undefined): void {
    this.#count('mispredicted', shardId)
  }

  /** Counts the user records of one acknowledged Kinesis record, with `dataBytes` altogether. */
  delivered(shardId: string, userRecords: number, dataBytes: number): void {
    const samples = this.samplesOf(shardId)
    this.userRecordsPut += userRecords
    const meanBytes = dataBytes / userRecords
    samples.addEqual(AT.UserRecordsPut, userRecords, 1)
    samples.add(AT.UserRecordsDataPut, userRecords, dataBytes, meanBytes, meanBytes)
  }

  /** User records of failed entries and requests, by code. */
  get userRecordsByCode(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#userRecordsByCode)
  }

  /** Everything since the start. */
  snapshot(): Counted<StreamStatistic> & { readonly shards: Readonly<Record<string, ShardStats>> } {
    const shards: Record<string, ShardStats> = {}
    for (const [shardId, { counters, statistics }] of this.#shards) {
      shards[shardId] = counted(counters, statistics.snapshot())
    }
    return { ...counted(this.#total, sumOf(this.own.snapshot(), shards)), shards }
  }

  /** Starts a reader here. Throws RangeError beyond `MAX_WINDOWS`. */
  open(cursor: StatsCursor): void {
    this.own.open(cursor)
    for (const { statistics } of this.#shards.values()) statistics.open(cursor)
  }

  /** The changes since the reader's last look. */
  read(cursor: StatsCursor): StreamReading {
    const shards: Record<string, Reading<ShardStatistic>> = {}
    for (const [shardId, { statistics }] of this.#shards) shards[shardId] = statistics.read(cursor)
    return { ...sumOf(this.own.read(cursor), shards), shards }
  }

  #count(counter: keyof OwnCounters, shardId: string | undefined): void {
    this.#total[counter]++
    const shard = this.#shardOf(shardId)
    if (shard !== undefined) shard.counters[counter]++
  }

  #shardOf(shardId: string | undefined): ShardEntry | undefined {
    if (shardId === undefined) return undefined
    const known = this.#shards.get(shardId)
    if (known !== undefined) return known
    const id = this.#shards.size < MAX_SHARDS_COUNTED && SHARD_ID.test(shardId) ? shardId : OTHER
    const entry = this.#shards.get(id) ?? { counters: newCounters(), statistics: new Statistics(SHARD_STATISTICS) }
    this.#shards.set(id, entry)
    return entry
  }
}

/** A reading, and the counters that follow from it. */
type Counted<Name extends StreamStatistic> = Reading<Name> & RecordCounters & { readonly throttledRatio: number }

function counted<Name extends StreamStatistic>(
  { throttled, mispredicted }: OwnCounters,
  reading: Reading<Name | ShardStatistic>
): Counted<Name | ShardStatistic> {
  const { metrics } = reading
  const answered = metrics.KinesisRecordsPut.count
  return {
    ...reading,
    userRecordsPut: metrics.UserRecordsPut.sum,
    userRecordsDataPut: metrics.UserRecordsDataPut.sum,
    kinesisRecordsPut: metrics.KinesisRecordsPut.sum,
    kinesisRecordsDataPut: metrics.KinesisRecordsDataPut.sum,
    allErrors: metrics.AllErrors.sum,
    throttled,
    mispredicted,
    throttledRatio: answered === 0 ? 0 : throttled / answered
  }
}

function sumOf(own: Reading, shards: Readonly<Record<string, Reading<ShardStatistic>>>): Reading {
  return Object.values(shards).reduce<Reading>(mergeReadings, own)
}

function newCounters(): OwnCounters {
  return { throttled: 0, mispredicted: 0 }
}

/**
 * Statistic sets (count, sum, least, greatest) of one stream or one shard, under the KPL's names, since the start and since
 * each reader's last look.
 * Invariant: reading changes neither what is read by others nor what is counted since the start. Readers share one pair of
 * extremes per statistic, the running segment; each reading ends it, and adds it to every reader before it restarts.
 * Hot: `add` is two sums and four comparisons, whatever the number of readers.
 */

/** The samples of one metric, as CloudWatch's StatisticSet. All are 0 while `count` is 0. */
export interface StatisticSet {
  /** The number of samples. */
  readonly count: number
  /** The sum of all samples. */
  readonly sum: number
  /** The least sample. */
  readonly min: number
  /** The greatest sample. */
  readonly max: number
}

/** Statistics that are kept for every shard as well as for the stream. */
export const SHARD_STATISTICS = [
  'UserRecordsPut',
  'UserRecordsDataPut',
  'KinesisRecordsPut',
  'KinesisRecordsDataPut',
  'AllErrors',
  'RetriesPerRecord',
  'UserRecordExpired',
  'BufferingTime',
  'UserRecordsPerKinesisRecord'
] as const

/** All statistics of a stream. */
export const STREAM_STATISTICS = [
  ...SHARD_STATISTICS,
  'UserRecordsReceived',
  'UserRecordsRefused',
  'UserRecordsPending',
  'RequestTime',
  'KinesisRecordsPerPutRecordsRequest',
  'UserRecordsPerPutRecordsRequest',
  'PutToAck'
] as const

/** Where a statistic stands in both lists: those of shards come first. */
export const AT = Object.fromEntries(STREAM_STATISTICS.map((name, i) => [name, i])) as Readonly<
  Record<StreamStatistic, number>
>

/** The name of a statistic of a shard. */
export type ShardStatistic = (typeof SHARD_STATISTICS)[number]
/** The name of a statistic of a stream. */
export type StreamStatistic = (typeof STREAM_STATISTICS)[number]

/** Statistic sets by name, and failures by code, of one stream or shard. */
export interface Reading<Name extends string = StreamStatistic> {
  /** One statistic set for each name. `docs/metrics.md` says what each one counts. */
  readonly metrics: Readonly<Record<Name, StatisticSet>>
  /** Failed entries and requests, by the code of the failure. */
  readonly errorsByCode: Readonly<Record<string, number>>
}

/** A reader's place, by identity. `MetricsWindow` makes it and hands it to `stats`; users never see it. */
export interface StatsCursor {
  isOpen: boolean
  isClosed: boolean
}

/** The most open `MetricsWindow`s of one producer. */
export const MAX_WINDOWS = 16

/** Columns: count, sum, least and greatest since the start; then least and greatest of the running segment. */
const COLUMNS = 6
const EMPTY: StatisticSet = { count: 0, sum: 0, min: 0, max: 0 }

/** The last reading of a reader, and the extremes since. */
interface ReaderState {
  readonly counts: Float64Array
  readonly sums: Float64Array
  readonly mins: Float64Array
  readonly maxs: Float64Array
  codes: ReadonlyMap<string, number>
}

/** Where samples go, by their position in `AT`. */
export interface Samples {
  /** Adds `count` samples of `sum` altogether, the least and the greatest of them being `min` and `max`. */
  add(position: number, count: number, sum: number, min: number, max: number): void
  /** Adds `count` equal samples. */
  addEqual(position: number, count: number, value: number): void
  /** Adds one failure of a code. */
  addCode(code: string): void
  hasCode(code: string): boolean
}

export class Statistics<Name extends StreamStatistic> implements Samples {
  readonly #names: readonly Name[]
  readonly #values: Float64Array
  readonly #codes = new Map<string, number>()
  readonly #readers = new Map<StatsCursor, ReaderState>()

  constructor(names: readonly Name[]) {
    this.#names = names
    this.#values = new Float64Array(names.length * COLUMNS)
    for (let at = 0; at < this.#values.length; at += COLUMNS) {
      this.#values[at + 2] = Number.POSITIVE_INFINITY
      this.#values[at + 3] = Number.NEGATIVE_INFINITY
    }
    this.#startSegment()
  }

  add(position: number, count: number, sum: number, min: number, max: number): void {
    if (count === 0) return
    const values = this.#values
    const at = position * COLUMNS
    values[at]! += count
    values[at + 1]! += sum
    if (min < values[at + 2]!) values[at + 2] = min
    if (max > values[at + 3]!) values[at + 3] = max
    if (min < values[at + 4]!) values[at + 4] = min
    if (max > values[at + 5]!) values[at + 5] = max
  }

  addEqual(position: number, count: number, value: number): void {
    this.add(position, count, count * value, value, value)
  }

  addCode(code: string): void {
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1)
  }

  hasCode(code: string): boolean {
    return this.#codes.has(code)
  }

  /** Everything since the start. */
  snapshot(): Reading<Name> {
    const values = this.#values
    return {
      metrics: this.#metrics(i => {
        const at = i * COLUMNS
        return setOf(values[at]!, values[at + 1]!, values[at + 2]!, values[at + 3]!)
      }),
      errorsByCode: Object.fromEntries(this.#codes)
    }
  }

  /** Starts a reader here: its first reading tells what comes after this. Throws RangeError beyond `MAX_WINDOWS`. */
  open(cursor: StatsCursor): void {
    this.#endSegment()
    if (this.#readers.size >= MAX_WINDOWS) {
      throw new RangeError(`one producer has at most ${MAX_WINDOWS} metrics windows; close unused ones`)
    }
    this.#restart(cursor)
  }

  /** The changes since the reader's last look; everything, if it has not looked since these statistics began. */
  read(cursor: StatsCursor): Reading<Name> {
    this.#endSegment()
    const state = this.#readers.get(cursor)
    const reading = state === undefined ? this.snapshot() : this.#since(state)
    this.#restart(cursor)
    return reading
  }

  #since(state: ReaderState): Reading<Name> {
    const values = this.#values
    const { counts, sums, mins, maxs, codes } = state
    const metrics = this.#metrics(i => {
      const at = i * COLUMNS
      return setOf(values[at]! - counts[i]!, values[at + 1]! - sums[i]!, mins[i]!, maxs[i]!)
    })
    const errorsByCode: Record<string, number> = {}
    for (const [code, count] of this.#codes) {
      const newCount = count - (codes.get(code) ?? 0)
      if (newCount > 0) errorsByCode[code] = newCount
    }
    return { metrics, errorsByCode }
  }

  #restart(cursor: StatsCursor): void {
    const values = this.#values
    const size = this.#names.length
    this.#readers.set(cursor, {
      counts: Float64Array.from({ length: size }, (_, i) => values[i * COLUMNS]!),
      sums: Float64Array.from({ length: size }, (_, i) => values[i * COLUMNS + 1]!),
      mins: new Float64Array(size).fill(Number.POSITIVE_INFINITY),
      maxs: new Float64Array(size).fill(Number.NEGATIVE_INFINITY),
      codes: new Map(this.#codes)
    })
  }

  /** Hands the running segment to every reader, and starts the next. */
  #endSegment(): void {
    const values = this.#values
    for (const [cursor, { mins, maxs }] of this.#readers) {
      if (cursor.isClosed) this.#readers.delete(cursor)
      for (let i = 0; i < mins.length; i++) {
        mins[i] = Math.min(mins[i]!, values[i * COLUMNS + 4]!)
        maxs[i] = Math.max(maxs[i]!, values[i * COLUMNS + 5]!)
      }
    }
    this.#startSegment()
  }

  #startSegment(): void {
    for (let at = 0; at < this.#values.length; at += COLUMNS) {
      this.#values[at + 4] = Number.POSITIVE_INFINITY
      this.#values[at + 5] = Number.NEGATIVE_INFINITY
    }
  }

  #metrics(setAt: (index: number) => StatisticSet): Record<Name, StatisticSet> {
    return Object.fromEntries(this.#names.map((name, i) => [name, setAt(i)])) as Record<Name, StatisticSet>
  }
}

/** Returns one reading of what both tell; names that only `left` has stay as they are. */
export function mergeReadings<Name extends StreamStatistic>(
  left: Reading<Name>,
  right: Reading<ShardStatistic>
): Reading<Name> {
  const metrics: Record<string, StatisticSet> = { ...left.metrics }
  for (const name of SHARD_STATISTICS) metrics[name] = mergeSets(metrics[name] ?? EMPTY, right.metrics[name])
  const codes = new Map(Object.entries(left.errorsByCode))
  for (const [code, count] of Object.entries(right.errorsByCode)) codes.set(code, (codes.get(code) ?? 0) + count)
  return { metrics: metrics as Record<Name, StatisticSet>, errorsByCode: Object.fromEntries(codes) }
}

/** Returns the statistic set of both sets' samples. */
export function mergeSets(left: StatisticSet, right: StatisticSet): StatisticSet {
  if (left.count === 0) return right
  if (right.count === 0) return left
  return {
    count: left.count + right.count,
    sum: left.sum + right.sum,
    min: Math.min(left.min, right.min),
    max: Math.max(left.max, right.max)
  }
}

function setOf(count: number, sum: number, min: number, max: number): StatisticSet {
  return count === 0 ? EMPTY : { count, sum, min, max }
}

/**
 * From what windows have seen to CloudWatch's data: every metric once for each prefix of its chain of dimensions.
 * Invariant: each sample counts once in every prefix that it lies under; data of equal name and dimensions are one datum,
 * also when they come from several producers or from an upload that failed.
 * Source: KPL 1.0.7, metrics_manager.h and metric.h.
 */

import { mergeSets, type Reading, type ShardStatistic, type StatisticSet } from '../stats/statistics.ts'
import type { ProducerStats } from '../stats/stats.ts'
import type { MetricLevel, MetricUnit } from './metric-entry.ts'
import { METRIC_ROWS, METRICS } from './metrics-table.ts'
import type { WindowReading } from './metrics-window.ts'

/** The place of a dimension: before the stream, between stream and shard, or behind the shard. */
export type Granularity = 'global' | 'stream' | 'shard'

/** A dimension of your own, at the place that its granularity gives it in the chain. */
export interface ExtraDimension {
  /** The name of the dimension. */
  readonly name: string
  /** Its value. */
  readonly value: string
  /** Its place in the chain. */
  readonly granularity: Granularity
}

export type Dimension = readonly [name: string, value: string]

/** One metric of one set of dimensions. */
export interface Datum {
  readonly name: string
  readonly unit: MetricUnit
  readonly dimensions: readonly Dimension[]
  readonly set: StatisticSet
}

export interface TreeOptions {
  readonly level: MetricLevel
  readonly granularity: Granularity
  readonly dimensions: readonly ExtraDimension[]
}

/**
 * The chain of one metric, as the KPL has it; `?`: only ErrorsByCode.
 *
 *   extra (global) -> ErrorCode? -> StreamName -> extra (stream) -> ShardId -> extra (shard)
 */
export class DimensionTree {
  readonly #options: TreeOptions
  readonly #extra: Readonly<Record<Granularity, readonly Dimension[]>>
  #data = new Map<string, Datum>()

  constructor(options: TreeOptions) {
    this.#options = options
    const extra = (granularity: Granularity): Dimension[] =>
      options.dimensions
        .filter(dimension => dimension.granularity === granularity)
        .map(({ name, value }): Dimension => [name, value])
    this.#extra = { global: extra('global'), stream: extra('stream'), shard: extra('shard') }
  }

  get size(): number {
    return this.#data.size
  }

  /** Adds what one producer's window has seen, and a sample of each gauge of the producer itself. */
  addProducer(stats: ProducerStats): void {
    this.add(stats.window ?? {})
    for (const [name, { level, unit, ofProducer }] of METRIC_ROWS) {
      if (ofProducer === undefined || !this.#isWanted(level)) continue
      const value = ofProducer(stats)
      this.#addChain({ name, unit, set: { count: 1, sum: value, min: value, max: value } }, this.#extra.global, [], 0)
    }
  }

  /** Adds what one producer's window has seen. */
  add(window: WindowReading): void {
    for (const [streamName, { shards, ...whole }] of Object.entries(window)) {
      const stream: Dimension[] = [['StreamName', nameOf(streamName)], ...this.#extra.stream]
      this.#addReading(whole, stream, 0)
      for (const [shardId, reading] of Object.entries(shards)) {
        const shard: Dimension[] = [...stream, ['ShardId', shardId], ...this.#extra.shard]
        // A stream's sets hold those of its shards: only what lies below the stream is new.
        this.#addReading(reading, shard, stream.length)
      }
    }
  }

  /** Puts back what could not be uploaded. */
  restore(data: readonly Datum[]): void {
    for (const datum of data) this.#merge(datum)
  }

  /** Takes everything out: few dimensions first, then by name and values. */
  takeAll(): Datum[] {
    const entries = [...this.#data]
    this.#data = new Map()
    return entries
      .sort(([left, { dimensions: few }], [right, { dimensions: many }]) =>
        few.length === many.length ? (left < right ? -1 : 1) : few.length - many.length
      )
      .map(([, datum]) => datum)
  }

  /** `knownCount`: so many of the dimensions of `tail`, and what comes before them, have the samples already. */
  #addReading(
    { metrics, errorsByCode }: Reading<ShardStatistic>,
    tail: readonly Dimension[],
    knownCount: number
  ): void {
    for (const [name, { level, unit }] of METRIC_ROWS) {
      const set = this.#isWanted(level) ? metrics[name as ShardStatistic] : undefined
      if (set !== undefined) this.#addChain({ name, unit, set }, this.#extra.global, tail, knownCount)
    }
    const { unit } = METRICS.ErrorsByCode
    for (const [code, count] of Object.entries(errorsByCode)) {
      const set = { count, sum: count, min: 1, max: 1 }
      const head: Dimension[] = [...this.#extra.global, ['ErrorCode', code]]
      this.#addChain({ name: 'ErrorsByCode', unit, set }, head, tail, knownCount)
    }
  }

  #isWanted(level: MetricLevel | undefined): boolean {
    return level === 'summary' || (level === 'detailed' && this.#options.level === 'detailed')
  }

  #addChain(
    metric: Omit<Datum, 'dimensions'>,
    head: readonly Dimension[],
    tail: readonly Dimension[],
    knownCount: number
  ): void {
    if (metric.set.count === 0) return
    const chain = [...head, ...tail]
    const first = knownCount === 0 ? 0 : head.length + knownCount + 1
    const last = head.length + this.#visibleCount(tail)
    for (let length = first; length <= last; length++) this.#merge({ ...metric, dimensions: chain.slice(0, length) })
  }

  /** How many of the dimensions from the stream on the granularity lets through. */
  #visibleCount(tail: readonly Dimension[]): number {
    const { granularity } = this.#options
    if (granularity === 'global') return 0
    const shardAt = tail.findIndex(([name]) => name === 'ShardId')
    return granularity === 'shard' || shardAt < 0 ? tail.length : shardAt
  }

  #merge(datum: Datum): void {
    const key = JSON.stringify([datum.name, datum.dimensions])
    const known = this.#data.get(key)
    this.#data.set(key, known === undefined ? datum : { ...known, set: mergeSets(known.set, datum.set) })
  }
}

/** A stream given by its ARN goes by its name, as the KPL's do. */
function nameOf(stream: string): string {
  return stream.slice(stream.lastIndexOf('/') + 1)
}

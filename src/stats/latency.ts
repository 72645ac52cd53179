/**
 * Latencies of one kind: percentiles since the start, and counts by fixed buckets that can be subtracted and summed.
 * Invariant: both hold the same samples, in steps of 0.1 ms; memory does not depend on their number.
 */
import { Float64Histogram, type Histogram } from 'hdr-histogram-js'
import { LATENCY_BOUNDS_MS } from './latency-bounds.ts'

/** Latencies of one kind, in milliseconds. All are 0 while `count` is 0. */
export interface LatencyStats {
  /** The number of samples since the start. */
  readonly count: number
  /** The sum of all samples. */
  readonly sumMs: number
  /** The mean: `sumMs / count`. */
  readonly meanMs: number
  /** The median: half of the samples are at most this long. */
  readonly p50Ms: number
  /** 90 % of the samples are at most this long. */
  readonly p90Ms: number
  /** 99 % of the samples are at most this long. */
  readonly p99Ms: number
  /** 99.9 % of the samples are at most this long. */
  readonly p999Ms: number
  /** The longest sample; an hour at most. */
  readonly maxMs: number
  /** How many lie above the bound before and up to each of `LATENCY_BOUNDS_MS`, and last how many lie above them all. */
  readonly bucketCounts: readonly number[]
}

/** Times and latencies are counted in whole steps of 0.1 ms. */
export const STEPS_PER_MS = 10
/** An hour; what takes longer counts as an hour. */
const MAX_STEPS = 36_000_000
const SIGNIFICANT_DIGITS = 3

export class Latency {
  /** Counts are doubles: counts of 32 bits would wrap, without a word, after 4.29 billion samples in one bucket. */
  readonly #histogram: Histogram = new Float64Histogram(1, MAX_STEPS, SIGNIFICANT_DIGITS)
  readonly #buckets = new Float64Array(LATENCY_BOUNDS_MS.length + 1)
  #sumSteps = 0

  /** Adds `count` samples of `steps` each. */
  add(steps: number, count: number): void {
    const kept = Math.min(MAX_STEPS, Math.max(0, steps))
    this.#histogram.recordValueWithCount(kept, count)
    this.#sumSteps += kept * count
    let bucket = 0
    while (bucket < LATENCY_BOUNDS_MS.length && kept > LATENCY_BOUNDS_MS[bucket]! * STEPS_PER_MS) bucket++
    this.#buckets[bucket]! += count
  }

  snapshot(): LatencyStats {
    const count = this.#histogram.totalCount
    const at = (percentile: number) =>
      count === 0 ? 0 : this.#histogram.getValueAtPercentile(percentile) / STEPS_PER_MS
    return {
      count,
      sumMs: this.#sumSteps / STEPS_PER_MS,
      meanMs: count === 0 ? 0 : this.#sumSteps / STEPS_PER_MS / count,
      p50Ms: at(50),
      p90Ms: at(90),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: count === 0 ? 0 : this.#histogram.maxValue / STEPS_PER_MS,
      bucketCounts: [...this.#buckets]
    }
  }
}

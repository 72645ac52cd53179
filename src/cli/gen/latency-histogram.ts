/**
 * Latencies counted in buckets that grow by 2.2 %, from 0.01 ms to hours.
 * Invariant: a percentile is at most one bucket too high, and never above the largest sample.
 */

const STEPS_PER_OCTAVE = 32
const SMALLEST_MS = 0.01
const BUCKETS = STEPS_PER_OCTAVE * 30

export interface HistogramData {
  readonly counts: Float64Array
  readonly maxMs: number
}

export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS)
  #count = 0
  #maxMs = 0

  get count(): number {
    return this.#count
  }

  get maxMs(): number {
    return this.#maxMs
  }

  add(ms: number): void {
    const octaves = Math.log2(Math.max(ms, SMALLEST_MS) / SMALLEST_MS)
    const bucket = Math.min(BUCKETS - 1, Math.floor(octaves * STEPS_PER_OCTAVE))
    this.#counts[bucket]! += 1
    this.#count++
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  /** The data from which another thread can add these latencies to its own. */
  get data(): HistogramData {
    return { counts: this.#counts, maxMs: this.#maxMs }
  }

  addAll({ counts, maxMs }: HistogramData): void {
    counts.forEach((count, bucket) => {
      this.#counts[bucket]! += count
      this.#count += count
    })
    this.#maxMs = Math.max(this.#maxMs, maxMs)
  }

  /** Returns the latency that `percent` of the samples do not exceed; 0 when there are none. */
  percentileMs(percent: number): number {
    if (this.#count === 0) return 0
    const wanted = Math.ceil((percent / 100) * this.#count)
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!
      if (seen < wanted) continue
      return Math.min(this.#maxMs, SMALLEST_MS * 2 ** ((bucket + 1) / STEPS_PER_OCTAVE))
    }
    return this.#maxMs
  }
}

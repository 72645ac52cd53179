/**
 * The seconds of a load test, put together from the slices that saw them.
 * Example: two slices with 50 records each in second 3 make one sample with 100 records, and percentiles over all of them.
 * Invariant: samples are in order and without gap; latencies are held only for seconds that some slice has not told yet.
 */
import { type HistogramData, LatencyHistogram } from './latency-histogram.ts'

/** The counts of one slice in one second since its start. */
export interface LoadSecond {
  readonly second: number
  readonly due: number
  readonly delivered: number
  readonly throttled: number
  readonly failed: number
  readonly latencies: HistogramData
}

/** One second of the run. */
export interface LoadSample {
  readonly second: number
  readonly due: number
  readonly delivered: number
  readonly throttled: number
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
}

interface Sum {
  toldCount: number
  due: number
  delivered: number
  throttled: number
  failed: number
  readonly latencies: LatencyHistogram
}

export class LoadSeconds {
  readonly samples: LoadSample[] = []
  readonly #sliceCount: number
  /** From second `samples.length` on. */
  readonly #open: Sum[] = []

  constructor(sliceCount: number) {
    this.#sliceCount = sliceCount
  }

  /** Each slice tells its seconds in order, from 0. */
  add({ second, due, delivered, throttled, failed, latencies }: LoadSecond): void {
    const place = second - this.samples.length
    while (this.#open.length <= place) this.#open.push(emptySum())
    const sum = this.#open[place]!
    sum.toldCount++
    sum.due += due
    sum.delivered += delivered
    sum.throttled += throttled
    sum.failed += failed
    sum.latencies.addAll(latencies)
    while (this.#open[0]?.toldCount === this.#sliceCount) this.#close()
  }

  /** No slice tells more. */
  finish(): void {
    while (this.#open.length > 0) this.#close()
  }

  #close(): void {
    const { due, delivered, throttled, failed, latencies } = this.#open.shift()!
    const [p50Ms, p99Ms] = [latencies.percentileMs(50), latencies.percentileMs(99)]
    this.samples.push({ second: this.samples.length, due, delivered, throttled, failed, p50Ms, p99Ms })
  }
}

function emptySum(): Sum {
  return { toldCount: 0, due: 0, delivered: 0, throttled: 0, failed: 0, latencies: new LatencyHistogram() }
}

/**
 * How the process fares: live memory and its slope, resident memory, delays of the event loop.
 * Invariant: live memory is measured right after a collection, and only when little is buffered, so that a slope of it is
 * no image of the load.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const SAMPLE_MS = 2000
/** Until compiled code is there and the pool of request bodies has grown to the largest requests. */
const WARM_UP_MS = 120_000
const CALM_BYTES = 2 * 1_048_576
const HOUR_MS = 3_600_000
/** Of each such span the least sample counts: what comes and goes with requests under way is no growth. */
const SPAN_MS = 30_000
const MIN_SPANS = 4
const NS_PER_MS = 1e6

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Objects and buffers that are reachable. Takes some milliseconds. */
export function liveBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

interface Sample {
  readonly atMs: number
  readonly bytes: number
}

export class Health {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 })
  readonly #startMs = performance.now()
  /** The least sample of each span. */
  readonly #least = new Map<number, Sample>()
  #lastMs = 0
  lastLiveBytes = 0
  maxRssBytes = 0

  start(): void {
    this.#delay.enable()
  }

  /** To be called often; measures now and then. */
  look(bufferedBytes: number): void {
    const nowMs = performance.now()
    this.maxRssBytes = Math.max(this.maxRssBytes, process.memoryUsage.rss())
    if (nowMs - this.#lastMs < SAMPLE_MS || bufferedBytes > CALM_BYTES) return
    this.#lastMs = nowMs
    this.lastLiveBytes = liveBytes()
    if (nowMs - this.#startMs < WARM_UP_MS) return
    const span = Math.floor(nowMs / SPAN_MS)
    const least = this.#least.get(span)
    if (least === undefined || this.lastLiveBytes < least.bytes) {
      this.#least.set(span, { atMs: nowMs, bytes: this.lastLiveBytes })
    }
  }

  /** Bytes an hour by linear regression, after the warm-up; undefined for a run too short to tell. */
  get heapSlope(): number | undefined {
    return this.#least.size < MIN_SPANS ? undefined : slope([...this.#least.values()]) * HOUR_MS
  }

  /** Points of the slope. */
  get spanCount(): number {
    return this.#least.size
  }

  delayMs(percentile: number): number {
    return this.#delay.percentile(percentile) / NS_PER_MS
  }
}

/** Of the least squares' line, in bytes a millisecond. */
function slope(samples: readonly Sample[]): number {
  const meanMs = samples.reduce((sum, { atMs }) => sum + atMs, 0) / samples.length
  const meanBytes = samples.reduce((sum, { bytes }) => sum + bytes, 0) / samples.length
  let covariance = 0
  let variance = 0
  for (const { atMs, bytes } of samples) {
    covariance += (atMs - meanMs) * (bytes - meanBytes)
    variance += (atMs - meanMs) ** 2
  }
  return covariance / variance
}

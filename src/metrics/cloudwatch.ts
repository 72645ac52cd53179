/**
 * 'kinesis-producer/cloudwatch': the KPL's metrics under its names, units and dimensions, uploaded as the KPL does it or
 * written as log lines in embedded metric format.
 * Invariant: what could not be uploaded is merged into the next upload and never dropped; uploads do not overlap; after
 * `close` there is no timer. An upload whose answer was lost, or did not come within 10 s, may count twice.
 */

import { numberFrom } from '../consumer/deaggregate/given-options.ts'
import { errorText } from '../model/errors.ts'
import type { Logger, Timer } from '../model/ports.ts'
import { guardedLogger } from '../producer/guarded-logger.ts'
import { emitWarning } from '../system.ts'
import {
  type CloudWatchOptions,
  type ResolvedCloudWatchOptions,
  resolveCloudWatchOptions
} from './cloudwatch-options.ts'
import { DimensionTree } from './dimension-tree.ts'
import { assertGivenOptions, assertSource } from './given.ts'
import { type MetricsSource, MetricsWindow } from './metrics-window.ts'

export type { CloudWatchOptions } from './cloudwatch-options.ts'
export type { ExtraDimension, Granularity } from './dimension-tree.ts'
export type { MetricLevel } from './metric-entry.ts'
export type { CloudWatchClientLike } from './metric-sinks.ts'
export type { MetricsSource } from './metrics-window.ts'

const CLOSE_TIMEOUT_MS = 10_000

/**
 * Exports the metrics of one or more producers until it is closed. Its timer keeps the process alive: close it after the
 * producers.
 *
 * @example
 * const metrics = new CloudWatchMetrics(producer, { write: line => console.log(line) })
 * // ... put, and before the process ends:
 * await producer.close()
 * await metrics.close()
 */
export class CloudWatchMetrics implements AsyncDisposable {
  readonly #options: ResolvedCloudWatchOptions
  readonly #windows: readonly MetricsWindow[]
  readonly #pending: DimensionTree
  readonly #cut = new AbortController()
  readonly #logger: Logger | undefined
  #timer: Timer | undefined
  #nextMs: number
  #uploading: Promise<void> = Promise.resolve()
  #uploadCount = 0
  #closing: Promise<void> | undefined

  /** Throws OptionsError (KPL_ERR_INVALID_OPTIONS), and RangeError when a producer has too many windows. */
  constructor(producers: MetricsSource | readonly MetricsSource[], options: CloudWatchOptions) {
    this.#options = resolveCloudWatchOptions(options)
    const { level, granularity, dimensions, clock, uploadDelayMs } = this.#options
    const { logger } = this.#options
    this.#logger = logger && guardedLogger(logger, clock)
    this.#pending = new DimensionTree({ level: level === 'none' ? 'summary' : level, granularity, dimensions })
    this.#nextMs = clock.nowMs() + uploadDelayMs
    this.#windows = level === 'none' ? [] : windowsOf([producers].flat())
    if (level !== 'none') this.#arm()
  }

  /**
   * Uploads what came since the last upload, and what that left. Rejects with the first failure; nothing is lost by it.
   *
   * @example
   * const metrics = new CloudWatchMetrics(producer, { write: line => console.log(line), uploadDelayMs: Infinity })
   * await producer.flush()
   * await metrics.flush()
   */
  flush(): Promise<void> {
    this.#uploadCount++
    const upload = this.#uploading.then(() => this.#upload())
    // The next flush waits for this one, but does not fail with it.
    this.#uploading = upload.then(
      () => this.#ended(),
      () => this.#ended()
    )
    return upload
  }

  /**
   * Uploads the rest, once, within `timeoutMs` (10 s), and stops. Rejects when that failed: then the rest is lost. Later calls
   * settle as the first one. Rejects with OptionsError, and stops nothing, for a wrong argument.
   *
   * @example
   * const metrics = new CloudWatchMetrics(producer, { write: line => console.log(line) })
   * await producer.close()
   * await metrics.close({ timeoutMs: 2_000 })
   */
  async close(
    options: {
      /** Longest time for the last upload. Default: 10,000. */
      readonly timeoutMs?: number
    } = {}
  ): Promise<void> {
    assertGivenOptions('close', options, { timeoutMs: numberFrom(0) })
    this.#closing ??= this.#close(options.timeoutMs ?? CLOSE_TIMEOUT_MS)
    return this.#closing
  }

  /**
   * Closes the exporter at the end of an `await using` block: as `close()`.
   *
   * @example
   * await using metrics = new CloudWatchMetrics(producer, { write: line => console.log(line) })
   * await producer.put({ partitionKey: 'user-1', data: 'hello' })
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    const { clock } = this.#options
    this.#timer?.cancel()
    const deadline = clock.schedule(clock.nowMs() + timeoutMs, () => this.#cut.abort())
    try {
      await this.flush()
    } finally {
      deadline.cancel()
      for (const window of this.#windows) window.close()
    }
  }

  #ended(): void {
    this.#uploadCount--
  }

  async #upload(): Promise<void> {
    for (const window of this.#windows) {
      const stats = window.readStats()
      if (stats !== undefined) this.#pending.addProducer(stats)
    }
    if (this.#pending.size === 0) return
    const { data, error } = await this.#options.sink.put(this.#pending.takeAll(), this.#cut.signal)
    this.#pending.restore(data)
    if (data.length > 0) throw error
  }

  /** A fixed schedule from the start, as the KPL has it; an upload that takes longer makes the next one wait a turn. */
  #arm(): void {
    if (this.#nextMs === Number.POSITIVE_INFINITY) return
    this.#timer = this.#options.clock.schedule(this.#nextMs, () => {
      const nowMs = this.#options.clock.nowMs()
      const { uploadDelayMs } = this.#options
      this.#nextMs += uploadDelayMs * (Math.floor((nowMs - this.#nextMs) / uploadDelayMs) + 1)
      this.#arm()
      if (this.#uploadCount === 0) this.flush().catch((error: unknown) => this.#report(error))
    })
  }

  #report(error: unknown): void {
    const text = errorText(error)
    const logger = this.#logger
    if (logger === undefined) emitWarning('KPL_WARN_METRICS_UPLOAD', `metrics upload failed, will go again: ${text}`)
    else logger.warn('metrics upload failed, will go again', { error: text })
  }
}

/** Returns a window on each producer, or on none: a producer has few. */
function windowsOf(producers: readonly MetricsSource[]): MetricsWindow[] {
  for (const producer of producers) assertSource('CloudWatchMetrics', producer, 'producers')
  const windows: MetricsWindow[] = []
  try {
    for (const producer of producers) windows.push(new MetricsWindow(producer))
    return windows
  } catch (error) {
    for (const window of windows) window.close()
    throw error
  }
}

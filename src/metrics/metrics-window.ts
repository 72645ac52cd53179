/**
 * A window on a producer's metrics: each look tells what came since the look before, with the least and greatest of just
 * that span. Any number of users may look at their own pace, each through a window of its own.
 * Invariant: a window changes neither `stats()` nor any other window; every sample is in exactly one look of a window.
 */
import type { StatsCursor } from '../stats/statistics.ts'
import type { ProducerStats } from '../stats/stats.ts'
import type { StreamReading } from '../stats/stream-stats.ts'
import { assertSource } from './given.ts'

/** The source of metrics: a KinesisProducer is one. */
export interface MetricsSource {
  /** A wrapper of a producer hands `window` on as it is: it is the place of a `MetricsWindow`, and no promise of this library. */
  stats(window?: object): ProducerStats
}

/** Statistic sets and errors of one span, by stream. */
export type WindowReading = Readonly<Record<string, StreamReading>>

/**
 * A window on a producer's metrics. Each `read` returns what came since the one before, and changes no other window.
 *
 * @example
 * const window = new MetricsWindow(producer)
 * await producer.put({ partitionKey: 'user-1', data: 'hello' })
 * window.read()['orders']?.metrics.UserRecordsPut.sum // => 1
 * window.close()
 */
export class MetricsWindow {
  readonly #source: MetricsSource
  readonly #cursor: StatsCursor = { isOpen: false, isClosed: false }

  /**
   * The first window begins here. Throws RangeError when the producer has 16 open windows (`MAX_WINDOWS`), and OptionsError for
   * a value that is not a producer.
   */
  constructor(source: MetricsSource) {
    assertSource('MetricsWindow', source, 'source')
    this.#source = source
    this.#look()
  }

  /**
   * Returns what came since the look before, by stream. Cost: O(streams x shards).
   *
   * @example
   * const window = new MetricsWindow(producer)
   * await producer.putMany(records)
   * const { metrics, errorsByCode } = window.read()['orders']!
   * metrics.UserRecordsPut.sum // => 3
   * errorsByCode // => {}
   */
  read(): WindowReading {
    return this.readStats()?.window ?? {}
  }

  /**
   * Returns all of `stats()`, with the same as `read` in its `window`; undefined once the window is closed.
   *
   * @example
   * const window = new MetricsWindow(producer)
   * window.readStats()?.window // => {}
   */
  readStats(): ProducerStats | undefined {
    return this.#cursor.isClosed ? undefined : this.#look()
  }

  /**
   * Frees the window's place. Further looks are empty.
   *
   * @example
   * const window = new MetricsWindow(producer)
   * window.close()
   * window.readStats() // => undefined
   */
  close(): void {
    this.#cursor.isClosed = true
  }

  #look(): ProducerStats {
    const stats = this.#source.stats(this.#cursor)
    if (stats.window === undefined) throw new TypeError('stats(cursor) gave no window: it must hand its cursor on')
    return stats
  }
}

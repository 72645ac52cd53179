/**
 * Puts numbered records at a steady pace and remembers every answer.
 * Invariant: record i has the content of `dataOf(i)` under `keyOf(i)`; `answers[i]` is set once, when it settles.
 */

import { build, type Histogram } from 'hdr-histogram-js'
import type { KinesisProducer, PutResult, RecordFailedError } from '../../src/index.ts'

export type Answer = PutResult | RecordFailedError

export interface WorkloadOptions {
  readonly records: number
  readonly recordsPerSecond: number
  readonly signal: AbortSignal
  /** Called before the record that reaches each part of the work. */
  readonly events: readonly { readonly atPart: number; run(): void }[]
}

const KEY_COUNT = 10_000
export const RECORD_BYTES = 100
const TICK_MS = 5
const STEPS_PER_MS = 10

export function keyOf(index: number): string {
  return `customer-${(index * 7919) % KEY_COUNT}`
}

export function dataOf(index: number): string {
  return `record ${index} `.padEnd(RECORD_BYTES, '.')
}

export class Workload {
  readonly answers: (Answer | undefined)[] = []
  /** Put-to-ack in tenths of a millisecond, by part of the run: before and after the first disturbance. */
  readonly calm: Histogram = newHistogram()
  readonly whole: Histogram = newHistogram()
  readonly #producer: KinesisProducer
  readonly #options: WorkloadOptions
  #isCalm = true
  peakBufferedBytes = 0

  constructor(producer: KinesisProducer, options: WorkloadOptions) {
    this.#producer = producer
    this.#options = options
  }

  get put(): number {
    return this.answers.length
  }

  /** From now on latencies no longer count as undisturbed. */
  disturb(): void {
    this.#isCalm = false
  }

  async run(): Promise<void> {
    const { records, recordsPerSecond, signal, events } = this.#options
    const pending = [...events].sort((left, right) => left.atPart - right.atPart)
    const startMs = performance.now()
    let paceStart = 0
    while (this.put < records && !signal.aborted) {
      const due = Math.floor(((performance.now() - startMs) * recordsPerSecond) / 1000) - paceStart
      while (this.put < Math.min(records, due)) {
        while (pending[0] !== undefined && this.put >= pending[0].atPart * records) pending.shift()?.run()
        if (this.#tryPut(this.put)) continue
        const waitStartMs = performance.now()
        await this.#producer.ready()
        // A full buffer delays the pace; it is not made up for by a burst.
        paceStart += Math.floor(((performance.now() - waitStartMs) * recordsPerSecond) / 1000)
        break
      }
      this.peakBufferedBytes = Math.max(this.peakBufferedBytes, this.#producer.stats().bufferedBytes)
      await new Promise(resolve => setTimeout(resolve, TICK_MS))
    }
  }

  #tryPut(index: number): boolean {
    const acceptedMs = performance.now()
    const isCalm = this.#isCalm
    const isTaken = this.#producer.tryPut({ partitionKey: keyOf(index), data: dataOf(index) }, (error, result) => {
      this.answers[index] = error ?? result
      if (result === undefined) return
      const steps = Math.round((performance.now() - acceptedMs) * STEPS_PER_MS)
      this.whole.recordValue(steps)
      if (isCalm && this.#isCalm) this.calm.recordValue(steps)
    })
    if (isTaken) this.answers.push(undefined)
    return isTaken
  }
}

/** A percentile of one of the histograms above, in milliseconds. */
export function percentileMs(histogram: Histogram, percentile: number): number {
  return histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percentile) / STEPS_PER_MS
}

function newHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 36_000_000, numberOfSignificantValueDigits: 3 })
}

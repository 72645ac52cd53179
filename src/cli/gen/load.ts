/**
 * The result of a load test: latencies from the moment a record was due, and a sample each second.
 * Invariant: a record that could not be put in time counts from when it was due, so a slow service cannot make its own figures
 * look good (the omission that open-loop generators are known for).
 */
import type { Clock, KinesisProducer, RecordFailedError, UserRecord } from '../../index.ts'
import { shownError } from '../errors.ts'
import type { ErrorLines } from '../output/error-lines.ts'
import { totalsOf } from '../put/totals.ts'
import { LatencyHistogram } from './latency-histogram.ts'
import type { LoadSecond } from './load-seconds.ts'

export interface LoadOptions {
  readonly clock: Clock
  readonly producer: KinesisProducer
  readonly errors: Pick<ErrorLines, 'tell'>
  /** Told each second what was seen in it. */
  onSecond(second: LoadSecond): void
}

/** The result of a run, or of a slice of it. */
export interface LoadFigures {
  readonly put: number
  readonly bytes: number
  readonly delivered: number
  readonly failed: number
  readonly dropped: number
  readonly scheduleSeconds: number
  readonly ackSeconds: number
}

const SECOND_MS = 1000

export class Load {
  put = 0
  bytes = 0
  delivered = 0
  failed = 0
  /** Records that were due and never put, because the debt was above a second. */
  dropped = 0
  readonly total = new LatencyHistogram()
  readonly #options: LoadOptions
  readonly #startMs: number
  #seconds = 0
  #second = new LatencyHistogram()
  #last = { due: 0, delivered: 0, throttled: 0, failed: 0 }
  #refusal: RecordFailedError | undefined

  constructor(options: LoadOptions) {
    this.#options = options
    this.#startMs = options.clock.nowMs()
  }

  get elapsedMs(): number {
    return this.#options.clock.nowMs() - this.#startMs
  }

  get figures(): LoadFigures {
    const { put, bytes, delivered, failed, dropped, scheduleSeconds, ackSeconds } = this
    return { put, bytes, delivered, failed, dropped, scheduleSeconds, ackSeconds }
  }

  /** The failure after which nothing can be sent any more. */
  get refusal(): RecordFailedError | undefined {
    return this.#refusal
  }

  get unsettled(): number {
    return this.put - this.delivered - this.failed
  }

  /** Until when records were due, and until when they were acknowledged, in seconds since the start. */
  scheduleSeconds = 0
  ackSeconds = 0

  /** Nothing more becomes due. */
  endSchedule(): void {
    this.scheduleSeconds = this.elapsedMs / SECOND_MS
  }

  /** Returns false when the producer is full. `dueMs` is when the record was due, since the start. */
  tryPut(record: UserRecord, dueMs: number, isRefusal: (error: unknown) => boolean): boolean {
    const isTaken = this.#options.producer.tryPut(record, error => {
      if (error === undefined) {
        this.delivered++
        const elapsedMs = this.elapsedMs
        this.ackSeconds = elapsedMs / SECOND_MS
        const latencyMs = Math.max(0, elapsedMs - dueMs)
        this.total.add(latencyMs)
        this.#second.add(latencyMs)
        return
      }
      this.failed++
      this.#options.errors.tell(error.code, error.message, shownError(error).fix)
      if (isRefusal(error)) this.#refusal ??= error
    })
    if (!isTaken) return false
    this.put++
    this.bytes += record.data.length
    return true
  }

  /** Ends the present second if it is over. `due` is the number of records due since the start. */
  sample(due: number): void {
    if (this.elapsedMs >= (this.#seconds + 1) * SECOND_MS) this.#take(due)
  }

  /** Ends the last second, however short. */
  finish(due: number): void {
    if (this.#second.count > 0 || due > this.#last.due) this.#take(due)
  }

  #take(due: number): void {
    const { throttled } = totalsOf(this.#options.producer.stats())
    const { delivered, failed } = this
    this.#options.onSecond({
      second: this.#seconds++,
      due: due - this.#last.due,
      delivered: delivered - this.#last.delivered,
      throttled: throttled - this.#last.throttled,
      failed: failed - this.#last.failed,
      latencies: this.#second.data
    })
    this.#last = { due, delivered, throttled, failed }
    this.#second = new LatencyHistogram()
  }
}

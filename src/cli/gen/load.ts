/**
 * What a load test saw: latencies from the moment a record was due, and a sample each second.
 * Invariant: a record that could not be put in time counts from when it was due, so a slow service cannot make its own figures
 * look good (the omission that open-loop generators are known for).
 */
import type { KinesisProducer, RecordFailedError, UserRecord } from '../../index.ts'
import { shownError } from '../errors.ts'
import { totalsOf } from '../put/totals.ts'
import type { Session } from '../session.ts'
import { LatencyHistogram } from './latency-histogram.ts'

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

const SECOND_MS = 1000

export class Load {
  put = 0
  bytes = 0
  delivered = 0
  failed = 0
  /** Records that were due and never put, because the debt was above a second. */
  dropped = 0
  readonly total = new LatencyHistogram()
  readonly samples: LoadSample[] = []
  readonly #session: Session
  readonly #producer: KinesisProducer
  readonly #startMs: number
  #second = new LatencyHistogram()
  #last = { due: 0, delivered: 0, throttled: 0, failed: 0 }
  #refusal: RecordFailedError | undefined

  constructor(session: Session, producer: KinesisProducer) {
    this.#session = session
    this.#producer = producer
    this.#startMs = session.host.clock.nowMs()
  }

  get elapsedMs(): number {
    return this.#session.host.clock.nowMs() - this.#startMs
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
    const isTaken = this.#producer.tryPut(record, error => {
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
      this.#session.errors.tell(error.code, error.message, shownError(error).fix)
      if (isRefusal(error)) this.#refusal ??= error
    })
    if (!isTaken) return false
    this.put++
    this.bytes += record.data.length
    return true
  }

  /** Ends the present second if it is over. `due` is the number of records due since the start. */
  sample(due: number): void {
    const second = this.samples.length
    if (this.elapsedMs < (second + 1) * SECOND_MS) return
    this.#take(second, due)
  }

  /** Ends the last second, however short. */
  finish(due: number): void {
    if (this.#second.count > 0 || due > this.#last.due) this.#take(this.samples.length, due)
  }

  #take(second: number, due: number): void {
    const { throttled } = totalsOf(this.#producer.stats())
    const { delivered, failed } = this
    this.samples.push({
      second,
      due: due - this.#last.due,
      delivered: delivered - this.#last.delivered,
      throttled: throttled - this.#last.throttled,
      failed: failed - this.#last.failed,
      p50Ms: this.#second.percentileMs(50),
      p99Ms: this.#second.percentileMs(99)
    })
    this.#last = { due, delivered, throttled, failed }
    this.#second = new LatencyHistogram()
  }
}

/**
 * What a request that failed as a whole means for its entries: a batch and its error enter; every entry is sent back,
 * sent in a smaller piece, or failed.
 * Invariant: each entry of the batch meets exactly one of these fates, and nothing is dropped for an unknown error.
 */

import { assertNever, type TransportError } from '../model/errors.ts'
import type { Failure } from '../model/exchange.ts'
import type { Batch, KinesisRecord } from '../model/kinesis-record.ts'
import type { Persisted } from '../model/results.ts'
import { classifyRequestError } from '../model/service-errors.ts'
import type { StreamTelemetry } from '../stats/telemetry.ts'
import { recordAttempt } from './members.ts'
import type { Outbox } from './outbox.ts'
import { cannotSend, refusedBy } from './settlement.ts'

export interface FailurePorts {
  /** The same bytes again. */
  retrySealed(record: KinesisRecord, persisted: Persisted): void
  /** Every member again, each by itself. */
  retryAlone(record: KinesisRecord): void
  fail(record: KinesisRecord, failure: Failure): void
  /** The refusal is believed: everything that waits for the stream fails. */
  refuseStream(failure: Failure): void
}

export interface FailureContext {
  readonly streamName: string
  readonly failIfThrottled: boolean
  readonly outbox: Outbox
  readonly telemetry: StreamTelemetry
  readonly ports: FailurePorts
}

/** Refusals of lone records in a row, without a success, after which the request is at fault and not the record. */
const MAX_LONE_REJECTIONS = 8

export class RequestFailures {
  readonly #context: FailureContext
  #loneRejections = 0

  constructor(context: FailureContext) {
    this.#context = context
  }

  /** The stream took a record: what is refused from now on is refused for what it is. */
  succeeded(): void {
    this.#loneRejections = 0
  }

  handle(batch: Batch, error: TransportError, startMs: number, nowMs: number): void {
    const { streamName, failIfThrottled, outbox, telemetry, ports } = this.#context
    const verdict = classifyRequestError(error)
    const attempt = { startMs, endMs: nowMs, errorCode: error.errorCode, errorMessage: error.message }
    for (const record of batch.entries) recordAttempt(record, attempt)
    const userRecords = batch.entries.reduce((count, { members }) => count + members.count, 0)
    telemetry.error(error.errorCode, '', userRecords)
    switch (verdict) {
      case 'rejected':
        outbox.breaker.reached()
        this.#halve(batch, refusedBy(streamName, 'KPL_ERR_REJECTED', error))
        return
      case 'throttled': {
        outbox.breaker.reached()
        this.#backOff(batch, startMs, nowMs, true)
        const failure = refusedBy(streamName, 'KPL_ERR_THROTTLED', error)
        for (const record of batch.entries) {
          if (failIfThrottled) ports.fail(record, failure)
          else ports.retrySealed(record, 'no')
        }
        return
      }
      case 'refused':
      case 'local': {
        const isHere = verdict === 'local'
        const { breaker } = outbox
        const isFinal = isHere ? breaker.refusedHere(startMs, nowMs) : breaker.refused(startMs, nowMs)
        const refusal = isHere ? cannotSend(streamName, error) : refusedBy(streamName, 'KPL_ERR_REJECTED', error)
        for (const record of batch.entries) ports.retrySealed(record, 'no')
        if (isFinal) ports.refuseStream(refusal)
        return
      }
      case 'outage':
      case 'ambiguous':
        outbox.breaker.failed(startMs, nowMs)
        this.#backOff(batch, startMs, nowMs, false)
        for (const record of batch.entries) ports.retrySealed(record, verdict === 'ambiguous' ? 'maybe' : 'no')
        return
      default:
        assertNever(verdict)
    }
  }

  #backOff(batch: Batch, startMs: number, nowMs: number, isThrottled: boolean): void {
    for (const { predictedShard } of batch.entries) {
      this.#context.outbox.limiter.failed(predictedShard, startMs, nowMs, isThrottled)
    }
  }

  /**
   * One of the entries made the service refuse them all: each half goes by itself, until the culprit is alone. A lone
   * aggregate may be too large only as a whole, so its members get a chance of their own before they fail.
   */
  #halve({ entries }: Batch, failure: Failure): void {
    const { outbox, ports } = this.#context
    const isRequestAtFault = this.#loneRejections >= MAX_LONE_REJECTIONS
    if (entries.length > 1 && !isRequestAtFault) {
      const middle = entries.length >> 1
      outbox.addIsolated(entries.slice(0, middle))
      outbox.addIsolated(entries.slice(middle))
      return
    }
    this.#loneRejections++
    for (const record of entries) {
      if (record.members.count > 1 && !isRequestAtFault) ports.retryAlone(record)
      else ports.fail(record, failure)
    }
  }
}

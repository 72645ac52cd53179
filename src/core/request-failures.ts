/**
 * What a request that failed as a whole means for its entries: a batch and its error enter, a decision leaves for each entry,
 * or the word that the batch goes again in halves.
 * Invariant: there is a decision for every entry, and nothing is dropped for an unknown error.
 */

import { assertNever, type TransportError } from '../model/errors.ts'
import type { Failure } from '../model/exchange.ts'
import type { Batch } from '../model/kinesis-record.ts'
import { classifyRequestError } from '../model/service-errors.ts'
import type { StreamTelemetry } from '../stats/telemetry.ts'
import { recordAttempt } from './members.ts'
import type { Outbox } from './outbox.ts'
import type { Decision } from './retrier.ts'
import { cannotSend, refusedBy } from './settlement.ts'

/** What a failed request means. */
export type RequestDecision =
  /** One of the entries is at fault: each half goes by itself. */
  | { readonly kind: 'halve' }
  /** In the order of the entries. `refusal`: the service means the stream, and whatever waits for it should fail. */
  | { readonly kind: 'each'; readonly decisions: readonly Decision[]; readonly refusal?: Failure }

export interface FailureContext {
  readonly streamName: string
  readonly failIfThrottled: boolean
  readonly outbox: Outbox
  readonly telemetry: StreamTelemetry
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

  /** Returns what is to be done; lanes and breaker know of the failure afterwards. */
  decide(batch: Batch, error: TransportError, startMs: number, nowMs: number): RequestDecision {
    const { streamName, failIfThrottled, outbox, telemetry } = this.#context
    const verdict = classifyRequestError(error)
    const attempt = { startMs, endMs: nowMs, errorCode: error.errorCode, errorMessage: error.message }
    for (const record of batch.entries) recordAttempt(record, attempt)
    const userRecords = batch.entries.reduce((count, { members }) => count + members.count, 0)
    telemetry.error(error.errorCode, '', userRecords)
    switch (verdict) {
      case 'rejected':
        outbox.breaker.reached()
        return this.#halve(batch, refusedBy(streamName, 'KPL_ERR_REJECTED', error))
      case 'throttled': {
        outbox.breaker.reached()
        this.#backOff(batch, startMs, nowMs, true)
        const failure = refusedBy(streamName, 'KPL_ERR_THROTTLED', error)
        return alike(batch, failIfThrottled ? { kind: 'fail', failure } : { kind: 'retrySealed', persisted: 'no' })
      }
      case 'refused':
      case 'local': {
        const isHere = verdict === 'local'
        const { breaker } = outbox
        const isFinal = isHere ? breaker.refusedHere(startMs, nowMs) : breaker.refused(startMs, nowMs)
        const refusal = isHere ? cannotSend(streamName, error) : refusedBy(streamName, 'KPL_ERR_REJECTED', error)
        const again = alike(batch, { kind: 'retrySealed', persisted: 'no' })
        return isFinal ? { ...again, refusal } : again
      }
      case 'outage':
      case 'ambiguous':
        outbox.breaker.failed(startMs, nowMs)
        this.#backOff(batch, startMs, nowMs, false)
        return alike(batch, { kind: 'retrySealed', persisted: verdict === 'ambiguous' ? 'maybe' : 'no' })
      default:
        return assertNever(verdict)
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
  #halve({ entries }: Batch, failure: Failure): RequestDecision {
    const isRequestAtFault = this.#loneRejections >= MAX_LONE_REJECTIONS
    if (entries.length > 1 && !isRequestAtFault) return { kind: 'halve' }
    this.#loneRejections++
    const decisions = entries.map(
      ({ members }): Decision =>
        members.count > 1 && !isRequestAtFault ? { kind: 'retryMembers', alone: true } : { kind: 'fail', failure }
    )
    return { kind: 'each', decisions }
  }
}

function alike({ entries }: Batch, decision: Decision): Extract<RequestDecision, { kind: 'each' }> {
  return { kind: 'each', decisions: entries.map(() => decision) }
}

/**
 * Spells in which a stream cannot be asked: its breaker is open, or a listing fails again and again. The ends of requests
 * and calls enter; a line leaves when a spell begins, and one when it ends.
 * Example: 5 requests fail, the breaker opens -> "breaker opened"; 300 probes fail; one is answered -> "breaker closed".
 * Invariant: one line at each end of a spell, however many failures it has; memory is one entry for each stream in trouble.
 */

import { safeText, type TransportError } from '../model/errors.ts'
import type { Outcome } from '../model/exchange.ts'
import { classifyRequestError } from '../model/service-errors.ts'
import type { LogLine } from './log-line.ts'

interface BreakerSpell {
  failedRequests: number
  /** Unset while the breaker is still closed. */
  openedMs: number | undefined
}

interface CallSpell {
  readonly startMs: number
  failedCalls: number
}

/** A stream's calls that are no PutRecords. */
export type ControlCall = 'ListShards' | 'DescribeStreamSummary'

export class OutageSpells {
  readonly #breakers = new Map<string, BreakerSpell>()
  readonly #calls = new Map<string, CallSpell>()

  /** A PutRecords request ended, and was acted upon. `endpoint`: host and port, when the transport tells. */
  requestEnded(
    streamName: string,
    outcome: Outcome,
    isBreakerOpen: boolean,
    endpoint: string | undefined
  ): LogLine | undefined {
    const { endMs } = outcome
    const error = outcome.kind === 'failed' ? outcome.error : undefined
    const spell = this.#breakers.get(streamName)
    if (error !== undefined && !isReached(error)) {
      const current = spell ?? { failedRequests: 0, openedMs: undefined }
      this.#breakers.set(streamName, current)
      current.failedRequests++
      if (!isBreakerOpen || current.openedMs !== undefined) return undefined
      current.openedMs = endMs
      const { failedRequests } = current
      const fields = {
        streamName,
        errorCode: error.errorCode,
        error: safeText(error.message),
        endpoint,
        failedRequests
      }
      return { message: 'breaker opened', fields }
    }
    if (spell === undefined || isBreakerOpen) return undefined
    this.#breakers.delete(streamName)
    if (spell.openedMs === undefined) return undefined
    const fields = { streamName, openMs: endMs - spell.openedMs, failedRequests: spell.failedRequests }
    return { message: 'breaker closed', fields }
  }

  /** A call ended; `error`: with this text. */
  callEnded(streamName: string, call: ControlCall, nowMs: number, error: string | undefined): LogLine | undefined {
    const key = `${call} ${streamName}`
    const spell = this.#calls.get(key)
    if (error !== undefined) {
      if (spell !== undefined) spell.failedCalls++
      else this.#calls.set(key, { startMs: nowMs, failedCalls: 1 })
      return spell === undefined ? { message: `${call} failed`, fields: { streamName, error } } : undefined
    }
    if (spell === undefined) return undefined
    this.#calls.delete(key)
    const fields = { streamName, failingMs: nowMs - spell.startMs, failedCalls: spell.failedCalls }
    return { message: `${call} works again`, fields }
  }
}

/** Whether the service took the request in and found fault with what was in it, or with its rate. */
function isReached(error: TransportError): boolean {
  const verdict = classifyRequestError(error)
  return verdict === 'throttled' || verdict === 'rejected'
}

/**
 * The last station: members and their common fate enter, each member's callback is called.
 * Settlements wait in a queue until the streams are at rest, so a callback may put, flush or close.
 * Invariant: every accepted record passes here exactly once (an aborted one passed when it was aborted); its budget is
 * released and its number settled whether or not its callback throws.
 */
import { codedText, RecordFailedError, safeText, type TransportError } from '../model/errors.ts'
import type { Failure, Settlement } from '../model/exchange.ts'
import { attemptsOf, memberFailure } from '../model/failure-story.ts'
import type { AbortTicket, KinesisRecord } from '../model/kinesis-record.ts'
import type { PutResult, SettleCallback } from '../model/results.ts'

/** Returns the failure of records that the service refused under its own code and message. */
export function refusedBy(
  streamName: string,
  code: 'KPL_ERR_REJECTED' | 'KPL_ERR_THROTTLED',
  cause: {
    readonly errorCode?: string | undefined
    readonly message?: string
    readonly errorMessage?: string | undefined
  }
): Failure {
  const serviceCode = safeText(cause.errorCode ?? 'Unknown')
  const text = safeText(cause.errorMessage ?? cause.message ?? '')
  return { code, message: `stream ${streamName}: ${codedText(serviceCode, text)}`, serviceCode }
}

/** Returns the failure of records that cannot be sent at all, in the words of what keeps them here. */
export function cannotSend(streamName: string, error: TransportError): Failure {
  const serviceCode = safeText(error.errorCode)
  const message = `stream ${streamName}: nothing can be sent: ${codedText(serviceCode, safeText(error.message))}`
  return { code: 'KPL_ERR_CANNOT_SEND', message, serviceCode, cause: error.cause ?? error }
}

/** Returns the failure of records whose time to live is over. */
export function expired(recordTtlMs: number, { predictedShard }: KinesisRecord): Failure {
  return {
    code: 'KPL_ERR_EXPIRED',
    message: `not acknowledged within recordTtlMs (${recordTtlMs} ms)`,
    predictedShard
  }
}

/**
 * Calls each member's callback, then tells `onSettled` its number: a flush ends after the last callback, not before it.
 * `onThrow` is told of a callback that threw. Members that were aborted were called back then.
 */
export function callBack(
  settlement: Settlement,
  onSettled: (number: number) => void,
  onThrow: (error: unknown) => void
): void {
  const { members } = settlement
  for (let i = 0; i < members.count; i++) {
    const settle = callbackOf(members.settles[i])
    if (settle === undefined) continue
    members.settles[i] = undefined
    try {
      const { failure } = settlement
      const returned: unknown =
        failure === undefined
          ? settle(undefined, resultOf(settlement, i))
          : settle(new RecordFailedError(memberFailure(settlement, failure, i)), undefined)
      // An async function is taken for a callback by the types: its rejection is a throw.
      if (returned !== undefined) watch(returned, onThrow)
    } catch (error) {
      onThrow(error)
    }
    onSettled(members.numbers[i]!)
  }
}

function watch(returned: unknown, onThrow: (error: unknown) => void): void {
  const { then } = Object(returned) as { readonly then?: unknown }
  if (typeof then === 'function') then.call(returned, undefined, onThrow)
}

function callbackOf(settle: SettleCallback | AbortTicket | undefined): SettleCallback | undefined {
  if (typeof settle !== 'object') return settle
  settle.members = undefined
  return settle.settle
}

function resultOf(settlement: Settlement, index: number): PutResult {
  // Set by whoever made a settlement without a failure.
  const shardId = settlement.shardId ?? ''
  const sequenceNumber = settlement.sequenceNumber ?? ''
  const attempts = attemptsOf(settlement, index)
  return settlement.isAggregate
    ? { shardId, sequenceNumber, subSequenceNumber: index, attempts }
    : { shardId, sequenceNumber, attempts }
}

/**
 * The last station: members and their common fate enter, each member's callback is called.
 * Settlements wait in a queue until the pipelines are at rest, so a callback may put, flush or close.
 * Invariant: every accepted record passes here exactly once (an aborted one passed when it was aborted); its budget is
 * released and its number settled whether or not its callback throws.
 */
import { type ErrorCode, RecordFailedError, safeText } from '../model/errors.ts'
import type { AbortTicket, KinesisRecord, Members } from '../model/kinesis-record.ts'
import { MAX_ATTEMPTS_KEPT } from '../model/limits.ts'
import type { Attempt, Persisted, PutResult, SettleCallback } from '../model/results.ts'

/** Why members failed. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly serviceCode?: string | undefined
  readonly cause?: unknown
  /** The shard it was meant for, when its members were taken out of the record that knew. */
  readonly predictedShard?: string
}

/** What became of some members. */
export interface Settlement {
  readonly members: Members
  readonly attempts: readonly Attempt[]
  readonly persisted: Persisted
  readonly isAggregate: boolean
  /** Set when delivered. */
  readonly shardId?: string
  readonly sequenceNumber?: string
  /** Set when failed. */
  readonly failure?: Failure
}

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
  return { code, message: `stream ${streamName}: ${serviceCode}${text === '' ? '' : `: ${text}`}`, serviceCode }
}

/** Returns the failure of records whose time to live is over, naming what the last attempt said. */
export function expired(recordTtlMs: number, record: KinesisRecord): Failure {
  const last = record.attempts.at(-1)
  const reason = last === undefined ? 'it was never sent' : `last attempt: ${last.errorCode ?? 'unanswered'}`
  return {
    code: 'KPL_ERR_EXPIRED',
    message: `not acknowledged within recordTtlMs (${recordTtlMs} ms); ${reason}`,
    serviceCode: last?.errorCode,
    predictedShard: record.predictedShard
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
      if (settlement.failure === undefined) settle(undefined, resultOf(settlement, i))
      else settle(failureOf(settlement, settlement.failure, i), undefined)
    } catch (error) {
      onThrow(error)
    }
    onSettled(members.numbers[i]!)
  }
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

function failureOf(settlement: Settlement, failure: Failure, index: number): RecordFailedError {
  const wasMaybe = settlement.members.historyOf(index)?.persisted === 'maybe'
  return new RecordFailedError({
    code: failure.code,
    message: failure.message,
    serviceCode: failure.serviceCode,
    cause: failure.cause,
    persisted: wasMaybe ? 'maybe' : settlement.persisted,
    attempts: attemptsOf(settlement, index)
  })
}

/** The attempts of one member: those from before it was re-aggregated, then those of its present Kinesis record. */
function attemptsOf(settlement: Settlement, index: number): readonly Attempt[] {
  const history = settlement.members.historyOf(index)
  return history === undefined ? settlement.attempts : joinAttempts(history.attempts, settlement.attempts)
}

/** Returns both lists in order, the newest `MAX_ATTEMPTS_KEPT` of them. */
export function joinAttempts(earlier: readonly Attempt[], later: readonly Attempt[]): readonly Attempt[] {
  if (earlier.length === 0) return later
  if (later.length === 0) return earlier
  return [...earlier, ...later].slice(-MAX_ATTEMPTS_KEPT)
}

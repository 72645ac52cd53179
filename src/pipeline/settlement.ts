/**
 * The last station: members and their common fate enter, each member's callback is called.
 * Settlements wait in a queue until the pipelines are at rest, so a callback may put, flush or close.
 * Invariant: every accepted record passes here exactly once (an aborted one passed when it was aborted); its budget is
 * released and its number settled whether or not its callback throws.
 */
import { codedText, type ErrorCode, RecordFailedError, safeText, type TransportError } from '../model/errors.ts'
import {
  type AbortTicket,
  type KinesisRecord,
  type Members,
  STREAM_LANE,
  UNROUTED_LANE
} from '../model/kinesis-record.ts'
import { MAX_ATTEMPTS_KEPT } from '../model/limits.ts'
import type { Attempt, Persisted, PutResult, SettleCallback } from '../model/results.ts'

/** Why members failed. A member's own attempts are added to `message` when the code is in `ENDS_WITH_ATTEMPTS`. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly serviceCode?: string | undefined
  readonly cause?: unknown
  /** The shard it was meant for, when its members were taken out of the record that knew. */
  readonly predictedShard?: string
}

/** The code of an attempt that nobody waits for any more. */
export const UNANSWERED = 'Unanswered'

/** Failures that end a wait: the producer's own word, which says nothing of what the service said. */
const ENDS_WITH_ATTEMPTS: ReadonlySet<ErrorCode> = new Set([
  'KPL_ERR_EXPIRED',
  'KPL_ERR_CLOSE_TIMEOUT',
  'KPL_ERR_ABORTED'
])

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

/** What one member is told of its failure, with every attempt since it was put. */
export interface MemberFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly serviceCode: string | undefined
  readonly persisted: Persisted
  readonly attempts: readonly Attempt[]
  readonly cause?: unknown
}

/** Returns what the member at `index` is told. Members of one Kinesis record may have come from different ones. */
export function memberFailure(settlement: Settlement, failure: Failure, index: number): MemberFailure {
  const wasMaybe = settlement.members.historyOf(index)?.persisted === 'maybe'
  const persisted = wasMaybe ? 'maybe' : settlement.persisted
  return failureWith(failure, persisted, attemptsOf(settlement, index))
}

/** Returns a failure as one member is told of it: waiting that ended without the service's word ends with its last word. */
export function failureWith(failure: Failure, persisted: Persisted, attempts: readonly Attempt[]): MemberFailure {
  const { code, message, serviceCode, cause } = failure
  if (!ENDS_WITH_ATTEMPTS.has(code)) return { code, message, serviceCode, persisted, attempts, cause }
  const newestCode = attempts.findLast(
    ({ errorCode }) => errorCode !== undefined && errorCode !== UNANSWERED
  )?.errorCode
  return { code, message: `${message}; ${storyOf(attempts, newestCode)}`, serviceCode: newestCode, persisted, attempts }
}

/** What some members are told alike. */
export interface FailureGroup {
  readonly told: MemberFailure
  readonly userRecords: number
}

/** Returns what the members that have not been called back are told, in groups; none when they were delivered. */
export function failuresOf(settlement: Settlement): FailureGroup[] {
  const { members, failure } = settlement
  if (failure === undefined) return []
  const groups = new Map<string, { told: MemberFailure; userRecords: number }>()
  for (let i = 0; i < members.count; i++) {
    if (members.settles[i] === undefined) continue
    const told = memberFailure(settlement, failure, i)
    const key = `${told.persisted} ${told.attempts.length} ${told.message}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { told, userRecords: 1 })
    else group.userRecords++
  }
  return [...groups.values()]
}

/** The shard that failed members were meant for; undefined while no prediction is known. */
export function shardOf({ members, failure }: Pick<Settlement, 'members' | 'failure'>): string | undefined {
  const shard = failure?.predictedShard ?? members.sealedAs?.predictedShard
  return shard === STREAM_LANE || shard === UNROUTED_LANE ? undefined : shard
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
      else settle(new RecordFailedError(memberFailure(settlement, settlement.failure, i)), undefined)
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

function storyOf(attempts: readonly Attempt[], newestCode: string | undefined): string {
  const last = attempts.at(-1)
  if (last === undefined) return 'it was never sent'
  const before = last.errorCode === UNANSWERED && newestCode !== undefined ? `, before it: ${newestCode}` : ''
  return `last attempt: ${last.errorCode ?? UNANSWERED}${before}`
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

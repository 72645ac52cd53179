/**
 * The error of a failed record: the story of all its attempts, also of those before it was packed again.
 * Invariant: a member's story is its own; members of one Kinesis record may have come from different ones.
 */
import { codedText, type RecordFailedError } from './errors.ts'
import type { Failed, Failure, Settlement } from './exchange.ts'
import { MAX_ATTEMPTS_KEPT } from './limits.ts'
import type { Attempt, Persisted } from './results.ts'

/** The code of an attempt after the producer stopped waiting for its answer. */
export const UNANSWERED = 'Unanswered'

/** Failures that end a wait: the producer's own word, which says nothing of what the service said. */
const ENDS_WITH_ATTEMPTS: ReadonlySet<RecordFailedError['code']> = new Set([
  'KPL_ERR_EXPIRED',
  'KPL_ERR_CLOSE_TIMEOUT',
  'KPL_ERR_ABORTED'
])

/** The failure of one member, with every attempt since its put. */
export interface MemberFailure {
  readonly code: RecordFailedError['code']
  readonly message: string
  readonly serviceCode: string | undefined
  readonly persisted: Persisted
  readonly attempts: readonly Attempt[]
  readonly cause?: unknown
}

/** Returns the failure of the member at `index`. Members of one Kinesis record may have come from different ones. */
export function memberFailure(settlement: Failed, index: number): MemberFailure {
  const wasMaybe = settlement.members.historyOf(index)?.persisted === 'maybe'
  const persisted = wasMaybe ? 'maybe' : settlement.persisted
  return failureWith(settlement.failure, persisted, attemptsOf(settlement, index))
}

/** Returns a failure for one member. If its waiting ended without an answer of Kinesis, the failure has the last answer. */
export function failureWith(failure: Failure, persisted: Persisted, attempts: readonly Attempt[]): MemberFailure {
  const { code, message, serviceCode, cause } = failure
  if (!ENDS_WITH_ATTEMPTS.has(code)) return { code, message, serviceCode, persisted, attempts, cause }
  const newestCode = attempts.findLast(
    ({ errorCode }) => errorCode !== undefined && errorCode !== UNANSWERED
  )?.errorCode
  return { code, message: `${message}; ${storyOf(attempts, newestCode)}`, serviceCode: newestCode, persisted, attempts }
}

/** The failure that some members have in common. */
export interface FailureGroup {
  readonly told: MemberFailure
  readonly userRecords: number
}

/** Returns the failures of the members whose callbacks have not run, in groups. */
export function failuresOf(settlement: Failed): FailureGroup[] {
  const { members } = settlement
  const groups = new Map<string, { told: MemberFailure; userRecords: number }>()
  for (let i = 0; i < members.count; i++) {
    if (members.settles[i] === undefined) continue
    const told = memberFailure(settlement, i)
    const key = `${told.persisted} ${told.attempts.length} ${told.message}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { told, userRecords: 1 })
    else group.userRecords++
  }
  return [...groups.values()]
}

/** The shard that failed members were meant for; undefined while no prediction is known. */
export function shardOf({ members, failure }: Pick<Failed, 'members'> & Partial<Failed>): string | undefined {
  return failure?.shardId ?? members.sealedAs?.lane.shardId
}

function storyOf(attempts: readonly Attempt[], newestCode: string | undefined): string {
  const last = attempts.at(-1)
  if (last === undefined) return 'it was never sent'
  const before = last.errorCode === UNANSWERED && newestCode !== undefined ? `, before it: ${newestCode}` : ''
  return `last attempt: ${textOf(last)}${before}`
}

/** An attempt in its own words, which name the endpoint where it was not reached. */
function textOf({ errorCode, errorMessage }: Attempt): string {
  if (errorCode === undefined) return UNANSWERED
  return errorMessage === undefined || errorCode === UNANSWERED ? errorCode : codedText(errorCode, errorMessage)
}

/** The attempts of one member: those from before it was re-aggregated, then those of its present Kinesis record. */
export function attemptsOf(settlement: Settlement, index: number): readonly Attempt[] {
  const history = settlement.members.historyOf(index)
  return history === undefined ? settlement.attempts : joinAttempts(history.attempts, settlement.attempts)
}

/** Returns both lists in order, the newest `MAX_ATTEMPTS_KEPT` of them. */
export function joinAttempts(earlier: readonly Attempt[], later: readonly Attempt[]): readonly Attempt[] {
  if (earlier.length === 0) return later
  if (later.length === 0) return earlier
  return [...earlier, ...later].slice(-MAX_ATTEMPTS_KEPT)
}

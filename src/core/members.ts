/**
 * Questions to the user records inside a sealed Kinesis record: its parts, and their histories.
 * Invariant: reads only; a sealed record's bytes and members stay as they are.
 */

import { safeText } from '../model/errors.ts'
import type { Failure } from '../model/exchange.ts'
import { failureWith, joinAttempts, type MemberFailure, UNANSWERED } from '../model/failure-story.ts'
import type { History, KinesisRecord, Members } from '../model/kinesis-record.ts'
import { MAX_ATTEMPTS_KEPT } from '../model/limits.ts'
import type { PutRecordsAnswer } from '../model/ports.ts'
import type { Attempt } from '../model/results.ts'
import { decodeEnvelope, type EnvelopeMember } from '../wire/decode.ts'
import { HASH_KEY_WORDS, type HashRange, hashPartitionKey, readHashKey } from '../wire/hash-key.ts'

/** The code of an attempt that was stored in a shard whose range does not hold all members. KPL: "Wrong Shard". */
export const WRONG_SHARD = 'WrongShard'

/** Returns the user records of a Kinesis record in order; `data` are views. */
export function membersOf(record: KinesisRecord): EnvelopeMember[] {
  if (record.isAggregate) return decodeEnvelope(record.data)
  const { partitionKey, explicitHashKey, data } = record
  return [{ partitionKey, explicitHashKey, data }]
}

/** Whether every member's hash key lies in the range. Decodes and hashes: only asked of records that landed elsewhere. */
export function areMembersInRange(record: KinesisRecord, range: HashRange): boolean {
  const words = new Uint32Array(HASH_KEY_WORDS)
  return membersOf(record).every(member => {
    if (member.explicitHashKey === undefined) hashPartitionKey(member.partitionKey, words)
    const hashKey = member.explicitHashKey === undefined ? readHashKey(words) : BigInt(member.explicitHashKey)
    return hashKey >= range.start && hashKey <= range.end
  })
}

/** Adds to a record's history, keeping the newest attempts. */
export function recordAttempt(record: KinesisRecord, attempt: Attempt): void {
  record.attempts.push(attempt)
  if (record.attempts.length > MAX_ATTEMPTS_KEPT) record.attempts.shift()
}

/** Returns the attempt that the core does not wait for any more. */
export function unanswered(startMs: number, endMs: number): Attempt {
  return {
    startMs,
    endMs,
    errorCode: UNANSWERED,
    errorMessage: 'the producer gave the request up before its answer came'
  }
}

/** Returns an answer as an attempt of the record's history. */
export function attemptOf(
  answer: PutRecordsAnswer,
  isMisrouted: boolean,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number }
): Attempt {
  const { shardId, sequenceNumber, errorCode, errorMessage } = answer
  const error = isMisrouted
    ? { errorCode: WRONG_SHARD, errorMessage: 'stored in a shard whose hash key range does not hold every user record' }
    : {
        ...(errorCode === undefined ? undefined : { errorCode: safeText(errorCode) }),
        ...(errorMessage === undefined ? undefined : { errorMessage: safeText(errorMessage) })
      }
  return {
    startMs,
    endMs,
    ...(shardId === undefined ? undefined : { shardId }),
    ...(sequenceNumber === undefined ? undefined : { sequenceNumber }),
    ...error
  }
}

const TAKEN_BACK: Failure = { code: 'KPL_ERR_ABORTED', message: 'the record was taken back by its AbortSignal' }

/** Returns the error of a member that is taken back now. */
export function takenBack(members: Members, index: number, nowMs: number): MemberFailure {
  const { attempts, persisted } = historyOf(members, index)
  const { sentMs } = members
  if (sentMs === undefined) return failureWith(TAKEN_BACK, persisted, attempts)
  return failureWith(TAKEN_BACK, 'maybe', joinAttempts(attempts, [unanswered(sentMs, nowMs)]))
}

/** Everything that happened to one member so far, in this Kinesis record and in those before it. */
export function historyOf(members: Members, index: number): History {
  const earlier = members.historyOf(index)
  const wasMaybe = earlier?.persisted === 'maybe' || members.sealedAs?.persisted === 'maybe'
  return {
    attempts: joinAttempts(earlier?.attempts ?? [], [...(members.sealedAs?.attempts ?? [])]),
    persisted: wasMaybe ? 'maybe' : 'no'
  }
}

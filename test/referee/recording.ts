/**
 * Bytes of other programs as `test/referee/recorded` keeps them, so that `npm test` checks them without those programs.
 * Invariant: `given` is the input of the other program, and never our reading of its bytes.
 */
import type { ShardHashKeys } from './aggregates.ts'
import { toBase64, type UserRecord } from './user-record.ts'
import { workload } from './workload.ts'

/** Partition key, explicit hash key, base64 of the data. */
export type RecordedUserRecord = readonly [partitionKey: string, explicitHashKey: string | null, data: string]

/** One aggregate, and the user records that were given for it. */
export interface RecordedAggregate {
  readonly given: readonly RecordedUserRecord[]
  /** base64 */
  readonly data: string
  /** Hash keys of the shard for which it was read, and the user records that the other program read. */
  readonly shard?: ShardHashKeys
  readonly read?: readonly RecordedUserRecord[]
}

/** A Kinesis record as the other program has put it. */
export interface RecordedKinesisRecord {
  readonly partitionKey: string
  readonly explicitHashKey: string
  readonly data: string
}

/** A file of `recorded`. */
export interface Recording {
  readonly program: string
  /** The day on which it was recorded, and the command that did it. */
  readonly date: string
  readonly command: string
  readonly aggregates?: readonly RecordedAggregate[]
  /** Of a producer: the user records put, in any order, and the Kinesis records that it made of them. */
  readonly given?: readonly RecordedUserRecord[]
  readonly stored?: readonly RecordedKinesisRecord[]
}

/** The part of a recording that a referee knows. */
export type RecordedBytes = Omit<Recording, 'date' | 'command'>

const RECORDED_COUNT = 80
const RECORDED_MAX_BYTES = 60

/** Returns the user records of recordings: few and small. */
export function recordedWorkload(): UserRecord[] {
  return workload({ seed: 'recorded', count: RECORDED_COUNT, maxBytes: RECORDED_MAX_BYTES })
}

export function recordedUserRecord({ partitionKey, explicitHashKey, data }: UserRecord): RecordedUserRecord {
  return [partitionKey, explicitHashKey ?? null, toBase64(data)]
}

export function userRecordOf([partitionKey, explicitHashKey, data]: RecordedUserRecord): UserRecord {
  return { partitionKey, explicitHashKey: explicitHashKey ?? undefined, data: Buffer.from(data, 'base64') }
}

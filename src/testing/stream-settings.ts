/**
 * The bounds on what a stream may be: name, shard count, mode, record size and record distribution.
 * Invariant: every check throws ValidationException and names the member and the bound.
 */
import { streamNameFault } from '../model/records.ts'
import type { RecordDistributionStrategy, StreamMode } from './api-shapes.ts'
import { argumentError, constraintError, FakeServiceError, required } from './service-error.ts'

const KIBIBYTE = 1_024
const MAX_SHARD_COUNT = 10_000
const MIN_RECORD_KIB = 1_024
const MAX_RECORD_KIB = 10_240
const DECIMAL = /^(?:0|[1-9][0-9]{0,38})$/

/** MaxRecordSizeInKiB of a stream that was made without it. */
export const DEFAULT_RECORD_KIB: number = MIN_RECORD_KIB

export function assertStreamName(name: string | undefined): string {
  const value = required(name, 'streamName')
  const isName = !value.startsWith('arn:') && streamNameFault(value) === undefined
  if (isName) return value
  throw constraintError('streamName', 'be 1 to 128 of the characters a-z A-Z 0-9 _ . -')
}

export function assertShardCount(shardCount: number, member: string): number {
  const isInRange = Number.isInteger(shardCount) && shardCount >= 1 && shardCount <= MAX_SHARD_COUNT
  if (isInRange) return shardCount
  throw constraintError(member, `be an integer from 1 to ${MAX_SHARD_COUNT}, got ${shardCount}`)
}

/** Returns the bytes of `kibibytes` KiB, 1,024 to 10,240. */
export function recordBytes(kibibytes: number): number {
  const isInRange = Number.isInteger(kibibytes) && kibibytes >= MIN_RECORD_KIB && kibibytes <= MAX_RECORD_KIB
  if (isInRange) return kibibytes * KIBIBYTE
  throw constraintError('maxRecordSizeInKiB', `be from ${MIN_RECORD_KIB} to ${MAX_RECORD_KIB}, got ${kibibytes}`)
}

export function assertMode(mode: StreamMode): StreamMode {
  if (mode === 'PROVISIONED' || mode === 'ON_DEMAND') return mode
  throw constraintError('streamModeDetails.streamMode', 'satisfy enum value set: [PROVISIONED, ON_DEMAND]')
}

export function assertDistribution(distribution: RecordDistributionStrategy, mode: StreamMode): void {
  const isKnown = distribution === 'AUTO' || distribution === 'USER_PARTITION_KEY'
  if (!isKnown) {
    throw constraintError('recordDistributionStrategy', 'satisfy enum value set: [AUTO, USER_PARTITION_KEY]')
  }
  if (distribution === 'USER_PARTITION_KEY' || mode === 'ON_DEMAND') return
  throw new FakeServiceError(
    'ValidationException',
    'RecordDistributionStrategy AUTO is only supported for streams in ON_DEMAND mode.'
  )
}

export function assertHashKeyText(text: string, member: string): bigint {
  if (DECIMAL.test(text)) return BigInt(text)
  throw constraintError(member, 'satisfy regular expression pattern: 0|([1-9]\\d{0,38})')
}

/** The bound of UpdateShardCount. Source: Kinesis API reference, UpdateShardCount, 2026-11. */
export function assertScaling(currentShardCount: number, targetShardCount: number): void {
  const isInRange = targetShardCount <= currentShardCount * 2 && targetShardCount >= currentShardCount / 2
  if (isInRange) return
  throw argumentError(
    `UpdateShardCount cannot go from ${currentShardCount} to ${targetShardCount} shards: ` +
      'at most double and at least half of the open shards.'
  )
}

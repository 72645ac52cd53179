/**
 * PutRecords: checks the whole request as the service does, then places each record on its own.
 * Invariant: a request that breaks a limit stores nothing; otherwise every entry gets exactly one answer, in order.
 * Cost: O(entries), plus O(log shards) for each.
 */
import { MAX_PARTITION_KEY_CHARACTERS, MAX_REQUEST_BYTES, MAX_REQUEST_RECORDS, MEBIBYTE } from '../model/limits.ts'
import { MAX_HASH_KEY } from '../wire/hash-key.ts'
import type { PutRecordsOutput, PutRecordsRequestEntry, PutRecordsResultEntry } from './api-shapes.ts'
import type { FakeStream } from './fake-stream.ts'
import type { RecordError } from './record-error.ts'
import { sequenceNumberText } from './sequence-number.ts'
import { argumentError, constraintError, required } from './service-error.ts'
import type { StreamShard } from './stream-shard.ts'

/** The effects of a fault plan on the records of one request. */
export interface PutEffects {
  /** Returns the error that the entry at `index`, meant for `shardId`, is answered with, or undefined for none. */
  readonly recordError?: ((index: number, shardId: string) => RecordError | undefined) | undefined
  /** The order in which the entries are stored: a permutation of 0 to `entryCount - 1`. Default: as given. */
  readonly storeOrder?: ((entryCount: number) => readonly number[]) | undefined
}

export interface PutSettings {
  readonly nowMs: number
  readonly hasThroughputLimits: boolean
  readonly keepsRecords: boolean
  /** Records that arrived before this are forgotten. */
  readonly horizonMs: number
  /** Picks an index below `count`: where a record of an `AUTO` stream goes. */
  readonly pickIndex: (count: number) => number
}

const CANONICAL_DECIMAL = /^(?:0|[1-9][0-9]{0,38})$/
const LONE_SURROGATE = /\p{Surrogate}/gu
const THROTTLED = 'ProvisionedThroughputExceededException'

/** Stores `entries` in `stream`. Throws FakeServiceError for what the service refuses as a whole. `Data` is not copied. */
export function putRecords(
  stream: FakeStream,
  entries: readonly PutRecordsRequestEntry[],
  settings: PutSettings,
  effects: PutEffects
): PutRecordsOutput {
  const sizes = assertPutRequest(stream, entries)
  const results = new Array<PutRecordsResultEntry>(entries.length)
  const order = effects.storeOrder?.(entries.length)
  for (let i = 0; i < entries.length; i++) {
    const index = order?.[i] ?? i
    results[index] = putOne(stream, entries[index]!, sizes[index]!, settings, shard =>
      effects.recordError?.(index, shard.shardId)
    )
  }
  const failedCount = results.reduce((count, result) => (result.ErrorCode === undefined ? count : count + 1), 0)
  return { FailedRecordCount: failedCount, EncryptionType: 'NONE', Records: results }
}

function putOne(
  stream: FakeStream,
  entry: PutRecordsRequestEntry,
  bytes: number,
  settings: PutSettings,
  errorFor: (shard: StreamShard) => RecordError | undefined
): PutRecordsResultEntry {
  const shard = placeOf(stream, entry, settings)
  const error = errorFor(shard)
  if (error !== undefined && !error.isStored) {
    if (error.errorCode === THROTTLED) shard.throttledCount++
    return { ErrorCode: error.errorCode, ErrorMessage: error.errorMessage ?? defaultMessage(error, shard, stream) }
  }
  if (settings.hasThroughputLimits && !shard.throughput.tryTake(bytes, settings.nowMs)) {
    shard.throttledCount++
    return { ErrorCode: THROTTLED, ErrorMessage: throttleMessage(shard, stream) }
  }
  const sequenceNumber = store(stream, shard, entry, bytes, settings)
  if (error === undefined) return { SequenceNumber: sequenceNumber, ShardId: shard.shardId }
  return { ErrorCode: error.errorCode, ErrorMessage: error.errorMessage ?? defaultMessage(error, shard, stream) }
}

function placeOf(stream: FakeStream, entry: PutRecordsRequestEntry, settings: PutSettings): StreamShard {
  if (stream.distribution === 'USER_PARTITION_KEY') {
    return stream.shardOf(asService(entry.PartitionKey!), entry.ExplicitHashKey)
  }
  const open = stream.openShards()
  return open[settings.pickIndex(open.length)]!
}

function store(
  stream: FakeStream,
  shard: StreamShard,
  entry: PutRecordsRequestEntry,
  bytes: number,
  settings: PutSettings
): string {
  const ordinal = stream.nextOrdinal()
  const sequenceNumber = sequenceNumberText(ordinal)
  shard.recordCount++
  shard.storedBytes += bytes
  if (!settings.keepsRecords) return sequenceNumber
  shard.log.trim(settings.horizonMs)
  shard.log.append({
    shardId: shard.shardId,
    sequenceNumber,
    ...(entry.PartitionKey === undefined ? {} : { partitionKey: asService(entry.PartitionKey) }),
    ...(entry.ExplicitHashKey === undefined ? {} : { explicitHashKey: entry.ExplicitHashKey }),
    data: entry.Data!,
    arrivalMs: settings.nowMs,
    ordinal,
    bytes
  })
  return sequenceNumber
}

/** The service reads a lone surrogate of a JSON string as a question mark. */
function asService(partitionKey: string): string {
  return partitionKey.replace(LONE_SURROGATE, '?')
}

function defaultMessage(error: RecordError, shard: StreamShard, stream: FakeStream): string {
  return error.errorCode === THROTTLED ? throttleMessage(shard, stream) : 'Internal service failure.'
}

function throttleMessage(shard: StreamShard, stream: FakeStream): string {
  return `Rate exceeded for shard ${shard.shardId} in stream ${stream.streamName} under account ${stream.accountId}.`
}

/** Returns the bytes of each entry, data and key. */
function assertPutRequest(stream: FakeStream, entries: readonly PutRecordsRequestEntry[]): number[] {
  required<unknown>(entries, 'records')
  if (entries.length < 1) throw constraintError('records', 'have length greater than or equal to 1')
  if (entries.length > MAX_REQUEST_RECORDS) {
    throw constraintError('records', `have length less than or equal to ${MAX_REQUEST_RECORDS}, got ${entries.length}`)
  }
  let totalBytes = 0
  const sizes = entries.map((entry, i) => {
    const bytes = assertEntry(stream, entry, `records.${i + 1}.member`)
    totalBytes += bytes
    return bytes
  })
  if (totalBytes > MAX_REQUEST_BYTES) {
    throw argumentError(`Records size exceeds ${MAX_REQUEST_BYTES / MEBIBYTE} MiB limit: got ${totalBytes} bytes.`)
  }
  return sizes
}

function assertEntry(stream: FakeStream, entry: PutRecordsRequestEntry, member: string): number {
  const data = required(entry.Data, `${member}.data`)
  assertPartitionKey(stream, entry.PartitionKey, `${member}.partitionKey`)
  if (entry.ExplicitHashKey !== undefined) assertExplicitHashKey(entry.ExplicitHashKey, `${member}.explicitHashKey`)
  const bytes = data.length + (entry.PartitionKey === undefined ? 0 : Buffer.byteLength(entry.PartitionKey))
  if (bytes > stream.maxRecordBytes) {
    throw constraintError(
      `${member}.data`,
      `have length less than or equal to ${stream.maxRecordBytes} together with the partition key, got ${bytes}`
    )
  }
  return bytes
}

function assertPartitionKey(stream: FakeStream, partitionKey: string | undefined, member: string): void {
  if (partitionKey === undefined && stream.distribution === 'AUTO') return
  const { length } = required(partitionKey, member)
  if (length < 1) throw constraintError(member, 'have length greater than or equal to 1')
  if (length > MAX_PARTITION_KEY_CHARACTERS) {
    throw constraintError(member, `have length less than or equal to ${MAX_PARTITION_KEY_CHARACTERS}, got ${length}`)
  }
}

function assertExplicitHashKey(explicitHashKey: string, member: string): void {
  if (!CANONICAL_DECIMAL.test(explicitHashKey)) {
    throw constraintError(member, 'satisfy regular expression pattern: 0|([1-9]\\d{0,38})')
  }
  if (BigInt(explicitHashKey) <= MAX_HASH_KEY) return
  throw argumentError(
    `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${explicitHashKey}`
  )
}

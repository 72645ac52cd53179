/**
 * GetShardIterator and GetRecords.
 * Invariant: following the iterators of a shard from TRIM_HORIZON gives each kept record once, in sequence order, and
 * ends, with the child shards, exactly when the shard is closed and everything was read.
 */
import { MEBIBYTE } from '../model/limits.ts'
import type { GetRecordsOutput, GetRecordsRecord, GetShardIteratorInput } from './api-shapes.ts'
import type { FakeStream } from './fake-stream.ts'
import { sequenceOrdinal } from './sequence-number.ts'
import { argumentError, constraintError, FakeServiceError, required } from './service-error.ts'
import type { LogEntry } from './shard-log.ts'
import type { StreamShard } from './stream-shard.ts'
import { decodeToken, encodeToken } from './tokens.ts'

/** Records and bytes of one GetRecords answer, and an iterator's life. Source: API reference, GetRecords, 2026-11. */
const MAX_GET_RECORDS = 10_000
const MAX_GET_BYTES = 10 * MEBIBYTE
const ITERATOR_LIFE_MS = 300_000

const ITERATOR_PARTS = 5

export interface ShardIterator {
  readonly streamName: string
  readonly incarnation: number
  readonly shardId: string
  readonly position: number
  readonly issuedAtMs: number
}

/** Returns the iterator's text. Throws ResourceNotFoundException for an unknown shard. */
export function shardIterator(stream: FakeStream, input: GetShardIteratorInput, nowMs: number): string {
  const shard = stream.shard(required(input.ShardId, 'shardId'))
  return iteratorText(stream, shard, startPosition(shard, input), nowMs)
}

/** Throws InvalidArgumentException for text that is not an iterator of this fake. */
export function readShardIterator(text: string): ShardIterator {
  const parts = decodeToken('iterator', ITERATOR_PARTS, text)
  if (parts === undefined) throw argumentError('Invalid ShardIterator.')
  const [streamName, incarnation, shardId, position, issuedAtMs] = parts as [string, string, string, string, string]
  return {
    streamName,
    incarnation: Number(incarnation),
    shardId,
    position: Number(position),
    issuedAtMs: Number(issuedAtMs)
  }
}

/** Returns up to `limit` records and 10 MiB from the iterator's position. `Data` is not copied. */
export function getRecords(
  stream: FakeStream,
  iterator: ShardIterator,
  limit: number | undefined,
  nowMs: number
): GetRecordsOutput {
  const maxCount = limit ?? MAX_GET_RECORDS
  const isInRange = Number.isInteger(maxCount) && maxCount >= 1 && maxCount <= MAX_GET_RECORDS
  if (!isInRange) throw constraintError('limit', `be from 1 to ${MAX_GET_RECORDS}, got ${maxCount}`)
  assertFresh(stream, iterator, nowMs)
  const shard = stream.shard(iterator.shardId)
  const { records, position } = readFrom(shard, iterator.position, maxCount)
  const next = shard.log.at(position)
  const millisBehindLatest = next === undefined ? 0 : Math.max(0, Math.round(nowMs - next.arrivalMs))
  const isFinished = next === undefined && !shard.isOpen
  return isFinished
    ? { Records: records, MillisBehindLatest: 0, ChildShards: shard.children.map(child => child.describeAsChild()) }
    : {
        Records: records,
        NextShardIterator: iteratorText(stream, shard, position, nowMs),
        MillisBehindLatest: millisBehindLatest
      }
}

function readFrom(
  shard: StreamShard,
  from: number,
  maxCount: number
): { readonly records: GetRecordsRecord[]; readonly position: number } {
  const records: GetRecordsRecord[] = []
  let position = Math.max(from, shard.log.startPosition)
  let totalBytes = 0
  while (records.length < maxCount) {
    const entry = shard.log.at(position)
    if (entry === undefined) break
    totalBytes += entry.bytes
    if (totalBytes > MAX_GET_BYTES && records.length > 0) break
    records.push(describeRecord(entry))
    position++
  }
  return { records, position }
}

function describeRecord(entry: LogEntry): GetRecordsRecord {
  return {
    SequenceNumber: entry.sequenceNumber,
    ApproximateArrivalTimestamp: Math.round(entry.arrivalMs) / 1_000,
    Data: entry.data,
    ...(entry.partitionKey === undefined ? {} : { PartitionKey: entry.partitionKey })
  }
}

function startPosition(shard: StreamShard, input: GetShardIteratorInput): number {
  switch (required(input.ShardIteratorType, 'shardIteratorType')) {
    case 'TRIM_HORIZON':
      return shard.log.startPosition
    case 'LATEST':
      return shard.log.endPosition
    case 'AT_SEQUENCE_NUMBER': {
      const ordinal = startingOrdinal(shard, input)
      return shard.log.firstPosition(entry => entry.ordinal >= ordinal)
    }
    case 'AFTER_SEQUENCE_NUMBER': {
      const ordinal = startingOrdinal(shard, input)
      return shard.log.firstPosition(entry => entry.ordinal > ordinal)
    }
    case 'AT_TIMESTAMP': {
      const timestampMs = required(input.Timestamp, 'timestamp') * 1_000
      return shard.log.firstPosition(entry => Math.round(entry.arrivalMs) >= timestampMs)
    }
    default:
      throw constraintError('shardIteratorType', 'satisfy enum value set of ShardIteratorType')
  }
}

function startingOrdinal(shard: StreamShard, input: GetShardIteratorInput): number {
  const text = required(input.StartingSequenceNumber, 'startingSequenceNumber')
  const ordinal = sequenceOrdinal(text)
  if (ordinal !== undefined) return ordinal
  throw argumentError(
    `StartingSequenceNumber used in GetShardIterator on shard ${shard.shardId} is invalid because it did not come from ` +
      'this stream.'
  )
}

function iteratorText(stream: FakeStream, shard: StreamShard, position: number, nowMs: number): string {
  return encodeToken('iterator', [stream.streamName, stream.incarnation, shard.shardId, position, nowMs])
}

function assertFresh(stream: FakeStream, iterator: ShardIterator, nowMs: number): void {
  const isOfOlderStream = iterator.incarnation !== stream.incarnation
  if (isOfOlderStream) throw argumentError('Invalid ShardIterator: its stream was deleted.')
  const ageMs = nowMs - iterator.issuedAtMs
  if (ageMs <= ITERATOR_LIFE_MS) return
  throw new FakeServiceError(
    'ExpiredIteratorException',
    `Iterator expired. It was made ${Math.round(ageMs)} ms ago, and iterators live ${ITERATOR_LIFE_MS} ms.`
  )
}

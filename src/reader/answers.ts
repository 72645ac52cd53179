/**
 * Checks the answers to a stream reader: any value enters, checked facts leave.
 * Invariant: only facts in the API's shape are believed; anything else is KPL_ERR_PROTOCOL, so that the call is repeated and a
 * malformed answer is never taken for the end of a shard.
 * Source: Kinesis API reference, GetRecords, GetShardIterator, ListShards, read 2026-11.
 */

import { fields, list, malformed, optionalText, text } from '../aws/answers.ts'
import type { SdkKinesisRecord } from '../consumer/deaggregate.ts'
import { isBytes } from '../wire/bytes.ts'
import { explicitHashKeyFault } from '../wire/hash-key.ts'

/** A shard as the reader needs it: of ListShards, or a child of GetRecords. */
export interface KnownShard {
  readonly shardId: string
  readonly parents: readonly string[]
  readonly range: HashRange
  /** Of ListShards; undefined when the answer does not say. */
  readonly startsAt: string | undefined
  /** The last sequence number of a closed shard; a shard without one is open, as far as the answer says. */
  readonly endsAt: string | undefined
}

/** Decimal text, both ends inclusive. */
export interface HashRange {
  readonly StartingHashKey: string
  readonly EndingHashKey: string
}

/** All hash keys that there are: every one of them is of an open shard at any time. */
export const ALL_HASH_KEYS: HashRange = { StartingHashKey: '0', EndingHashKey: `${2n ** 128n - 1n}` }

/** One answer of GetRecords. */
export interface RecordsAnswer {
  readonly records: readonly SdkKinesisRecord[]
  readonly nextIterator: string | undefined
  /** Named at the end of a shard; undefined when the answer does not name any. */
  readonly children: readonly KnownShard[] | undefined
  /** Whether there is nothing to read at present. An answer with records never says so: more may have come. */
  readonly isAtTip: boolean
}

export interface ListingPage {
  readonly shards: readonly KnownShard[]
  readonly nextToken: string | undefined
}

const DECIMAL = /^\d{1,128}$/

export function readIterator(output: unknown): string {
  return full(text(fields(output, 'The answer')['ShardIterator'], 'ShardIterator'), 'ShardIterator')
}

export function readRecords(output: unknown): RecordsAnswer {
  const answer = fields(output, 'The answer')
  const records = list(answer['Records'], 'Records').map(readRecord)
  const nextIterator = optionalFull(answer['NextShardIterator'], 'NextShardIterator')
  const children = answer['ChildShards'] ?? undefined
  const named = children === undefined ? [] : list(children, 'ChildShards').map(readChild)
  const behindMs = answer['MillisBehindLatest'] ?? 0
  const isSpan = typeof behindMs === 'number' && Number.isFinite(behindMs) && behindMs >= 0
  if (!isSpan) throw malformed('MillisBehindLatest', 'a span of time')
  return {
    records,
    nextIterator,
    children: named.length === 0 ? undefined : named,
    isAtTip: records.length === 0 && behindMs === 0
  }
}

export function readListing(output: unknown): ListingPage {
  const answer = fields(output, 'The answer')
  return {
    shards: list(answer['Shards'], 'Shards').map(readShard),
    nextToken: optionalFull(answer['NextToken'], 'NextToken')
  }
}

/** Whether every hash key of `range` is of at least one of the shards. O(n log n). */
export function isCovered(range: HashRange, shards: readonly KnownShard[]): boolean {
  const spans = shards.map(shard => ({
    first: BigInt(shard.range.StartingHashKey),
    last: BigInt(shard.range.EndingHashKey)
  }))
  let next = BigInt(range.StartingHashKey)
  for (const { first, last } of spans.sort((left, right) => (left.first < right.first ? -1 : 1))) {
    if (first > next) break
    if (last >= next) next = last + 1n
  }
  return next > BigInt(range.EndingHashKey)
}

function readRecord(value: unknown): SdkKinesisRecord {
  const record = fields(value, 'Records[]')
  if (!isBytes(record['Data'])) throw malformed('Data', 'bytes')
  if (!DECIMAL.test(text(record['SequenceNumber'], 'SequenceNumber'))) throw malformed('SequenceNumber', 'a number')
  // Records of streams whose shards the service chooses may have no key.
  optionalText(record['PartitionKey'], 'PartitionKey')
  if (!isTime(record['ApproximateArrivalTimestamp'])) throw malformed('ApproximateArrivalTimestamp', 'a time')
  // The decoder of this shape: every field that is read has just been checked.
  return value as SdkKinesisRecord
}

/** A date, as the SDK makes them, or nothing. */
function isTime(value: unknown): boolean {
  if (value === undefined || value === null) return true
  const isDate = typeof value === 'object' && 'getTime' in value && typeof value.getTime === 'function'
  return isDate && Number.isFinite(Number(value))
}

function readChild(value: unknown): KnownShard {
  const child = fields(value, 'ChildShards[]')
  const parents = list(child['ParentShards'], 'ParentShards').map(parent => text(parent, 'ParentShards[]'))
  return { ...named(child), parents, startsAt: undefined, endsAt: undefined }
}

function readShard(value: unknown): KnownShard {
  const shard = fields(value, 'Shards[]')
  const parents = ['ParentShardId', 'AdjacentParentShardId'].map(name => optionalText(shard[name], name))
  const numbers = shard['SequenceNumberRange'] ?? undefined
  const known = numbers === undefined ? undefined : fields(numbers, 'SequenceNumberRange')
  return {
    ...named(shard),
    parents: parents.filter(parent => parent !== undefined),
    startsAt: optionalNumber(known?.['StartingSequenceNumber'], 'StartingSequenceNumber'),
    endsAt: optionalNumber(known?.['EndingSequenceNumber'], 'EndingSequenceNumber')
  }
}

function named(shard: Readonly<Record<string, unknown>>): Pick<KnownShard, 'shardId' | 'range'> {
  const range = fields(shard['HashKeyRange'], 'HashKeyRange')
  const StartingHashKey = hashKey(range['StartingHashKey'], 'StartingHashKey')
  const EndingHashKey = hashKey(range['EndingHashKey'], 'EndingHashKey')
  if (BigInt(StartingHashKey) > BigInt(EndingHashKey)) throw malformed('HashKeyRange', 'a range')
  return { shardId: full(text(shard['ShardId'], 'ShardId'), 'ShardId'), range: { StartingHashKey, EndingHashKey } }
}

function hashKey(value: unknown, name: string): string {
  const decimal = text(value, name)
  if (explicitHashKeyFault(decimal) !== undefined) throw malformed(name, 'a hash key')
  return decimal
}

function optionalNumber(value: unknown, name: string): string | undefined {
  const number = optionalText(value, name)
  if (number !== undefined && !DECIMAL.test(number)) throw malformed(name, 'a number')
  return number
}

function optionalFull(value: unknown, name: string): string | undefined {
  const words = optionalText(value, name)
  return words === undefined ? undefined : full(words, name)
}

function full(words: string, name: string): string {
  if (words === '') throw malformed(name, 'a text that is not empty')
  return words
}

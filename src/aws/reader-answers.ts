/**
 * What the service answers a stream reader: whatever arrived enters, checked facts leave.
 * Invariant: nothing is believed that the answer does not say in the API's shape; anything else is KPL_ERR_PROTOCOL, so that a
 * malformed answer is asked for again and never taken for the end of a shard.
 * Source: Kinesis API reference, GetRecords, GetShardIterator, ListShards, read 2026-11.
 */
import type { SdkKinesisRecord } from '../deaggregate.ts'
import { isBytes } from '../wire/bytes.ts'
import { explicitHashKeyFault } from '../wire/hash-key.ts'
import { fields, list, malformed, optionalText, text } from './answers.ts'

/** A shard as the reader needs it: of ListShards, or a child of GetRecords. */
export interface KnownShard {
  readonly shardId: string
  readonly parents: readonly string[]
  readonly range: { readonly StartingHashKey: string; readonly EndingHashKey: string }
  /** Of ListShards; undefined when the answer does not say. */
  readonly startsAt: string | undefined
  /** `'open'`, `'closed'`, or undefined when the answer does not say. */
  readonly state: 'open' | 'closed' | undefined
  /** The last sequence number of a closed shard. */
  readonly endsAt: string | undefined
}

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
  if (typeof behindMs !== 'number') throw malformed('MillisBehindLatest', 'a number')
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

function readRecord(value: unknown): SdkKinesisRecord {
  const record = fields(value, 'Records[]')
  if (!isBytes(record['Data'])) throw malformed('Data', 'bytes')
  if (!DECIMAL.test(text(record['SequenceNumber'], 'SequenceNumber'))) throw malformed('SequenceNumber', 'a number')
  text(record['PartitionKey'], 'PartitionKey')
  // The decoder of this shape: every field that is read has just been checked.
  return value as SdkKinesisRecord
}

function readChild(value: unknown): KnownShard {
  const child = fields(value, 'ChildShards[]')
  const parents = list(child['ParentShards'], 'ParentShards').map(parent => text(parent, 'ParentShards[]'))
  return { ...named(child), parents, startsAt: undefined, state: undefined, endsAt: undefined }
}

function readShard(value: unknown): KnownShard {
  const shard = fields(value, 'Shards[]')
  const parents = ['ParentShardId', 'AdjacentParentShardId'].map(name => optionalText(shard[name], name))
  const numbers = shard['SequenceNumberRange'] ?? undefined
  const known = numbers === undefined ? undefined : fields(numbers, 'SequenceNumberRange')
  const endsAt = optionalNumber(known?.['EndingSequenceNumber'], 'EndingSequenceNumber')
  return {
    ...named(shard),
    parents: parents.filter(parent => parent !== undefined),
    startsAt: optionalNumber(known?.['StartingSequenceNumber'], 'StartingSequenceNumber'),
    state: known === undefined ? undefined : endsAt === undefined ? 'open' : 'closed',
    endsAt
  }
}

function named(shard: Readonly<Record<string, unknown>>): Pick<KnownShard, 'shardId' | 'range'> {
  const range = fields(shard['HashKeyRange'], 'HashKeyRange')
  const StartingHashKey = hashKey(range['StartingHashKey'], 'StartingHashKey')
  const EndingHashKey = hashKey(range['EndingHashKey'], 'EndingHashKey')
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

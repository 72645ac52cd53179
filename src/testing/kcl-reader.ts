/**
 * The records of a fake stream as consumers see them: every user record in the order of a consumer that finishes a shard's
 * parents before the shard, and whether a KCL consumer gets it.
 * Example: an aggregate lies in a shard whose range does not hold all of its user records -> none of them is `isDelivered`.
 * Invariant: restated from the KCL's rule (AggregatorUtil of KCL 3.x) on nothing but the stored bytes; plain records are never
 * looked at. It shares no code with `deaggregate`, so that the one can be held against the other.
 */
import { decodeEnvelope, isEnvelope } from '../wire/decode.ts'
import { HASH_KEY_WORDS, hashPartitionKey, readHashKey } from '../wire/hash-key.ts'
import type { FakeKinesis } from './fake-kinesis.ts'
import { assertArgument, KINESIS } from './given.ts'
import type { StoredRecord } from './shard-log.ts'

/** A shard as the listing has it. */
export interface ReadShard {
  readonly shardId: string
  /** Its hash keys, both ends inclusive. */
  readonly start: bigint
  readonly end: bigint
  readonly parents: readonly string[]
}

/** One user record as it came out. */
export interface KclUserRecord {
  /** The Kinesis record that it was in. */
  readonly stored: StoredRecord
  /** Its place in its aggregate, from 0; 0 for a plain record. */
  readonly subSequenceNumber: number
  /** Whether it was in an aggregate. */
  readonly isAggregated: boolean
  /** Its partition key. */
  readonly partitionKey: string
  /** Its explicit hash key; undefined when it has none. */
  readonly explicitHashKey: string | undefined
  /** A view of the stored bytes, not a copy. */
  readonly data: Uint8Array
  /** Whether a KCL consumer is given it: it drops a whole aggregate for one user record of another shard. */
  readonly isDelivered: boolean
  /** Whether its shard is the one that its hash key belongs to. */
  readonly isAtHome: boolean
}

/**
 * Returns every user record of a stream, those that a KCL consumer drops included (`isDelivered`); oldest first within a shard,
 * parents before children. Throws FakeServiceError for a stream that is not there, OptionsError for a value that is not a FakeKinesis. Cost: O(records).
 *
 * @example
 * await producer.putMany(records)
 * const userRecords = readAsKcl(kinesis, 'orders').filter(({ isDelivered }) => isDelivered)
 * userRecords.map(({ partitionKey }) => partitionKey) // => ['user-1', 'user-2', 'user-3']
 */
export function readAsKcl(kinesis: FakeKinesis, streamName: string): KclUserRecord[] {
  assertArgument('readAsKcl', 'kinesis', KINESIS, kinesis)
  return readShards(shardsOf(kinesis, streamName), kinesis.storedRecords(streamName))
}

/** Returns every shard that the stream has or had. */
export function shardsOf(kinesis: FakeKinesis, streamName: string): ReadShard[] {
  const { Shards } = kinesis.listShards({ StreamName: streamName, ShardFilter: { Type: 'FROM_TRIM_HORIZON' } })
  return Shards.map(({ ShardId, HashKeyRange, ParentShardId, AdjacentParentShardId }) => ({
    shardId: ShardId,
    start: BigInt(HashKeyRange.StartingHashKey),
    end: BigInt(HashKeyRange.EndingHashKey),
    parents: [ParentShardId, AdjacentParentShardId].filter(parent => parent !== undefined)
  }))
}

/** As `readAsKcl`, of shards and records that were kept. */
export function readShards(shards: Iterable<ReadShard>, records: readonly StoredRecord[]): KclUserRecord[] {
  const byShard = new Map<string, StoredRecord[]>()
  for (const record of records) {
    const own = byShard.get(record.shardId)
    if (own === undefined) byShard.set(record.shardId, [record])
    else own.push(record)
  }
  const read: KclUserRecord[] = []
  for (const shard of parentsFirst(shards)) {
    for (const stored of byShard.get(shard.shardId) ?? []) read.push(...readRecord(shard, stored))
  }
  return read
}

/** Returns the user records of one Kinesis record that lies in `shard`. */
export function readRecord(shard: ReadShard, stored: StoredRecord): KclUserRecord[] {
  const { data, partitionKey = '', explicitHashKey } = stored
  if (!isEnvelope(data)) {
    const isAtHome = isInside(hashKeyOf(partitionKey, explicitHashKey), shard)
    const place = { stored, subSequenceNumber: 0, isAggregated: false, isDelivered: true, isAtHome }
    return [{ ...place, partitionKey, explicitHashKey, data }]
  }
  const members = decodeEnvelope(data)
  const areAtHome = members.map(member => isInside(hashKeyOf(member.partitionKey, member.explicitHashKey), shard))
  const isDelivered = areAtHome.every(isAtHome => isAtHome)
  return members.map((member, subSequenceNumber) => ({
    ...member,
    stored,
    subSequenceNumber,
    isAggregated: true,
    isDelivered,
    isAtHome: areAtHome[subSequenceNumber]!
  }))
}

/** Whether a hash key is one of the shard's. */
export function isInside(hashKey: bigint, { start, end }: Pick<ReadShard, 'start' | 'end'>): boolean {
  return start <= hashKey && hashKey <= end
}

function hashKeyOf(partitionKey: string, explicitHashKey: string | undefined): bigint {
  if (explicitHashKey !== undefined) return BigInt(explicitHashKey)
  const words = new Uint32Array(HASH_KEY_WORDS)
  hashPartitionKey(partitionKey, words)
  return readHashKey(words)
}

/** Shards in an order in which every parent comes before its children. */
function parentsFirst(shards: Iterable<ReadShard>): ReadShard[] {
  const byId = new Map<string, ReadShard>()
  for (const shard of shards) byId.set(shard.shardId, shard)
  const ordered: ReadShard[] = []
  const seen = new Set<string>()
  const visit = (shard: ReadShard): void => {
    if (seen.has(shard.shardId)) return
    seen.add(shard.shardId)
    for (const parentId of shard.parents) {
      const parent = byId.get(parentId)
      if (parent !== undefined) visit(parent)
    }
    ordered.push(shard)
  }
  for (const shard of byId.values()) visit(shard)
  return ordered
}

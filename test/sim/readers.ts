/**
 * Two consumers of what the shards hold: one like the KCL, which drops a whole aggregate when one of its records is not
 * of the shard it was read from, and a plain one like Lambda's, which does not look.
 * Invariant: both finish a shard's parents before the shard; neither knows anything but the stored bytes.
 */
import type { StoredRecord } from '../../src/testing/index.ts'
import { decodeEnvelope, isEnvelope } from '../../src/wire/decode.ts'
import { hashKeyOf } from './records.ts'
import type { Incarnation, ShardTruth } from './shard-book.ts'

/** One user record as it came out. */
export interface ReadRecord {
  readonly stored: StoredRecord
  readonly subSequenceNumber: number
  readonly isAggregated: boolean
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
  /** Whether the KCL-like reader delivers it. */
  readonly isKept: boolean
  /** Whether the shard is one that its hash key belongs to. */
  readonly isAtHome: boolean
  /** Where it comes in the reading of its stream. */
  readonly position: number
}

export function isInside(hashKey: bigint, { start, end }: ShardTruth): boolean {
  return start <= hashKey && hashKey <= end
}

/** Reads a whole stream as the plain reader does, and says of every record whether the KCL-like one delivers it. */
export function readAll(incarnation: Incarnation): ReadRecord[] {
  const byShard = new Map<string, StoredRecord[]>()
  for (const record of incarnation.records) {
    const records = byShard.get(record.shardId)
    if (records === undefined) byShard.set(record.shardId, [record])
    else records.push(record)
  }
  const read: ReadRecord[] = []
  for (const shard of parentsFirst(incarnation.shards)) {
    for (const stored of byShard.get(shard.shardId) ?? []) read.push(...readOne(stored, shard, read.length))
  }
  return read
}

function readOne(stored: StoredRecord, shard: ShardTruth, position: number): ReadRecord[] {
  const { data, partitionKey = '', explicitHashKey } = stored
  if (!isEnvelope(data)) {
    const isAtHome = isInside(hashKeyOf(partitionKey, explicitHashKey), shard)
    const place = { stored, subSequenceNumber: 0, isAggregated: false, isKept: true, isAtHome, position }
    return [{ ...place, partitionKey, explicitHashKey, data }]
  }
  const members = decodeEnvelope(data)
  const areAtHome = members.map(member => isInside(hashKeyOf(member.partitionKey, member.explicitHashKey), shard))
  const isKept = areAtHome.every(isAtHome => isAtHome)
  return members.map((member, subSequenceNumber) => ({
    ...member,
    stored,
    subSequenceNumber,
    isAggregated: true,
    isKept,
    isAtHome: areAtHome[subSequenceNumber]!,
    position: position + subSequenceNumber
  }))
}

/** Shards in an order in which every parent comes before its children. */
function parentsFirst(shards: ReadonlyMap<string, ShardTruth>): ShardTruth[] {
  const ordered: ShardTruth[] = []
  const seen = new Set<string>()
  const visit = (shard: ShardTruth): void => {
    if (seen.has(shard.shardId)) return
    seen.add(shard.shardId)
    for (const parentId of shard.parents) {
      const parent = shards.get(parentId)
      if (parent !== undefined) visit(parent)
    }
    ordered.push(shard)
  }
  for (const shard of shards.values()) visit(shard)
  return ordered
}

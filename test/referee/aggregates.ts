/**
 * Groups of user records, and the aggregate that our library makes of each.
 * Invariant: a group has at least two user records, because one alone stays plain; its aggregate has at most 1 MiB.
 */

import { deaggregate, RecordAggregator } from '../../src/consumer/deaggregate.ts'
import { MEBIBYTE } from '../../src/model/limits.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import type { UserRecord } from './user-record.ts'

const MOST_MEMBERS = 120

/** Returns `records` cut into groups of 2 to 120, in their order. Records that fit into no group are left out. */
export function groupsOf(records: readonly UserRecord[], seed: number | string): UserRecord[][] {
  const random = seededRandom(`groups/${seed}`)
  const groups: UserRecord[][] = []
  let group: UserRecord[] = []
  let wantedCount = 2
  let bytes = 0
  for (const record of records) {
    const recordBytes = record.data.byteLength + 2 * Buffer.byteLength(record.partitionKey) + 64
    if (bytes + recordBytes > MEBIBYTE || group.length === wantedCount) {
      if (group.length > 1) groups.push(group)
      group = []
      bytes = 0
      wantedCount = 2 + Math.floor(random() ** 3 * (MOST_MEMBERS - 1))
    }
    group.push(record)
    bytes += recordBytes
  }
  if (group.length > 1) groups.push(group)
  return groups
}

/** Returns the aggregate of a group, by the public `RecordAggregator`. */
export function aggregateOf(group: readonly UserRecord[]): Uint8Array {
  const aggregator = new RecordAggregator({ maxBytes: MEBIBYTE })
  for (const record of group) {
    if (!aggregator.add(record)) throw new Error('a group does not fit into one aggregate')
  }
  return aggregator.seal()?.data ?? new Uint8Array()
}

/** Hash keys of a shard, both ends inclusive. */
export interface ShardHashKeys {
  readonly start: string
  readonly end: string
}

export const ALL_HASH_KEYS: ShardHashKeys = { start: '0', end: String((1n << 128n) - 1n) }
export const OUTER_KEY = 'outer'

/** Returns the user records of a Kinesis record, by the public `deaggregate` with the KCL's rule for foreign hash keys. */
export function userRecordsOf(data: Uint8Array, { start, end }: ShardHashKeys = ALL_HASH_KEYS): UserRecord[] {
  const record = { Data: data, PartitionKey: OUTER_KEY, SequenceNumber: '1' }
  const shardRange = { startingHashKey: start, endingHashKey: end }
  return [...deaggregate(record, { shardRange, outOfRange: 'kcl' })].map(({ partitionKey, explicitHashKey, data }) => ({
    partitionKey,
    explicitHashKey,
    data
  }))
}

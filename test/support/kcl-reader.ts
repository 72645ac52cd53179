/**
 * What a KCL consumer is delivered: a Kinesis record whose aggregate has a member outside its shard's range is dropped
 * as a whole; plain records are never looked at. Restated from the KCL's rule, not from our `deaggregate`.
 */
import { createHash } from 'node:crypto'
import { deaggregateAll } from '../../src/consumer/deaggregate.ts'
import type { FakeKinesis } from '../../src/testing/index.ts'

export interface Delivered {
  readonly shardId: string
  readonly sequenceNumber: string
  readonly subSequenceNumber: number
  readonly partitionKey: string
  readonly data: string
}

export function kclDelivers(kinesis: FakeKinesis, streamName: string): Delivered[] {
  const { Shards } = kinesis.listShards({ StreamName: streamName, ShardFilter: { Type: 'FROM_TRIM_HORIZON' } })
  const ranges = new Map(Shards.map(shard => [shard.ShardId, shard.HashKeyRange]))
  return kinesis.storedRecords(streamName).flatMap(({ shardId, sequenceNumber, partitionKey, data }) => {
    const range = ranges.get(shardId)
    const members = [...deaggregateAll([{ Data: data, PartitionKey: partitionKey, SequenceNumber: sequenceNumber }])]
    const isDropped =
      range !== undefined &&
      members.some(member => {
        if (!member.aggregated) return false
        const hashKey =
          member.explicitHashKey === undefined ? hashOf(member.partitionKey) : BigInt(member.explicitHashKey)
        return hashKey < BigInt(range.StartingHashKey) || hashKey > BigInt(range.EndingHashKey)
      })
    if (isDropped) return []
    return members.map(member => ({
      shardId,
      sequenceNumber,
      subSequenceNumber: member.subSequenceNumber,
      partitionKey: member.partitionKey,
      data: new TextDecoder().decode(member.data)
    }))
  })
}

function hashOf(partitionKey: string): bigint {
  return BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`)
}

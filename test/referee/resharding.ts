/** A split and a merge of a stream of the fake, as a referee makes them while records are on their way. */
import type { FakeKinesis } from '../../src/testing/index.ts'

/** Splits the first open shard in the middle. */
export function splitFirst(kinesis: FakeKinesis, StreamName: string): void {
  const [first] = openShards(kinesis, StreamName)
  const middle = (first!.start + first!.end) / 2n
  kinesis.splitShard({ StreamName, ShardToSplit: first!.shardId, NewStartingHashKey: String(middle) })
}

/** Merges the last two open shards. */
export function mergeLast(kinesis: FakeKinesis, StreamName: string): void {
  const [left, right] = openShards(kinesis, StreamName).slice(-2)
  kinesis.mergeShards({ StreamName, ShardToMerge: left!.shardId, AdjacentShardToMerge: right!.shardId })
}

/** Open shards by their first hash key. */
export function openShards(kinesis: FakeKinesis, StreamName: string) {
  return kinesis
    .listShards({ StreamName })
    .Shards.filter(shard => shard.SequenceNumberRange.EndingSequenceNumber === undefined)
    .map(({ ShardId, HashKeyRange }) => ({
      shardId: ShardId,
      start: BigInt(HashKeyRange.StartingHashKey),
      end: BigInt(HashKeyRange.EndingHashKey)
    }))
    .sort((left, right) => (left.start < right.start ? -1 : 1))
}

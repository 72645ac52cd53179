/** Our producer against the fake over HTTP, while one shard splits and two others merge. */
import { KinesisProducer } from '../../../src/producer/kinesis-producer.ts'
import { FakeKinesis, startFakeKinesisServer } from '../../../src/testing/index.ts'
import { realClock } from '../../../src/testing/real-time.ts'
import type { ShardHashKeys } from '../aggregates.ts'
import { mergeLast, splitFirst } from '../resharding.ts'
import type { UserRecord } from '../user-record.ts'

/** A stored Kinesis record, and the shard that holds it. */
export interface StoredInShard {
  readonly data: Uint8Array
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly shard: ShardHashKeys
}

const STREAM = 'produced'

/** Returns all Kinesis records of the stream. Rejects if one user record was not acknowledged. */
export async function produceThroughReshards(given: readonly UserRecord[]): Promise<StoredInShard[]> {
  const kinesis = new FakeKinesis({ nowMs: () => realClock.nowMs(), throughputLimits: false })
  const server = await startFakeKinesisServer({ kinesis })
  kinesis.createStream({ StreamName: STREAM, ShardCount: 3 })
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const producer = new KinesisProducer({
    streamName: STREAM,
    region: 'us-east-1',
    endpoint: server.endpoint,
    credentials
  })
  try {
    const third = Math.ceil(given.length / 3)
    const reshards = [() => {}, () => splitFirst(kinesis, STREAM), () => mergeLast(kinesis, STREAM)]
    for (let at = 0; at < given.length; at += third) {
      const puts = producer.putMany(given.slice(at, at + third))
      // The producer has aggregated for the former shards, and its requests arrive after the reshard.
      reshards.shift()?.()
      const { failedCount } = await puts
      if (failedCount > 0) throw new Error(`${failedCount} user records were not acknowledged`)
    }
    return storedInShards(kinesis)
  } finally {
    await producer.close()
    await server.close()
  }
}

function storedInShards(kinesis: FakeKinesis): StoredInShard[] {
  const shards = kinesis.listShards({ StreamName: STREAM }).Shards
  const ranges = new Map(shards.map(({ ShardId, HashKeyRange }) => [ShardId, HashKeyRange]))
  return kinesis.storedRecords(STREAM).map(({ shardId, data, partitionKey = '', explicitHashKey }) => {
    const { StartingHashKey, EndingHashKey } = ranges.get(shardId)!
    return { data, partitionKey, explicitHashKey, shard: { start: StartingHashKey, end: EndingHashKey } }
  })
}

/**
 * Reads a stream of the fake back as a KCL consumer would, a few Kinesis records at a time.
 * Invariant: every stored Kinesis record is looked at once; requests are served in between.
 */
import { setImmediate } from 'node:timers/promises'
import type { FakeKinesis } from '../../src/testing/index.ts'
import { readRecord, shardsOf } from '../../src/testing/kcl-reader.ts'
import { sequenceOrdinal, shardNumber } from './ledger.ts'
import type { Copies, ReadBack } from './messages.ts'
import { readIndex } from './user-records.ts'

const RECORDS_PER_TURN = 10
/** Stands for a user record that is not one of the generation, so that the others keep their places. */
export const NO_INDEX = 0xffffffff
/** The first state of a generation, so that the producer sees the stream gone; see soak.ts. */
export const PROBE_KEY = 'probe'

export async function readBack(
  kinesis: FakeKinesis,
  stream: string,
  generation: number,
  tell: (copies: Copies) => void
): Promise<ReadBack> {
  const shards = new Map(shardsOf(kinesis, stream).map(shard => [shard.shardId, shard]))
  let droppedAggregates = 0
  let foreignRecords = 0
  const stored = kinesis.storedRecords(stream)
  for (let at = 0; at < stored.length; at++) {
    if (at % RECORDS_PER_TURN === 0) await setImmediate()
    const { shardId, sequenceNumber } = stored[at]!
    const indexes: number[] = []
    for (const user of readRecord(shards.get(shardId)!, stored[at]!)) {
      if (!user.isDelivered) break
      const index = readIndex(generation, user.partitionKey, user.data)
      indexes.push(index ?? NO_INDEX)
      if (index === undefined && user.partitionKey !== PROBE_KEY) foreignRecords++
    }
    if (indexes.length === 0) droppedAggregates++
    tell({
      kind: 'copies',
      generation,
      shardNumber: shardNumber(shardId),
      sequenceOrdinal: sequenceOrdinal(sequenceNumber),
      indexes: Uint32Array.from(indexes)
    })
  }
  return { kind: 'read-back', generation, kinesisRecords: stored.length, droppedAggregates, foreignRecords }
}

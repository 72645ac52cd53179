/**
 * A stream that was deleted and made anew under its name while nobody asked it: the same shard ids, other ranges.
 */
import { expect, test } from 'vitest'
import type { Batch } from '../../src/model/kinesis-record.ts'
import { decodeEnvelope } from '../../src/wire/decode.ts'
import { MAX_HASH_KEY } from '../../src/wire/hash-key.ts'
import { PipelineWorld } from '../parity/pipeline-world.ts'

const FORMER = shards(10n)
const PRESENT = shards(77n)

test('what is open for a shard that has another range now does not mix with what comes', () => {
  const world = new PipelineWorld(FORMER)
  world.put('former shard 1, present shard 0', 20n)
  world.put('shard 1', 100n)

  world.stream.shardsListed(PRESENT, world.nowMs)
  world.put('shard 0', 30n)
  world.put('shard 1 too', 200n)

  expect(textsByShard(world.flush())).toEqual({
    'shardId-000000000000': ['former shard 1, present shard 0', 'shard 0'],
    'shardId-000000000001': ['shard 1', 'shard 1 too']
  })
})

test('an aggregate of before that landed where it was meant to is judged by its members, and goes again by shard', () => {
  const world = new PipelineWorld(FORMER)
  const first = world.put('shard 1', 100n)
  const second = world.put('former shard 1, present shard 0', 20n)
  const sent = world.flush()

  world.stream.shardsListed(PRESENT, world.nowMs)
  world.answer(sent, [{ shardId: 'shardId-000000000001', sequenceNumber: '1' }])

  expect([first.fate, second.fate]).toEqual([undefined, undefined])
  expect(textsByShard(world.flush())).toEqual({
    'shardId-000000000000': ['former shard 1, present shard 0'],
    'shardId-000000000001': ['shard 1']
  })
})

function shards(lastOfFirst: bigint) {
  return [
    { shardId: 'shardId-000000000000', startingHashKey: '0', endingHashKey: String(lastOfFirst) },
    {
      shardId: 'shardId-000000000001',
      startingHashKey: String(lastOfFirst + 1n),
      endingHashKey: String(MAX_HASH_KEY)
    }
  ]
}

/** The user records of a request, in order. */
function textsByShard({ entries }: Batch): Record<string, string[]> {
  const texts: Record<string, string[]> = {}
  for (const { lane, isAggregate, data } of entries) {
    const shardId = lane.shardId ?? ''
    const members = isAggregate ? decodeEnvelope(data).map(member => member.data) : [data]
    texts[shardId] = [...(texts[shardId] ?? []), ...members.map(bytes => Buffer.from(bytes).toString())]
  }
  return texts
}

/**
 * `ordering: 'key'` where a lane does not hold its records by age: [g1, g2] may stand before [h, g3], though h, of another
 * key, is older than all of them. Nothing that happens to the lane may let g3 pass.
 */
import { expect, test } from 'vitest'
import { decodeEnvelope } from '../../src/wire/decode.ts'
import { PipelineWorld, shards } from '../parity/pipeline-world.ts'

const RECORD_TTL_MS = 120_000
/** Of the same hash key. */
const G = 20n

/** One shard's lane with [e, g0], [g1, g2] and [h, g3], kept back by s, which is out. e, g0 and h are older by 900 ms. */
function lane() {
  const options = { ordering: 'key', aggregationMaxBytes: 250, recordTtlMs: RECORD_TTL_MS, retryBaseMs: 1 } as const
  const world = new PipelineWorld(undefined, options)
  const put = (name: string, hashKey: bigint, bytes: number) => world.put(name.padEnd(bytes, '.'), hashKey)
  put('s', 1n, 10)
  put('e', 2n, 150)
  put('g0', G, 30)
  put('h', 3n, 80)
  world.pass(900)
  put('g1', G, 70)
  put('g2', G, 70)
  // No map to be had: every hash key has an envelope, and [g0, g1, g2] is older than [h].
  world.stream.shardsFailed(world.nowMs)
  const out = world.flush()
  put('g3', G, 40)
  // One shard: e leaves no room for g1, nor g1 and g2 for h.
  world.stream.shardsListed(shards([0]), world.nowMs)
  return { world, out }
}

/** Answers one request after the other, and returns the user records in the order in which they are stored. */
function storedIn({ world, out }: ReturnType<typeof lane>): string[] {
  const stored: string[] = []
  for (let next = [out]; next.length > 0; next = world.sent.splice(0)) {
    for (const batch of next) {
      const sequenceNumber = String(stored.length)
      const answers = batch.entries.map(({ data, isAggregate, lane }) => {
        const members = isAggregate ? decodeEnvelope(data).map(member => member.data) : [data]
        stored.push(...members.map(bytes => Buffer.from(bytes).toString().replaceAll('.', '')))
        return { shardId: lane.shardId ?? 'shardId-000000000000', sequenceNumber }
      })
      world.answer(batch, answers, 1)
    }
    world.stream.flush(world.nowMs)
    world.pass(20)
  }
  return stored
}

test('left alone, the lane is stored as it stands', () => {
  expect(storedIn(lane())).toEqual(['s', 'e', 'g0', 'g1', 'g2', 'h', 'g3'])
})

test('a reshard takes the lane apart as it stands', () => {
  const { world, out } = lane()

  world.stream.shardsListed(shards([1, 10n], [2]), world.nowMs)

  const stored = storedIn({ world, out })
  expect(stored.filter(name => name.startsWith('g'))).toEqual(['g0', 'g1', 'g2', 'g3'])
  expect(stored.toSorted()).toEqual(['e', 'g0', 'g1', 'g2', 'g3', 'h', 's'])
})

test('what expires in its envelope does not bring its siblings to the front', () => {
  const { world, out } = lane()

  world.pass(RECORD_TTL_MS - 890)

  expect(storedIn({ world, out })).toEqual(['s', 'g1', 'g2', 'g3'])
})

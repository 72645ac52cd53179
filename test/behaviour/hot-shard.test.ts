import { expect, test } from 'vitest'
import { Harness } from '../support/harness.ts'

const BUFFER_BYTES = 4_000_000
const HALF = BUFFER_BYTES / 2
const DATA = 'x'.repeat(30_000)
const LAST_HASH_KEY = (1n << 128n) - 1n

/** Two shards with traffic, the first of which throttles everything. */
async function withDeadShard(): Promise<Harness> {
  const harness = new Harness({ shardCount: 2, bufferMaxBytes: BUFFER_BYTES, recordTtlMs: Number.POSITIVE_INFINITY })
  for (const hashKey of [0n, LAST_HASH_KEY]) harness.put('warm', 'warm', hashKey)
  await harness.settle(harness.producer.flush())
  harness.faults.add({
    action: { kind: 'throttle', shardIds: ['shardId-000000000000'] },
    match: { operation: 'PutRecords' }
  })
  return harness
}

async function fill(harness: Harness, explicitHashKey: bigint): Promise<number> {
  let takenCount = 0
  while (harness.producer.tryPut({ partitionKey: 'k', data: DATA, explicitHashKey })) {
    takenCount++
    if (takenCount % 10 === 0) await harness.pass(1)
    if (takenCount > 1000) throw new Error('the buffer has no bound')
  }
  return takenCount
}

test('a shard that takes nothing takes no more than half of the buffer, and a little that is under way', async () => {
  const harness = await withDeadShard()

  await fill(harness, 0n)

  const { bufferedBytes } = harness.producer.stats()
  expect(bufferedBytes).toBeGreaterThan(HALF * 0.9)
  expect(bufferedBytes).toBeLessThan(HALF * 1.25)
})

test('while one shard is full, records of the others are taken and delivered', async () => {
  const harness = await withDeadShard()
  await fill(harness, 0n)

  const slots = Array.from({ length: 20 }, (_, i) => harness.put('k', `${i}`, LAST_HASH_KEY))
  await harness.pass(500)

  expect(slots.map(({ settled }) => settled?.result?.shardId)).toEqual(Array(20).fill('shardId-000000000001'))
})

test('ready() waits for the shard that refused a record, and does not spin', async () => {
  const harness = await withDeadShard()
  await fill(harness, 0n)
  let isReady = false
  void harness.producer.ready().then(() => {
    isReady = true
  })

  await harness.pass(5_000)
  const wasReady = isReady
  harness.faults.clear()
  await harness.pass(60_000)

  expect([wasReady, isReady]).toEqual([false, true])
  expect(harness.producer.tryPut({ partitionKey: 'k', data: DATA, explicitHashKey: 0n })).toBe(true)
})

test('a stream of one shard may use the whole buffer', async () => {
  const harness = new Harness({ bufferMaxBytes: BUFFER_BYTES, recordTtlMs: Number.POSITIVE_INFINITY })
  await harness.warm()
  harness.faults.add({ action: { kind: 'throttle' }, match: { operation: 'PutRecords' } })

  await fill(harness, 0n)

  expect(harness.producer.stats().bufferedBytes).toBeGreaterThan(BUFFER_BYTES * 0.95)
})

/** The sequences that docs/delivery.md tells, told by the library itself. */
import { expect, test } from 'vitest'
import { deaggregateAll } from '../../src/consumer/deaggregate.ts'
import { Harness, STREAM } from '../support/harness.ts'

const HALF = 2n ** 127n
const LOW = { startingHashKey: 0n, endingHashKey: HALF - 1n }

test('a split between map and request: all three records are sent again, and a KCL reader sees each once', async () => {
  const harness = await new Harness({ shardCount: 1 }).warm()
  const startMs = harness.clock.nowMs()
  harness.kinesis.splitShard({ StreamName: STREAM, ShardToSplit: idOf(0), NewStartingHashKey: String(HALF) })

  const slots = [harness.put('a', 'a', 1n), harness.put('b', 'b', 2n * HALF - 1n), harness.put('c', 'c', 2n)]
  await harness.settle(harness.producer.flush())

  const told = slots.map(({ settled }) => ({
    shardId: settled?.result?.shardId,
    attempts: settled?.result?.attempts.map(({ errorCode, shardId }) => [errorCode ?? 'ok', shardId])
  }))
  expect(told).toEqual([
    {
      shardId: idOf(1),
      attempts: [
        ['WrongShard', idOf(1)],
        ['ok', idOf(1)]
      ]
    },
    {
      shardId: idOf(2),
      attempts: [
        ['WrongShard', idOf(1)],
        ['ok', idOf(2)]
      ]
    },
    {
      shardId: idOf(1),
      attempts: [
        ['WrongShard', idOf(1)],
        ['ok', idOf(1)]
      ]
    }
  ])
  const tookMs = slots.map(({ settled }) => settled!.atMs - startMs)
  expect(tookMs.every(ms => ms > 950 && ms < 1300)).toBe(true)
  expect({
    kcl: readLow(harness, 'kcl'),
    filter: readLow(harness, 'filter'),
    keep: readLow(harness, 'keep'),
    high: harness
      .stored()
      .filter(({ shardId }) => shardId === idOf(2))
      .map(({ data }) => data)
  }).toEqual({ kcl: ['a', 'c'], filter: ['a', 'c', 'a', 'c'], keep: ['a', 'b', 'c', 'a', 'c'], high: ['b'] })
})

test('a merge between map and request: the aggregate is acknowledged where it is', async () => {
  const harness = await new Harness({ shardCount: 2 }).warm()
  harness.kinesis.mergeShards({ StreamName: STREAM, ShardToMerge: idOf(0), AdjacentShardToMerge: idOf(1) })

  const slots = [harness.put('a', 'a', 1n), harness.put('c', 'c', 2n)]
  await harness.settle(harness.producer.flush())

  expect(slots.map(({ settled }) => [settled?.result?.shardId, settled?.result?.attempts.length])).toEqual([
    [idOf(2), 1],
    [idOf(2), 1]
  ])
})

test.each([
  ['aggregated', true],
  ['plain', false]
])("with ordering: 'key' a shard takes one %s Kinesis record per round trip", async (_, aggregationEnabled) => {
  const harness = new Harness({ ordering: 'key', aggregationEnabled, latencyMs: 15, throughputLimits: false })
  await harness.warm()
  const startMs = harness.clock.nowMs()
  const before = harness.producer.stats().streams[STREAM]!.kinesisRecordsPut
  for (let i = 0; i < 100; i++) harness.put(`key-${i}`, new Uint8Array(aggregationEnabled ? 5000 : 10))

  await harness.settle(harness.producer.flush())

  const kinesisRecords = harness.producer.stats().streams[STREAM]!.kinesisRecordsPut - before
  expect(harness.clock.nowMs() - startMs).toBe(kinesisRecords * 30)
})

test("with ordering: 'key' and no shard map, the stream takes one Kinesis record of one key per round trip", async () => {
  const harness = new Harness({ shardCount: 4, ordering: 'key', latencyMs: 15 })
  harness.faults.add({
    match: { operation: 'ListShards' },
    action: { kind: 'failRequest', errorCode: 'AccessDeniedException' }
  })
  await harness.warm()
  const startMs = harness.clock.nowMs()
  for (let i = 0; i < 30; i++) harness.put(`key-${i % 10}`, 'x')

  await harness.settle(harness.producer.flush())

  expect(harness.clock.nowMs() - startMs).toBe(10 * 30)
})

test.each(['reset', 'silence'] as const)(
  'in an outage (%s) a record fails within its time to live and one request',
  async kind => {
    const harness = new Harness({ recordTtlMs: 10_000 })
    await harness.warm()
    harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind } })
    const slots: { readonly putMs: number; readonly slot: ReturnType<Harness['put']> }[] = []
    for (let i = 0; i < 10; i++) {
      slots.push({ putMs: harness.clock.nowMs(), slot: harness.put(`key-${i}`, 'x') })
      await harness.pass(3000)
    }

    await harness.pass(60_000)

    const tookMs = slots.map(({ putMs, slot }) => slot.settled!.atMs - putMs)
    expect(tookMs.filter(ms => ms < 10_000 || ms > 16_000)).toEqual([])
  }
)

test('a buffering time that is not below the time to live is refused', () => {
  const open = () => new Harness({ recordTtlMs: 1000, recordMaxBufferedTimeMs: 10_000 })

  expect(open).toThrow('recordMaxBufferedTimeMs must be less than recordTtlMs (1000 ms), got 10000')
})

test('a record that was stored in a wrong shard before counts as a possible duplicate', async () => {
  const harness = await new Harness({ shardCount: 1 }).warm()
  harness.kinesis.splitShard({ StreamName: STREAM, ShardToSplit: idOf(0), NewStartingHashKey: String(HALF) })
  harness.put('a', 'a', 1n)
  harness.put('b', 'b', 2n * HALF - 1n)

  await harness.settle(harness.producer.flush())

  expect(harness.producer.stats().streams[STREAM]!.duplicatesPossible).toBe(2)
})

test('a process that stops loses what was not acknowledged, and nothing else', async () => {
  const harness = await new Harness().warm()
  const before = Array.from({ length: 10 }, (_, i) => harness.put('k', `before ${i}`))
  await harness.pass(500)
  const buffered = Array.from({ length: 5 }, (_, i) => harness.put('k', `buffered ${i}`))

  // From here on nothing runs any more.
  const stored = harness.stored().map(({ data }) => data)

  const isAcknowledged = ({ settled }: { settled?: { result?: unknown } }) => settled?.result !== undefined
  expect([before.every(isAcknowledged), buffered.some(isAcknowledged)]).toEqual([true, false])
  expect(stored).toEqual(['warm', ...before.map((_, i) => `before ${i}`)])
})

test('a second close gets the answer of the first, and may only shorten the wait', async () => {
  const harness = await new Harness().warm()
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'silence' } })
  const slot = harness.put('k', 'x')
  await harness.pass(200)

  const first = harness.producer.close({ timeoutMs: 2000 })
  const second = harness.producer.close({ timeoutMs: 1 })
  const third = harness.producer.close({ timeoutMs: 60_000 })

  expect(await harness.settle(second)).toEqual({ delivered: 0, failed: 1 })
  expect(await Promise.all([first, third])).toEqual([
    { delivered: 0, failed: 1 },
    { delivered: 0, failed: 1 }
  ])
  expect([slot.settled?.error?.code, slot.settled?.error?.persisted, slot.settled?.error?.attempts]).toEqual([
    'KPL_ERR_CLOSE_TIMEOUT',
    'maybe',
    [{ startMs: expect.any(Number), endMs: 1_000_221, errorCode: 'Unanswered', errorMessage: expect.any(String) }]
  ])
})

function idOf(number: number): string {
  return `shardId-${String(number).padStart(12, '0')}`
}

/** What a reader of shard 1 sees, in order. */
function readLow(harness: Harness, outOfRange: 'kcl' | 'filter' | 'keep'): string[] {
  const records = harness.kinesis
    .storedRecords(STREAM)
    .filter(({ shardId }) => shardId === idOf(1))
    .map(({ data, partitionKey, sequenceNumber }) => ({
      Data: data,
      PartitionKey: partitionKey,
      SequenceNumber: sequenceNumber
    }))
  return [...deaggregateAll(records, { shardRange: LOW, outOfRange })].map(({ data }) => Buffer.from(data).toString())
}

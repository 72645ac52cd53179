/** A transport of the user's that never answers: nothing waits for it for ever. */
import { expect, test } from 'vitest'
import { KinesisProducer } from '../../src/index.ts'
import type { Transport } from '../../src/model/ports.ts'
import { VirtualClock } from '../../src/testing/index.ts'

const OPTIONS = { streamName: 's', recordTtlMs: 1_000, requestTimeoutMs: 500, recordMaxBufferedTimeMs: 100 }
const ALL_SHARDS = [{ shardId: 'shardId-000000000000', startingHashKey: '0', endingHashKey: String(2n ** 128n - 1n) }]

test('records whose request is never answered fail once their time and that of a request are over, and may be stored', async () => {
  const clock = new VirtualClock(0)
  const producer = new KinesisProducer(OPTIONS, { transport: silent(), clock, random: () => 0.5 })
  const told: unknown[] = []
  void producer.put({ partitionKey: 'k', data: 'v' }).catch((error: unknown) => told.push(error))

  await pass(clock, 1_400)
  const early = told.length
  await pass(clock, 300)

  expect([early, told]).toEqual([
    0,
    [
      expect.objectContaining({
        code: 'KPL_ERR_EXPIRED',
        persisted: 'maybe',
        message: 'stream s: not acknowledged within recordTtlMs (1000 ms); last attempt: Unanswered'
      })
    ]
  ])
  expect(producer.stats()).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0, inFlightRequests: 0 })
})

test('an answer that comes after that is not heard', async () => {
  const clock = new VirtualClock(0)
  let answer: (value: { records: { shardId: string; sequenceNumber: string }[] }) => void = () => {}
  const putRecords: Transport['putRecords'] = () => new Promise(resolve => (answer = resolve))
  const late = { ...silent(), putRecords }
  const producer = new KinesisProducer(OPTIONS, { transport: late, clock, random: () => 0.5 })
  const told: unknown[] = []
  void producer.put({ partitionKey: 'k', data: 'v' }).catch((error: unknown) => told.push(error))
  await pass(clock, 1_700)

  answer({ records: [{ shardId: 'shardId-000000000000', sequenceNumber: '1' }] })
  await pass(clock, 100)

  expect([told.length, producer.stats().delivered, producer.stats().failed]).toEqual([1, 0, 1])
})

/** Passes time in small steps, and lets promises settle between them. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 10) {
    clock.advanceBy(10)
    for (let i = 0; i < 5; i++) await Promise.resolve()
  }
}

function silent(): Transport {
  return {
    putRecords: () => new Promise<never>(() => {}),
    listShards: async () => ALL_SHARDS,
    describeStream: async () => ({ status: 'ACTIVE', recordDistribution: 'USER_PARTITION_KEY' }),
    close: () => {}
  }
}

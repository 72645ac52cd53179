import { expect, test } from 'vitest'
import { Harness } from '../support/harness.ts'

test('a flush does not wait for buffering times when streams share the slots', async () => {
  const harness = new Harness({ maxInFlightRequests: 1, latencyMs: 5 })
  harness.kinesis.createStream({ StreamName: 'clicks', ShardCount: 1 })
  const { producer } = harness
  for (const streamName of ['orders', 'clicks']) producer.tryPut({ streamName, partitionKey: 'warm', data: 'warm' })
  await harness.settle(producer.flush())
  const startMs = harness.clock.nowMs()
  const endsMs: number[] = []

  for (const streamName of ['orders', 'clicks']) {
    producer.tryPut({ streamName, partitionKey: 'key', data: 'data' }, () =>
      endsMs.push(harness.clock.nowMs() - startMs)
    )
  }
  await harness.settle(producer.flush())

  // Two requests of 10 ms each, one after the other.
  expect(endsMs).toEqual([10, 20])
})

import { expect, test } from 'vitest'
import { MetricsWindow } from '../../src/metrics/metrics-window.ts'
import { Harness, STREAM } from '../support/harness.ts'
import { Observed } from './fixture.ts'

test('windows tell what came since their own last look, with the least and greatest of that span', async () => {
  const observed = await new Observed().open()
  const [often, seldom] = [new MetricsWindow(observed), new MetricsWindow(observed)]
  const bytesOf = (window: MetricsWindow) => window.read()[STREAM]?.metrics.KinesisRecordsDataPut

  await observed.send(['k', 'x'.repeat(10)])
  const first = bytesOf(often)
  await observed.send(['k', 'x'.repeat(30)])
  const second = bytesOf(often)
  const both = bytesOf(seldom)
  const nothing = bytesOf(seldom)

  expect({ first, second, both, nothing }).toEqual({
    first: { count: 1, sum: 10, min: 10, max: 10 },
    second: { count: 1, sum: 30, min: 30, max: 30 },
    both: { count: 2, sum: 40, min: 10, max: 30 },
    nothing: { count: 0, sum: 0, min: 0, max: 0 }
  })
})

test('looking changes nothing that stats() says', async () => {
  const observed = await new Observed({ shardCount: 2 }).open()
  const window = new MetricsWindow(observed)
  await observed.send(['a', 'x'], ['b', 'y'])
  const before = observed.stats()

  window.read()
  window.read()

  expect(observed.stats()).toEqual(before)
})

test('a stream, and a shard, that came after the window was opened are in its next look as a whole', async () => {
  const observed = await new Observed().open()
  observed.harness.kinesis.createStream({ StreamName: 'late', ShardCount: 1 })
  const window = new MetricsWindow(observed)

  observed.put('k', 'x', () => {}, 'late')
  await observed.harness.pass(2_000)

  const { metrics, shards } = window.read()['late']!
  expect([metrics.UserRecordsPut.sum, Object.values(shards).map(shard => shard.metrics.UserRecordsPut.sum)]).toEqual([
    1,
    [1]
  ])
})

test('a closed window is empty and makes room for another', async () => {
  const observed = await new Observed().open()
  const windows = Array.from({ length: 16 }, () => new MetricsWindow(observed))
  expect(() => new MetricsWindow(observed)).toThrow(RangeError)

  windows[0]!.close()

  expect([windows[0]!.read(), Object.keys(new MetricsWindow(observed).read())]).toEqual([{}, [STREAM]])
})

test('a source that does not hand the cursor on is refused', async () => {
  const observed = await new Observed().open()

  expect(() => new MetricsWindow({ stats: () => observed.stats() })).toThrow(
    new TypeError('stats(cursor) gave no window: it must hand its cursor on')
  )
})

// src/producer/kinesis-producer.ts: `stats` does not hand a cursor on to `snapshot` yet.
test('a KinesisProducer is a source', async () => {
  const harness = await new Harness().warm()
  const window = new MetricsWindow(harness.producer)

  harness.put('k', 'x')
  await harness.settle(harness.producer.flush())

  expect(window.read()[STREAM]?.metrics.UserRecordsPut).toEqual({ count: 1, sum: 1, min: 1, max: 1 })
})

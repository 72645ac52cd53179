import { expect, test } from 'vitest'
import { Aggregator } from '../../src/lanes/aggregator.ts'
import type { KinesisRecord } from '../../src/model/kinesis-record.ts'
import { accepted } from '../support/accepted.ts'

test('a record that must leave alone leaves behind what its lane has open, and before what other lanes have', () => {
  const emitted: KinesisRecord[] = []
  const aggregator = new Aggregator(
    { aggregationEnabled: true, aggregationMaxCount: 100, aggregationMaxBytes: 51_200, containerKey: 'a' },
    record => emitted.push(record)
  )
  aggregator.add(accepted('key', 'first', { lane: 'one', number: 1 }))
  aggregator.add(accepted('key', 'second', { lane: 'one', number: 2 }))
  aggregator.add(accepted('other', 'third', { lane: 'two', number: 3 }))

  aggregator.addAlone(accepted('key', 'fourth', { lane: 'one', number: 4 }), true)

  expect(emitted.map(({ members }) => members.numbers)).toEqual([[1, 2], [4]])
  expect(aggregator.laneCount).toBe(1)
})

import { expect, test } from 'vitest'
import { StreamCounts } from '../../src/stats/stream-counts.ts'

test('more shards than may be told apart share one entry', () => {
  const counts = new StreamCounts()

  for (let i = 0; i < 10_050; i++) counts.delivered(`shardId-${i}`, 2, 8)

  const { shards, metrics } = counts.snapshot()
  expect([Object.keys(shards).length, shards['_OTHER']?.userRecordsPut, metrics.UserRecordsPut.sum]).toEqual([
    10_001, 100, 20_100
  ])
})

test('more pairs of code and shard than may be told apart are counted for the stream alone', () => {
  const counts = new StreamCounts()

  for (let code = 0; code < 100; code++) {
    for (let shard = 0; shard < 150; shard++) counts.error(`Code${code}`, `shardId-${shard}`, 1)
  }

  const { shards, errorsByCode, allErrors } = counts.snapshot()
  const pairs = Object.values(shards).flatMap(shard => Object.keys(shard.errorsByCode))
  expect([pairs.length, sumOf(errorsByCode), allErrors]).toEqual([10_000, 15_000, 15_000])
})

test('a sample without a shard belongs to the stream and to no shard', () => {
  const counts = new StreamCounts()

  counts.error('InternalFailure', undefined, 3)

  const { shards, metrics, errorsByCode } = counts.snapshot()
  expect([shards, metrics.AllErrors, errorsByCode, counts.userRecordsByCode]).toEqual([
    {},
    { count: 1, sum: 1, min: 1, max: 1 },
    { InternalFailure: 1 },
    { InternalFailure: 3 }
  ])
})

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

test('what is no name, but was answered as one, is counted as other', () => {
  const counts = new StreamCounts()

  for (const code of ['constructor', '__proto__', 'a b', '']) counts.error(code, '__proto__', 1)

  const { shards, errorsByCode } = counts.snapshot()
  expect([Object.keys(shards), errorsByCode]).toEqual([['_OTHER'], { constructor: 1, _OTHER: 3 }])
})

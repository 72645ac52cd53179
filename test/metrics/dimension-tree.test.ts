/** The KPL's metrics_manager_test, on our tree: which data there are, and what is in them. */
import { describe, expect, test } from 'vitest'
import { DimensionTree, type ExtraDimension, type TreeOptions } from '../../src/metrics/dimension-tree.ts'
import { AT, STREAM_STATISTICS, Statistics } from '../../src/stats/statistics.ts'
import { StreamCounts } from '../../src/stats/stream-counts.ts'
import type { StreamReading } from '../../src/stats/stream-stats.ts'

const NINETY_NINE = Array.from({ length: 100 }, (_, i) => i)

describe('RequestGeneration: two streams, one of them with two shards, are five data in this order', () => {
  const window = {
    MyStream: reading(),
    MyStream2: reading(['shard-0', 'shard-1'])
  }

  test('with dimensions, units and statistic sets', () => {
    const tree = treeOf({})

    tree.add(window)

    const data = tree.takeAll().map(({ name, unit, dimensions, set }) => [name, unit, dimensions, set])
    expect(data).toEqual([
      ['BufferingTime', 'Milliseconds', [], { count: 300, sum: 14_850, min: 0, max: 99 }],
      ['BufferingTime', 'Milliseconds', [['StreamName', 'MyStream']], one()],
      ['BufferingTime', 'Milliseconds', [['StreamName', 'MyStream2']], { count: 200, sum: 9_900, min: 0, max: 99 }],
      ['BufferingTime', 'Milliseconds', [...shardOf('shard-0')], one()],
      ['BufferingTime', 'Milliseconds', [...shardOf('shard-1')], one()]
    ])
  })

  test.each([
    ['global', 1],
    ['stream', 3],
    ['shard', 5]
  ] as const)('of which granularity %s lets %i through', (granularity, count) => {
    const tree = treeOf({ granularity })

    tree.add(window)

    expect(tree.takeAll().length).toBe(count)
  })

  test('and several producers, and what is restored, add up', () => {
    const tree = treeOf({ granularity: 'global' })

    tree.add(window)
    tree.restore(tree.takeAll())
    tree.add(window)

    expect(tree.takeAll().map(({ set }) => set)).toEqual([{ count: 600, sum: 29_700, min: 0, max: 99 }])
  })

  function one() {
    return { count: 100, sum: 4_950, min: 0, max: 99 }
  }

  function shardOf(shardId: string) {
    return [
      ['StreamName', 'MyStream2'],
      ['ShardId', shardId]
    ] as const
  }
})

describe('ExtraDimensions', () => {
  test('one at each place: six data, each with one dimension more', () => {
    const tree = treeOf({ dimensions: [extra('a', 'global'), extra('b', 'stream'), extra('c', 'shard')] })

    tree.add({ MyStream: reading(['shard-0']) })

    expect(chainsOf(tree)).toEqual([
      '',
      'a=A',
      'a=A StreamName=MyStream',
      'a=A StreamName=MyStream b=B',
      'a=A StreamName=MyStream b=B ShardId=shard-0',
      'a=A StreamName=MyStream b=B ShardId=shard-0 c=C'
    ])
  })

  test('without a shard: four', () => {
    const tree = treeOf({ dimensions: [extra('a', 'global'), extra('b', 'stream'), extra('c', 'shard')] })

    tree.add({ MyStream: reading() })

    expect(chainsOf(tree)).toEqual(['', 'a=A', 'a=A StreamName=MyStream', 'a=A StreamName=MyStream b=B'])
  })

  test('two at each place: nine, in the order they were given', () => {
    const places = ['global', 'global', 'stream', 'stream', 'shard', 'shard'] as const
    const tree = treeOf({ dimensions: places.map((place, i) => extra('abcdef'[i]!, place)) })

    tree.add({ MyStream: reading(['shard-0']) })

    expect(chainsOf(tree)).toEqual([
      '',
      'a=A',
      'a=A b=B',
      'a=A b=B StreamName=MyStream',
      'a=A b=B StreamName=MyStream c=C',
      'a=A b=B StreamName=MyStream c=C d=D',
      'a=A b=B StreamName=MyStream c=C d=D ShardId=shard-0',
      'a=A b=B StreamName=MyStream c=C d=D ShardId=shard-0 e=E',
      'a=A b=B StreamName=MyStream c=C d=D ShardId=shard-0 e=E f=F'
    ])
  })
})

test('an error code stands before the stream, so that it can be seen over all streams', () => {
  const tree = treeOf({ dimensions: [extra('a', 'global')] })
  const counts = new StreamCounts()
  counts.error('Throttled', 's-1', 1)
  counts.error('Throttled', undefined, 1)
  counts.error('Denied', undefined, 1)

  tree.add({ orders: { ...counts.snapshot(), metrics: new Statistics(STREAM_STATISTICS).snapshot().metrics } })

  const data = tree.takeAll().filter(({ name }) => name === 'ErrorsByCode')
  expect(data.map(({ dimensions, set }) => `${textOf(dimensions)}: ${set.sum}`)).toEqual([
    ': 3',
    'a=A: 3',
    'a=A ErrorCode=Denied: 1',
    'a=A ErrorCode=Throttled: 2',
    'a=A ErrorCode=Denied StreamName=orders: 1',
    'a=A ErrorCode=Throttled StreamName=orders: 2',
    'a=A ErrorCode=Throttled StreamName=orders ShardId=s-1: 1'
  ])
})

test('a stream given by its ARN goes by its name', () => {
  const tree = treeOf({ granularity: 'stream' })

  tree.add({ 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders': reading() })

  expect(chainsOf(tree)).toEqual(['', 'StreamName=orders'])
})

function treeOf(options: Partial<TreeOptions>): DimensionTree {
  return new DimensionTree({ level: 'detailed', granularity: 'shard', dimensions: [], ...options })
}

/** 0 to 99 as samples of BufferingTime, of the stream itself or of each of its shards. */
function reading(shardIds: readonly (string | undefined)[] = [undefined]): StreamReading {
  const counts = new StreamCounts()
  for (const shardId of shardIds) {
    for (const value of NINETY_NINE) counts.samplesOf(shardId).addEqual(AT.BufferingTime, 1, value)
  }
  return counts.snapshot()
}

function extra(name: string, granularity: ExtraDimension['granularity']): ExtraDimension {
  return { name, value: name.toUpperCase(), granularity }
}

function chainsOf(tree: DimensionTree): string[] {
  return tree.takeAll().map(({ dimensions }) => textOf(dimensions))
}

function textOf(dimensions: readonly (readonly [string, string])[]): string {
  return dimensions.map(([name, value]) => `${name}=${value}`).join(' ')
}

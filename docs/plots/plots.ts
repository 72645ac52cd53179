/**
 * The plots of the documentation, by file name.
 * Invariant: drawn from `figures.ts` alone; `npm run docs` writes the files, and a test compares them.
 */
import { MEBIBYTE } from '../../src/model/limits.ts'
import { type Axis, type Chart, draw } from './chart.ts'
import { orderedBytesPerSecond, shardThroughput } from './figures.ts'

export function plots(): Readonly<Record<string, string>> {
  return { 'shard-throughput.svg': draw(throughput()), 'ordering-cost.svg': draw(ordering()) }
}

function throughput(): Chart {
  const sizes = logarithmic(10, 100_000, 81).map(Math.round)
  return {
    title: 'What one shard takes, by the size of a user record',
    x: {
      title: 'bytes of data in a user record (partition key: 20 bytes)',
      min: 10,
      max: 100_000,
      ticks: decades(1, 5)
    },
    y: { title: 'user records per second', min: 1, max: 100_000, ticks: decades(0, 5) },
    series: [
      { name: 'full aggregates of 51,200 bytes', points: sizes.map(size => [size, shardThroughput(size).aggregated]) },
      { name: 'without aggregation', points: sizes.map(size => [size, shardThroughput(size).plain]), isDashed: true }
    ]
  }
}

function ordering(): Chart {
  const roundTrips = logarithmic(1, 1000, 121)
  const curves: readonly (readonly [string, number])[] = [
    ['aggregates of 512,000 bytes', 512_000],
    ['aggregates of 204,800 bytes', 204_800],
    ['aggregates of 51,200 bytes (default)', 51_200],
    ['single records of 1,000 bytes', 1000]
  ]
  return {
    title: "ordering: 'key': what one shard takes from one producer",
    x: { title: 'milliseconds from request to answer', min: 1, max: 1000, ticks: decades(0, 3) },
    y: {
      title: 'bytes per second',
      min: 1024,
      max: 2 * MEBIBYTE,
      ticks: [
        [1024, '1 KiB'],
        [10_240, '10 KiB'],
        [102_400, '100 KiB'],
        [MEBIBYTE, '1 MiB']
      ]
    },
    series: curves.map(([name, bytes], index) => ({
      name,
      points: roundTrips.map(ms => [ms, orderedBytesPerSecond(bytes, ms)] as const),
      isDashed: index === curves.length - 1
    }))
  }
}

function logarithmic(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from * (to / from) ** (i / (count - 1)))
}

function decades(from: number, to: number): Axis['ticks'] {
  return Array.from({ length: to - from + 1 }, (_, i) => {
    const value = 10 ** (from + i)
    return [value, value.toLocaleString('en-US')] as const
  })
}

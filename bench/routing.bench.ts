/**
 * From a partition key to its shard: the key cache and the shard map, for keys that repeat and keys that never do, at 1
 * to 10,000 shards; against node:crypto and bigints, the obvious way.
 * Verified before it is timed: both find the same shards.
 */
import { createHash } from 'node:crypto'
import { KeyCache } from '../src/core/key-cache.ts'
import { ShardMap } from '../src/core/shard-map.ts'
import type { ShardHashRange } from '../src/index.ts'
import { Lane } from '../src/lanes/lane.ts'
import { DiscardTransport } from '../src/testing/index.ts'
import { meterSync, perSecond } from './harness/meter.ts'
import { type Cell, type LinePlot, metric, type Report } from './harness/report.ts'
import { ROUNDS, scaled, thinned } from './harness/settings.ts'
import { median } from './harness/statistics.ts'

const SHARDS = [1, 10, 100, 1000, 10_000]
const REPEATED_KEYS = 4096
const LOOKUPS = scaled(1_000_000, 20_000)
const OBVIOUS_LOOKUPS = scaled(200_000, 5000)

type Finder = (partitionKey: string) => string

export async function run(): Promise<Report> {
  const rows: Cell[][] = []
  const lines: Record<string, [number, number][]> = {}
  for (const shards of thinned(SHARDS)) {
    const listing = await new DiscardTransport({ shards }).listShards()
    verify(listing)
    for (const [name, keys, count, open] of CASES) {
      const samples: number[] = []
      for (let round = -1; round < ROUNDS; round++) {
        const rate = measure(open(listing), keys, count, round)
        if (round >= 0) samples.push(rate)
      }
      rows.push([
        name,
        keys,
        shards.toLocaleString('en-US'),
        metric('records/s', samples),
        metric('ns', nanos(samples))
      ])
      const line = (lines[`${name}, ${keys} keys`] ??= [])
      line.push([shards, median(nanos(samples))])
    }
  }
  const plot: LinePlot = {
    kind: 'lines',
    title: 'time to find a shard, without the obvious way',
    xTitle: 'shards',
    yTitle: 'ns a key',
    xScale: 'log',
    lines: Object.entries(lines)
      .filter(([label]) => label.startsWith(OURS))
      .map(([label, points]) => ({ label, side: 'ours', points }))
  }
  const columns = ['way', 'keys', 'shards', 'keys looked up', 'time a key']
  return { title: 'Hash key and shard', tables: [{ title: 'partition key to shard', columns, rows }], plots: [plot] }
}

const OURS = 'key cache and shard map'
const OBVIOUS = 'createHash and bigints'
const CASES: readonly [string, 'repeated' | 'unique', number, (listing: readonly ShardHashRange[]) => Finder][] = [
  [OURS, 'repeated', LOOKUPS, openOurs],
  [OURS, 'unique', LOOKUPS, openOurs],
  [OBVIOUS, 'unique', OBVIOUS_LOOKUPS, openObvious]
]

function openOurs(listing: readonly ShardHashRange[]): Finder {
  const map = new ShardMap(listing)
  const lanes = map.shardIds.map(shardId => new Lane({ kind: 'shard', shardId }, 150, 0))
  const cache = new KeyCache()
  return partitionKey => {
    const key = cache.get(partitionKey)!
    // As the router does it: a remembered key keeps its lane while the map stays.
    if (key.laneTable !== map || key.lane === undefined) {
      key.lane = lanes[map.indexOf(key.words, key.at)]!
      key.laneTable = map
    }
    return key.lane.shardId!
  }
}

function openObvious(listing: readonly ShardHashRange[]): Finder {
  const ends = listing.map(({ endingHashKey }) => BigInt(endingHashKey))
  return partitionKey => {
    const hashKey = BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`)
    let low = 0
    let high = ends.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (hashKey <= ends[middle]!) high = middle
      else low = middle + 1
    }
    return listing[low]!.shardId
  }
}

function verify(listing: readonly ShardHashRange[]): void {
  const [ours, obvious] = [openOurs(listing), openObvious(listing)]
  for (let i = 0; i < 3 * REPEATED_KEYS; i++) {
    const key = `user-${i % (2 * REPEATED_KEYS)}`
    if (ours(key) !== obvious(key)) throw new Error(`${key} is in ${obvious(key)}, not in ${ours(key)}`)
  }
}

function measure(find: Finder, kind: 'repeated' | 'unique', count: number, round: number): number {
  const keys = Array.from({ length: kind === 'unique' ? count : REPEATED_KEYS }, (_, i) => `user-${round}-${i}`)
  let characters = 0
  const { wallMs } = meterSync(() => {
    for (let i = 0; i < count; i++) characters += find(keys[i % keys.length]!).length
  })
  if (characters === 0) throw new Error('nothing was found')
  return perSecond(count, wallMs)
}

function nanos(rates: readonly number[]): number[] {
  return rates.map(rate => 1e9 / rate)
}

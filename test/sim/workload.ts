/**
 * The actions of users and operators in one run: puts in bursts, aborts, flushes, close; reshards, AUTO, recreation.
 * Invariant: everything is planned from the seed before the run begins, but for what callbacks do.
 */
import { FakeServiceError } from '../../src/testing/index.ts'
import { drawRecord } from './records.ts'
import type { World } from './world.ts'

const MAX_SHARDS = 24
const MAX_CALLBACK_PUTS = 50
/** Beyond a record's own time limit no caller aborts it. */
const MAX_ABORT_DELAY_MS = 3_000

/** Plans the safety phase. */
export function planWorkload(world: World): void {
  const { config, clock } = world
  const startMs = clock.nowMs()
  const random = world.random.split('workload')
  const place = () => startMs + random() * config.safetyMs
  for (let planned = 0; planned < config.recordCount; planned += config.burst) {
    world.at(place(), () => putBurst(world, config.burst))
  }
  for (let i = 0; i < 6; i++) world.at(place(), () => putInvalid(world, i))
  for (const atMs of config.reshards) world.at(startMs + atMs, () => reshard(world))
  for (const [i, atMs] of config.autoFlips.entries()) world.at(startMs + atMs, () => flip(world, i % 2 === 0))
  for (const atMs of config.recreates) world.at(startMs + atMs, () => recreate(world))
  const flushCount = Math.ceil(config.rates.flush * 20)
  for (let i = 0; i < flushCount; i++) world.at(place(), () => world.flush())
  if (config.closeMs < Number.POSITIVE_INFINITY) {
    world.at(startMs + config.closeMs, () => world.close(config.closeTimeoutMs))
  }
}

function putBurst(world: World, count: number): void {
  for (let i = 0; i < count; i++) putOne(world)
}

function putOne(world: World): void {
  const { faults, ledger, config } = world
  const record = drawRecord(recordStream(world), config, ledger.puts.length)
  const put = world.put(record, { isAbortable: config.rates.abort > 0, onSettled: () => callBack(world) })
  if (put === undefined || !faults.happens('abort')) return
  world.at(world.clock.nowMs() + faults.draw('delay') ** 3 * MAX_ABORT_DELAY_MS, () => world.abort(put))
}

/** The actions of users inside a callback. */
function callBack(world: World): void {
  const { faults, ledger, config } = world
  if (!faults.happens('callbackPuts')) return
  const isBusy = ledger.puts.length > config.recordCount + MAX_CALLBACK_PUTS
  if (!isBusy) putOne(world)
  const dice = faults.draw('delay')
  if (dice < 0.1) world.flush()
  const other = ledger.puts[Math.floor(faults.draw('delay') * ledger.puts.length)]
  if (dice > 0.8 && other !== undefined) world.abort(other)
  if (dice > 0.98 && config.mode === 'short') world.close(config.closeTimeoutMs)
}

const streams = new WeakMap<World, ReturnType<World['random']['split']>>()

function recordStream(world: World): ReturnType<World['random']['split']> {
  let stream = streams.get(world)
  if (stream === undefined) {
    stream = world.random.split('records')
    streams.set(world, stream)
  }
  return stream
}

function putInvalid(world: World, which: number): void {
  const data = 'never to be seen'
  const records = [
    { partitionKey: '', data },
    { partitionKey: 'k'.repeat(257), data },
    { partitionKey: '\ud800', data },
    { partitionKey: 'k', data, explicitHashKey: '-1' },
    { partitionKey: 'k', data, explicitHashKey: (1n << 128n).toString() },
    { partitionKey: 'k', data, explicitHashKey: '007' }
  ]
  if (world.closingMs === undefined) world.putInvalid(records[which]!)
}

function reshard(world: World): void {
  const { kinesis, trace } = world
  const random = world.faults.draw('reshard')
  const { streamName } = world.config.streams[Math.floor(random * world.config.streams.length)]!
  ifAllowed(() => {
    const open = kinesis.listShards({ StreamName: streamName, ShardFilter: { Type: 'AT_LATEST' } }).Shards
    const kind = world.faults.draw('reshard')
    const index = Math.floor(world.faults.draw('reshard') * open.length)
    const { ShardId, HashKeyRange } = open[index]!
    trace.event('r', open.length)
    trace.say(() => `reshard of ${open.length} shards`)
    if (kind < 0.4 && open.length < MAX_SHARDS) {
      const start = BigInt(HashKeyRange.StartingHashKey)
      const span = BigInt(HashKeyRange.EndingHashKey) - start
      kinesis.splitShard({
        StreamName: streamName,
        ShardToSplit: ShardId,
        NewStartingHashKey: (start + 1n + (span * BigInt(Math.floor(kind * 200))) / 100n).toString()
      })
    } else if (kind < 0.7 && open.length > 1) {
      const below = sortedPair(open, index)
      kinesis.mergeShards({ StreamName: streamName, ShardToMerge: below[0], AdjacentShardToMerge: below[1] })
    } else kinesis.reshard(streamName, 1 + Math.floor(kind * 12))
  })
}

type Listed = { readonly ShardId: string; readonly HashKeyRange: { readonly StartingHashKey: string } }

function sortedPair(open: readonly Listed[], index: number): [string, string] {
  const sorted = [...open].sort((left, right) =>
    BigInt(left.HashKeyRange.StartingHashKey) < BigInt(right.HashKeyRange.StartingHashKey) ? -1 : 1
  )
  const at = Math.min(index, sorted.length - 2)
  return [sorted[at]!.ShardId, sorted[at + 1]!.ShardId]
}

function flip(world: World, isAuto: boolean): void {
  world.trace.event('u', Number(isAuto))
  world.trace.say(() => `distribution is ${isAuto ? 'AUTO' : 'by key'}`)
  ifAllowed(() =>
    world.kinesis.updateStreamRecordDistributionStrategy({
      StreamName: 'orders',
      RecordDistributionStrategy: isAuto ? 'AUTO' : 'USER_PARTITION_KEY'
    })
  )
}

/** The stream is deleted, and comes back a little later with other ranges under the same shard ids. */
function recreate(world: World): void {
  const { kinesis, book, clock, config } = world
  world.trace.event('R', 0)
  world.trace.say(() => 'the stream is deleted')
  ifAllowed(() => {
    book.endLife('orders')
    kinesis.deleteStream({ StreamName: 'orders' })
    world.at(clock.nowMs() + 200 + world.faults.draw('delay') * 3_000, () => {
      world.trace.say(() => 'the stream is created again')
      const mode = config.autoFlips.length > 0 ? 'ON_DEMAND' : 'PROVISIONED'
      ifAllowed(() =>
        kinesis.createStream({
          StreamName: 'orders',
          ShardCount: 1 + Math.floor(world.faults.draw('delay') * 6),
          StreamModeDetails: { StreamMode: mode }
        })
      )
    })
  })
}

/** An operation that the stream's state may forbid: then it does not happen. */
function ifAllowed(operate: () => void): void {
  try {
    operate()
  } catch (error) {
    if (!(error instanceof FakeServiceError)) throw error
  }
}

/**
 * A stream reader on a fake Kinesis and a clock that jumps.
 * Invariant: nothing waits in real time; whatever the service answers can be replaced, call by call.
 */
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { aggregate } from '../../src/consumer/deaggregate.ts'
import type { Clock } from '../../src/model/ports.ts'
import {
  type ReadStreamOptions,
  readStream,
  type StreamReader,
  type StreamRecord
} from '../../src/reader/read-stream.ts'
import { FakeKinesis, FakeServiceError, VirtualClock } from '../../src/testing/index.ts'

export const STREAM = { StreamName: 'orders' }
export const SHARDS = [
  'shardId-000000000000',
  'shardId-000000000001',
  'shardId-000000000002',
  'shardId-000000000003'
] as const
/** MD5 of these is in the lower and in the upper half of the hash keys. */
export const LOW_KEY = 'a'
export const HIGH_KEY = 'b'
export const MIDDLE = `${1n << 127n}`

interface Call {
  readonly name: string
  readonly atMs: number
}

/** What a call answers instead of what the service would; undefined: the service answers. */
export interface Overrides {
  of: ((name: string, input: Readonly<Record<string, unknown>>) => { readonly answer: unknown } | undefined) | undefined
}

/** A fake Kinesis, an SDK client on it, and a clock that jumps to its next wake-up whenever nothing else can happen. */
export function setUp(shardCount = 1) {
  const time = new VirtualClock(1_000_000)
  const kinesis = new FakeKinesis({ nowMs: () => time.nowMs() })
  kinesis.createStream({ ...STREAM, ShardCount: shardCount })
  const calls: Call[] = []
  const faults: Error[] = []
  const overrides: Overrides = { of: undefined }
  const clock = jumping(time)
  const send = async (
    command: { input: never; constructor: { name: string } },
    options?: { abortSignal?: AbortSignal }
  ) => {
    options?.abortSignal?.throwIfAborted()
    const { name } = command.constructor
    calls.push({ name, atMs: time.nowMs() })
    const fault = name === 'GetRecordsCommand' ? faults.shift() : undefined
    if (fault !== undefined) throw fault
    const instead = overrides.of?.(name, command.input)
    if (instead !== undefined) return instead.answer
    try {
      return answer(kinesis, name, command.input)
    } catch (error) {
      throw error instanceof FakeServiceError ? serviceError(error.code, error.statusCode) : error
    }
  }
  const client = { send } as unknown as KinesisClient
  const read = (options: ReadStreamOptions = {}): StreamReader =>
    readStream(client, 'orders', { clock, random: () => 1, follow: false, onRetry: () => {}, ...options })
  return { time, kinesis, calls, faults, overrides, read, clock, client }
}

export type SetUp = ReturnType<typeof setUp>

/** Replaces the next answer to that command. */
export function once(overrides: Overrides, name: string, instead: { readonly answer: unknown }): void {
  overrides.of = called => {
    if (called !== name) return undefined
    overrides.of = undefined
    return instead
  }
}

/** Splits an open shard in its middle, or merges two neighbours. */
export function reshard(kinesis: FakeKinesis, pick: <Value>(values: readonly Value[]) => Value): void {
  const open = kinesis
    .listShards(STREAM)
    .Shards.filter(({ SequenceNumberRange }) => SequenceNumberRange.EndingSequenceNumber === undefined)
    .sort((left, right) =>
      BigInt(left.HashKeyRange.StartingHashKey) < BigInt(right.HashKeyRange.StartingHashKey) ? -1 : 1
    )
  const [first, second] = open
  if (pick([true, false]) && second !== undefined) {
    kinesis.mergeShards({ ...STREAM, ShardToMerge: first!.ShardId, AdjacentShardToMerge: second.ShardId })
    return
  }
  const { ShardId, HashKeyRange } = pick(open)
  const middle = (BigInt(HashKeyRange.StartingHashKey) + BigInt(HashKeyRange.EndingHashKey)) / 2n + 1n
  kinesis.splitShard({ ...STREAM, ShardToSplit: ShardId, NewStartingHashKey: `${middle}` })
}

/** Goes on to the next wake-up once every promise that can run has run. */
function jumping(time: VirtualClock): Clock {
  let isPlanned = false
  const jump = (): void => {
    isPlanned = false
    if (time.nextAtMs !== undefined) time.runNext()
    plan()
  }
  const plan = (): void => {
    if (isPlanned || time.nextAtMs === undefined) return
    isPlanned = true
    setImmediate(jump)
  }
  return {
    nowMs: () => time.nowMs(),
    schedule: (atMs, wake) => {
      const timer = time.schedule(atMs, wake)
      plan()
      return timer
    }
  }
}

/** As the SDK: times are dates. */
function answer(kinesis: FakeKinesis, name: string, input: never): unknown {
  if (name === 'ListShardsCommand') return kinesis.listShards(input)
  if (name === 'GetShardIteratorCommand') {
    const { Timestamp, ...rest } = input as { Timestamp?: Date }
    return kinesis.getShardIterator({ ...rest, ...(Timestamp && { Timestamp: Timestamp.getTime() / 1000 }) } as never)
  }
  const { Records, ...rest } = kinesis.getRecords(input)
  return {
    ...rest,
    Records: Records.map(record => ({
      ...record,
      ApproximateArrivalTimestamp: new Date(record.ApproximateArrivalTimestamp * 1000)
    }))
  }
}

export function put(kinesis: FakeKinesis, text: string, PartitionKey: string = LOW_KEY): void {
  kinesis.putRecord({ ...STREAM, Data: Buffer.from(text), PartitionKey })
}

/** Puts user records, given as `key=text`, as one aggregate; it goes to the shard of the first. */
export function putAggregate(kinesis: FakeKinesis, ...items: string[]): void {
  const records = items.map(item => ({ partitionKey: item.split('=')[0]!, data: item.split('=')[1]! }))
  for (const { data, partitionKey, explicitHashKey } of aggregate(records)) {
    kinesis.putRecord({ ...STREAM, Data: data, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey })
  }
}

export const show = (record: StreamRecord): string =>
  `${SHARDS.indexOf(record.shardId as never)} ${record.partitionKey}=${Buffer.from(record.data).toString()}`

export async function collect(reader: StreamReader, limit = Number.POSITIVE_INFINITY): Promise<string[]> {
  const seen: string[] = []
  for await (const record of reader) {
    seen.push(show(record))
    if (seen.length >= limit) break
  }
  return seen
}

export function serviceError(name: string, httpStatusCode = 400): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } })
}

/**
 * What the tests of the fake Kinesis share: a model on a virtual clock, and readers of what it holds.
 * Invariant: no wall clock; the stream is called `orders`.
 */
import { FakeKinesis, type FakeKinesisOptions, FakeServiceError, VirtualClock } from '../../src/testing/index.ts'

export const STREAM = { StreamName: 'orders' }

export interface Fixture {
  readonly clock: VirtualClock
  readonly kinesis: FakeKinesis
}

export function fixture(shardCount: number, options: Partial<FakeKinesisOptions> = {}): Fixture {
  const clock = new VirtualClock(1_000_000)
  const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs(), ...options })
  kinesis.createStream({ ...STREAM, ShardCount: shardCount })
  return { clock, kinesis }
}

export function record(text: string, PartitionKey = 'key', ExplicitHashKey?: string) {
  return { Data: Buffer.from(text), PartitionKey, ExplicitHashKey }
}

/** Code and message of the FakeServiceError that `run` throws. */
export function refusal(run: () => unknown): { code: string; message: string; statusCode: number } | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (!(error instanceof FakeServiceError)) throw error
    return { code: error.code, message: error.message, statusCode: error.statusCode }
  }
}

/** What is stored, as text, by shard. */
export function contents(kinesis: FakeKinesis): string[] {
  return kinesis.storedRecords('orders').map(stored => `${stored.shardId}: ${Buffer.from(stored.data).toString()}`)
}

export function openRanges(kinesis: FakeKinesis): [bigint, bigint][] {
  const { Shards } = kinesis.listShards({ ...STREAM, ShardFilter: { Type: 'AT_LATEST' } })
  const ranges = Shards.map(({ HashKeyRange }): [bigint, bigint] => [
    BigInt(HashKeyRange.StartingHashKey),
    BigInt(HashKeyRange.EndingHashKey)
  ])
  return ranges.sort((left, right) => (left[0] < right[0] ? -1 : 1))
}

/**
 * Splits and merges shards of every stream, several times a minute.
 * Invariant: between MIN_SHARDS and MAX_SHARDS are open, enough for the rate and few enough to aggregate.
 */
import { setTimeout } from 'node:timers/promises'
import { type FakeKinesis, FakeServiceError, type SeededRandom, type Shard } from '../../src/testing/index.ts'

const MIN_SHARDS = 4
const MAX_SHARDS = 10
const MIN_PAUSE_MS = 1000
const MAX_PAUSE_MS = 6000

export class Resharding {
  count = 0
  readonly #kinesis: FakeKinesis
  readonly #random: SeededRandom
  readonly #stop = new AbortController()

  constructor(kinesis: FakeKinesis, random: SeededRandom) {
    this.#kinesis = kinesis
    this.#random = random
  }

  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const pauseMs = MIN_PAUSE_MS + this.#random() * (MAX_PAUSE_MS - MIN_PAUSE_MS)
      // An early end is what the signal is for.
      await setTimeout(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => {})
      for (const stream of this.#kinesis.listStreams().StreamNames) this.#reshard(stream)
    }
  }

  stop(): void {
    this.#stop.abort()
  }

  /** Of all streams. */
  openShardIds(): string[] {
    const { StreamNames } = this.#kinesis.listStreams()
    return StreamNames.flatMap(stream => this.#openShards(stream).map(shard => shard.ShardId))
  }

  #reshard(stream: string): void {
    const shards = this.#openShards(stream)
    const isSplit = shards.length <= MIN_SHARDS || (shards.length < MAX_SHARDS && this.#random() < 0.5)
    try {
      if (isSplit) this.#split(stream, shards)
      else this.#merge(stream, shards)
      this.count++
    } catch (error) {
      // It may be UPDATING still, or the shard too narrow.
      if (!(error instanceof FakeServiceError)) throw error
    }
  }

  #split(stream: string, shards: readonly Shard[]): void {
    const { ShardId, HashKeyRange } = shards[Math.floor(this.#random() * shards.length)]!
    const [start, end] = [BigInt(HashKeyRange.StartingHashKey), BigInt(HashKeyRange.EndingHashKey)]
    // Anywhere in the middle half.
    const part = BigInt(Math.round(250 + this.#random() * 500))
    const at = start + ((end - start) * part) / 1000n
    this.#kinesis.splitShard({ StreamName: stream, ShardToSplit: ShardId, NewStartingHashKey: at.toString() })
  }

  #merge(stream: string, shards: readonly Shard[]): void {
    const sorted = [...shards].sort((left, right) => (startOf(left) < startOf(right) ? -1 : 1))
    const at = Math.floor(this.#random() * (sorted.length - 1))
    const [lower, upper] = [sorted[at]!, sorted[at + 1]!]
    this.#kinesis.mergeShards({
      StreamName: stream,
      ShardToMerge: lower.ShardId,
      AdjacentShardToMerge: upper.ShardId
    })
  }

  #openShards(stream: string): readonly Shard[] {
    return this.#kinesis.listShards({ StreamName: stream, ShardFilter: { Type: 'AT_LATEST' } }).Shards
  }
}

function startOf({ HashKeyRange }: Shard): bigint {
  return BigInt(HashKeyRange.StartingHashKey)
}

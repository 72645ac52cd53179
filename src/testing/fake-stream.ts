/**
 * One stream: its status over time and its shards, open and closed.
 * Invariant: the open shards, in the order of their ranges, cover 0 to 2^128 - 1 without gap or overlap, and every
 * instant of the stream's life has exactly one such cover.
 */
import { MAX_HASH_KEY } from '../wire/hash-key.ts'
import type { RecordDistributionStrategy, StreamMode, StreamStatus } from './api-shapes.ts'
import { type ReshardStep, reshardSteps, uniformStarts } from './resharding.ts'
import { argumentError, FakeServiceError } from './service-error.ts'
import { ShardRouter } from './shard-router.ts'
import { StreamShard } from './stream-shard.ts'

export interface FakeStreamBirth {
  readonly streamName: string
  readonly streamArn: string
  readonly accountId: string
  /** Tells streams of one name apart: a stream that was deleted and created again has another. */
  readonly incarnation: number
  readonly shardCount: number
  readonly mode: StreamMode
  readonly distribution: RecordDistributionStrategy
  readonly maxRecordBytes: number
  readonly nowMs: number
  readonly activeAtMs: number
  /** The fake's counter behind all sequence numbers. */
  readonly nextOrdinal: () => number
}

interface PendingStep {
  readonly atMs: number
  readonly run: (atMs: number) => void
}

export class FakeStream {
  readonly streamName: string
  readonly streamArn: string
  readonly accountId: string
  readonly incarnation: number
  readonly createdAtMs: number
  readonly nextOrdinal: () => number
  mode: StreamMode
  distribution: RecordDistributionStrategy
  maxRecordBytes: number
  /** When the stream is gone; Infinity unless it is being deleted. */
  goneAtMs: number = Number.POSITIVE_INFINITY
  readonly #activeAtMs: number
  readonly #shards: Map<string, StreamShard> = new Map()
  #open: StreamShard[] = []
  #router: ShardRouter<StreamShard> | undefined
  #pendingSteps: PendingStep[] = []

  constructor(birth: FakeStreamBirth) {
    this.streamName = birth.streamName
    this.streamArn = birth.streamArn
    this.accountId = birth.accountId
    this.incarnation = birth.incarnation
    this.createdAtMs = birth.nowMs
    this.nextOrdinal = birth.nextOrdinal
    this.mode = birth.mode
    this.distribution = birth.distribution
    this.maxRecordBytes = birth.maxRecordBytes
    this.#activeAtMs = birth.activeAtMs
    const starts = uniformStarts(birth.shardCount)
    this.#open = starts.map((start, i) =>
      this.#openShard({ start, end: (starts[i + 1] ?? MAX_HASH_KEY + 1n) - 1n, openedAtMs: birth.nowMs })
    )
  }

  /** Runs the reshard steps that are due; every operation calls this first. */
  advance(nowMs: number): void {
    while (this.#pendingSteps.length > 0 && this.#pendingSteps[0]!.atMs <= nowMs) {
      const step = this.#pendingSteps.shift()!
      step.run(step.atMs)
    }
  }

  status(nowMs: number): StreamStatus {
    if (this.goneAtMs !== Number.POSITIVE_INFINITY) return 'DELETING'
    if (nowMs < this.#activeAtMs) return 'CREATING'
    return this.#pendingSteps.length > 0 ? 'UPDATING' : 'ACTIVE'
  }

  /** Every shard the stream ever had, in the order of their ids. */
  shards(): StreamShard[] {
    return [...this.#shards.values()]
  }

  /** The open shards in the order of their ranges. Not copied. */
  openShards(): readonly StreamShard[] {
    return this.#open
  }

  /** Throws ResourceNotFoundException for an id the stream never had. */
  shard(shardId: string): StreamShard {
    const found = this.#shards.get(shardId)
    if (found !== undefined) return found
    throw new FakeServiceError(
      'ResourceNotFoundException',
      `Could not find shard ${shardId} in stream ${this.streamName} under account ${this.accountId}.`
    )
  }

  /** The open shard for a key; `explicitHashKey` is valid decimal text. */
  shardOf(partitionKey: string, explicitHashKey: string | undefined): StreamShard {
    this.#router ??= new ShardRouter(this.#open)
    return this.#router.ownerOf(partitionKey, explicitHashKey)
  }

  /** Splits `shardId` so that the second child begins at `at`, when `atMs` comes. */
  scheduleSplit(shardId: string, at: bigint, atMs: number): void {
    const parent = this.#openShardNamed(shardId)
    const isInside = at > parent.start && at <= parent.end
    if (!isInside) {
      throw argumentError(
        `NewStartingHashKey ${at} used in SplitShard() on shard ${shardId} in stream ${this.streamName} under account ` +
          `${this.accountId} must be greater than the shard's StartingHashKey ${parent.start} and not greater than ` +
          `its EndingHashKey ${parent.end}.`
      )
    }
    this.#pendingSteps.push({ atMs, run: stepMs => this.#split(at, stepMs) })
  }

  /** Merges two shards whose ranges touch, when `atMs` comes. */
  scheduleMerge(shardId: string, adjacentShardId: string, atMs: number): void {
    const first = this.#openShardNamed(shardId)
    const second = this.#openShardNamed(adjacentShardId)
    const areAdjacent = first.end + 1n === second.start || second.end + 1n === first.start
    if (!areAdjacent) {
      throw argumentError(
        `Shards ${shardId} and ${adjacentShardId} in stream ${this.streamName} under account ${this.accountId} ` +
          'are not an adjacent pair of shards eligible for merging'
      )
    }
    const upper = first.start < second.start ? second : first
    this.#pendingSteps.push({ atMs, run: stepMs => this.#merge(upper.start, stepMs, shardId) })
  }

  /** Reshards to `targetShardCount` equal ranges, one split or merge every `stepMs` from `nowMs + stepMs` on. */
  scheduleUniform(targetShardCount: number, nowMs: number, stepMs: number): void {
    const steps = reshardSteps(
      this.#open.map(shard => shard.start),
      targetShardCount
    )
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!
      this.#pendingSteps.push({ atMs: nowMs + (i + 1) * stepMs, run: atMs => this.#runStep(step, atMs) })
    }
  }

  #runStep(step: ReshardStep, atMs: number): void {
    if (step.kind === 'split') this.#split(step.at, atMs)
    else this.#merge(step.at, atMs, undefined)
  }

  #split(at: bigint, nowMs: number): void {
    const index = this.#openIndexOf(at)
    const parent = this.#open[index]!
    const parentShardId = parent.shardId
    parent.close(nowMs, this.nextOrdinal())
    const children = [
      this.#openShard({ start: parent.start, end: at - 1n, parentShardId, openedAtMs: nowMs }),
      this.#openShard({ start: at, end: parent.end, parentShardId, openedAtMs: nowMs })
    ]
    parent.children.push(...children)
    this.#open.splice(index, 1, ...children)
    this.#router = undefined
  }

  /** Merges the two shards that meet at `at`; `parentShardId` names the main parent, default the lower one. */
  #merge(at: bigint, nowMs: number, parentShardId: string | undefined): void {
    const index = this.#openIndexOf(at)
    const lower = this.#open[index - 1]!
    const upper = this.#open[index]!
    const parent = parentShardId === upper.shardId ? upper : lower
    const adjacent = parent === upper ? lower : upper
    lower.close(nowMs, this.nextOrdinal())
    upper.close(nowMs, this.nextOrdinal())
    const child = this.#openShard({
      start: lower.start,
      end: upper.end,
      parentShardId: parent.shardId,
      adjacentParentShardId: adjacent.shardId,
      openedAtMs: nowMs
    })
    lower.children.push(child)
    upper.children.push(child)
    this.#open.splice(index - 1, 2, child)
    this.#router = undefined
  }

  #openShard(birth: {
    readonly start: bigint
    readonly end: bigint
    readonly openedAtMs: number
    readonly parentShardId?: string
    readonly adjacentParentShardId?: string
  }): StreamShard {
    const shard = new StreamShard({ ...birth, shardNumber: this.#shards.size, startingOrdinal: this.nextOrdinal() })
    this.#shards.set(shard.shardId, shard)
    return shard
  }

  #openShardNamed(shardId: string): StreamShard {
    const shard = this.shard(shardId)
    if (shard.isOpen) return shard
    throw argumentError(
      `Shard ${shardId} in stream ${this.streamName} under account ${this.accountId} is closed and cannot be resharded.`
    )
  }

  /** Index of the open shard that holds hash key `key`. */
  #openIndexOf(key: bigint): number {
    let low = 0
    let high = this.#open.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#open[middle]!.start <= key) low = middle
      else high = middle - 1
    }
    return low
  }
}

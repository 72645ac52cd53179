/**
 * One shard: its hash range, its place in the family tree, when it was open, and what it stored.
 * Invariant: range and parents never change; a closed shard never opens again and stores nothing more.
 */
import type { ChildShard, HashKeyRange, Shard } from './api-shapes.ts'
import { sequenceNumberText } from './sequence-number.ts'
import { ShardLog } from './shard-log.ts'
import { ShardThroughput } from './shard-throughput.ts'

export interface StreamShardBirth {
  /** The shard's number in its stream, from 0. */
  readonly shardNumber: number
  /** First hash key. */
  readonly start: bigint
  /** Last hash key, inclusive. */
  readonly end: bigint
  readonly parentShardId?: string | undefined
  readonly adjacentParentShardId?: string | undefined
  readonly openedAtMs: number
  readonly startingOrdinal: number
}

const SHARD_NUMBER_DIGITS = 12

export class StreamShard {
  readonly shardId: string
  readonly start: bigint
  readonly end: bigint
  readonly hashKeyRange: HashKeyRange
  readonly openedAtMs: number
  readonly log: ShardLog = new ShardLog()
  readonly throughput: ShardThroughput
  /** Set when the shard is closed, in the order of their ranges. */
  readonly children: StreamShard[] = []
  readonly #birth: StreamShardBirth
  #closedAtMs = Number.POSITIVE_INFINITY
  #endingOrdinal: number | undefined
  /** Records and bytes (data and keys) ever stored, and records refused for throughput. */
  recordCount = 0
  storedBytes = 0
  throttledCount = 0

  constructor(birth: StreamShardBirth) {
    this.shardId = `shardId-${String(birth.shardNumber).padStart(SHARD_NUMBER_DIGITS, '0')}`
    this.start = birth.start
    this.end = birth.end
    this.hashKeyRange = { StartingHashKey: birth.start.toString(), EndingHashKey: birth.end.toString() }
    this.openedAtMs = birth.openedAtMs
    this.throughput = new ShardThroughput(birth.openedAtMs)
    this.#birth = birth
  }

  get isOpen(): boolean {
    return this.#endingOrdinal === undefined
  }

  /** Infinity while the shard is open. */
  get closedAtMs(): number {
    return this.#closedAtMs
  }

  close(nowMs: number, endingOrdinal: number): void {
    this.#closedAtMs = nowMs
    this.#endingOrdinal = endingOrdinal
  }

  /** The shard as ListShards tells it at `asOfMs`; a shard closed later shows as open. */
  describe(asOfMs: number): Shard {
    const { parentShardId, adjacentParentShardId, startingOrdinal } = this.#birth
    const isClosed = this.#endingOrdinal !== undefined && this.#closedAtMs <= asOfMs
    return {
      ShardId: this.shardId,
      ...(parentShardId === undefined ? {} : { ParentShardId: parentShardId }),
      ...(adjacentParentShardId === undefined ? {} : { AdjacentParentShardId: adjacentParentShardId }),
      HashKeyRange: this.hashKeyRange,
      SequenceNumberRange: {
        StartingSequenceNumber: sequenceNumberText(startingOrdinal),
        ...(isClosed ? { EndingSequenceNumber: sequenceNumberText(this.#endingOrdinal!) } : {})
      }
    }
  }

  /** The shard as GetRecords names it at the end of its parent. */
  describeAsChild(): ChildShard {
    const { parentShardId, adjacentParentShardId } = this.#birth
    const parents = [parentShardId, adjacentParentShardId].filter(parent => parent !== undefined)
    return { ShardId: this.shardId, ParentShards: parents, HashKeyRange: this.hashKeyRange }
  }
}

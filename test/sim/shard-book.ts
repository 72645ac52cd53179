/**
 * The truth about a stream's shards and what lies in them, over every incarnation of the stream's name.
 * Invariant: read from the simulated service only, never from the producer; a shard's range and parents never change.
 */
import { type FakeKinesis, FakeServiceError, type StoredRecord } from '../../src/testing/index.ts'
import type { ReadShard } from '../../src/testing/kcl-reader.ts'

export type ShardTruth = ReadShard

/** One life of a stream: its shards and, once it is over or the run is, its records. */
export interface Incarnation {
  readonly streamName: string
  readonly shards: Map<string, ShardTruth>
  records: readonly StoredRecord[]
}

export class ShardBook {
  readonly incarnations: Incarnation[] = []
  readonly #kinesis: FakeKinesis
  readonly #current = new Map<string, Incarnation>()

  constructor(kinesis: FakeKinesis) {
    this.#kinesis = kinesis
  }

  /** The stream's present life; a request keeps it from when it was applied. */
  currentOf(streamName: string): Incarnation {
    const known = this.#current.get(streamName)
    if (known !== undefined) return known
    const born: Incarnation = { streamName, shards: new Map(), records: [] }
    this.#current.set(streamName, born)
    this.incarnations.push(born)
    return born
  }

  /** Undefined only for an id that this life of the stream never had. */
  shardOf(incarnation: Incarnation, shardId: string): ShardTruth | undefined {
    if (!incarnation.shards.has(shardId) && this.#current.get(incarnation.streamName) === incarnation) {
      this.#read(incarnation)
    }
    return incarnation.shards.get(shardId)
  }

  /** Keeps what the present life holds; call before a deletion, and at the end of the run. */
  endLife(streamName: string): void {
    const ending = this.currentOf(streamName)
    this.#read(ending)
    ending.records = this.#kinesis.storedRecords(streamName)
    this.#current.delete(streamName)
  }

  /** Keeps what every stream that is there holds. */
  endAll(streamNames: readonly string[]): void {
    for (const streamName of streamNames) {
      try {
        this.endLife(streamName)
      } catch (error) {
        // A stream that was deleted and not made again has nothing to keep.
        if (!(error instanceof FakeServiceError)) throw error
      }
    }
  }

  #read({ streamName, shards }: Incarnation): void {
    const { Shards } = this.#kinesis.listShards({ StreamName: streamName })
    for (const { ShardId, HashKeyRange, ParentShardId, AdjacentParentShardId } of Shards) {
      if (shards.has(ShardId)) continue
      shards.set(ShardId, {
        shardId: ShardId,
        start: BigInt(HashKeyRange.StartingHashKey),
        end: BigInt(HashKeyRange.EndingHashKey),
        parents: [ParentShardId, AdjacentParentShardId].filter(parent => parent !== undefined)
      })
    }
  }
}

/**
 * The shards of one stream as a reader sees them: where it is in each, and which may be read now.
 * Invariant: a shard is readable only when each of its parents that is known has ended.
 */
import type { ChildShard, HashKeyRange, Shard, ShardIteratorType } from '@aws-sdk/client-kinesis'
import {
  compareSequenceNumbers,
  type ExtendedSequenceNumber,
  formatSequenceNumber,
  parseSequenceNumber
} from '../deaggregate.ts'

/**
 * A place for each shard: `SHARD_END`, `TRIM_HORIZON`, `LATEST`, `AT_TIMESTAMP:` and milliseconds, or the last user
 * record that was done, as `formatSequenceNumber` prints it. A shard that is missing starts at its oldest record.
 */
export interface StreamPosition {
  readonly shards: Readonly<Record<string, string>>
}

/** The oldest record kept, only what comes from now on, a time in milliseconds since the epoch, or an earlier position. */
export type StreamStart = 'TRIM_HORIZON' | 'LATEST' | { readonly timestampMs: number } | StreamPosition

const SHARD_END = 'SHARD_END'
const TRIM_HORIZON = 'TRIM_HORIZON'
const LATEST = 'LATEST'
const AT_TIMESTAMP = 'AT_TIMESTAMP:'
const ALL_HASH_KEYS = { StartingHashKey: '0', EndingHashKey: `${2n ** 128n - 1n}` }

/** One shard being read. */
export class ShardCursor {
  readonly shardId: string
  readonly parents: readonly string[]
  readonly range: { readonly StartingHashKey: string | undefined; readonly EndingHashKey: string | undefined }
  iterator: string | undefined
  /** On the reader's clock. */
  nextReadMs = 0
  /** Reads in a row that failed. */
  failures = 0
  /** Whether the last answer reached the newest record. */
  isCaughtUp = false
  #place: string
  #lastDone: ExtendedSequenceNumber | undefined

  constructor(shardId: string, parents: readonly string[], range: HashKeyRange | undefined, place: string) {
    this.shardId = shardId
    this.parents = parents
    this.range = range ?? ALL_HASH_KEYS
    this.#place = place
    if (/^\d/.test(place)) this.#lastDone = parseSequenceNumber(place)
  }

  /** As in a `StreamPosition`. */
  get place(): string {
    return this.#lastDone === undefined ? this.#place : formatSequenceNumber(this.#lastDone)
  }

  get hasEnded(): boolean {
    return this.place === SHARD_END
  }

  /** Whether a restart at the place could miss records: nothing was read yet, and `LATEST` moves on. */
  get isAdrift(): boolean {
    return this.place === LATEST
  }

  isDone(record: ExtendedSequenceNumber): boolean {
    return this.#lastDone !== undefined && compareSequenceNumbers(record, this.#lastDone) <= 0
  }

  done({ sequenceNumber, subSequenceNumber }: ExtendedSequenceNumber): void {
    this.#lastDone = { sequenceNumber, subSequenceNumber }
  }

  end(): void {
    this.#place = SHARD_END
    this.#lastDone = undefined
    this.iterator = undefined
  }

  /** What to ask GetShardIterator for. In the middle of an aggregate, all of it is read again. */
  iteratorRequest(): { ShardIteratorType: ShardIteratorType; StartingSequenceNumber?: string; Timestamp?: Date } {
    if (this.#lastDone !== undefined) {
      return { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: this.#lastDone.sequenceNumber }
    }
    if (this.#place.startsWith(AT_TIMESTAMP)) {
      return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(Number(this.#place.slice(AT_TIMESTAMP.length))) }
    }
    return { ShardIteratorType: this.#place === LATEST ? 'LATEST' : 'TRIM_HORIZON' }
  }
}

/** All shards that are known. */
export class ShardTree {
  readonly #from: StreamStart
  readonly #cursors = new Map<string, ShardCursor>()

  constructor(from: StreamStart) {
    this.#from = from
  }

  /** Takes the first listing of all shards. */
  start(shards: readonly Shard[]): void {
    for (const shard of shards) this.#add(shard.ShardId!, parentsOf(shard), shard.HashKeyRange, this.#startOf(shard))
  }

  /** Takes shards that came up later: those not known are read from their beginning. */
  add(shards: readonly (Shard | ChildShard)[]): void {
    for (const shard of shards) this.#add(shard.ShardId!, parentsOf(shard), shard.HashKeyRange, TRIM_HORIZON)
  }

  /** The shards to be read now, the one that has waited longest first. */
  readable(): ShardCursor[] {
    const cursors = [...this.#cursors.values()]
    const isOpen = (shardId: string) => this.#cursors.get(shardId)?.hasEnded === false
    return cursors
      .filter(cursor => !cursor.hasEnded && !cursor.parents.some(isOpen))
      .sort((left, right) => left.nextReadMs - right.nextReadMs)
  }

  position(): StreamPosition {
    const given = typeof this.#from === 'object' && 'shards' in this.#from ? this.#from.shards : {}
    const places = [...this.#cursors.values()].map(cursor => [cursor.shardId, cursor.place] as const)
    return { shards: { ...given, ...Object.fromEntries(places) } }
  }

  #add(shardId: string, parents: readonly string[], range: HashKeyRange | undefined, place: string): void {
    if (!this.#cursors.has(shardId)) this.#cursors.set(shardId, new ShardCursor(shardId, parents, range, place))
  }

  #startOf(shard: Shard): string {
    const from = this.#from
    if (from === TRIM_HORIZON) return TRIM_HORIZON
    if (from === LATEST) return shard.SequenceNumberRange?.EndingSequenceNumber === undefined ? LATEST : SHARD_END
    if ('timestampMs' in from) return `${AT_TIMESTAMP}${from.timestampMs}`
    const shardId = shard.ShardId!
    return Object.hasOwn(from.shards, shardId) ? from.shards[shardId]! : TRIM_HORIZON
  }
}

function parentsOf(shard: Shard | ChildShard): string[] {
  if ('ParentShards' in shard) return shard.ParentShards ?? []
  const { ParentShardId, AdjacentParentShardId } = shard as Shard
  return [ParentShardId, AdjacentParentShardId].filter(parent => parent !== undefined)
}

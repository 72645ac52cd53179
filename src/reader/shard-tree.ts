/**
 * The shards of one stream as a reader sees them: where it is in each, and which may be read now.
 * Invariant: a shard is readable only when each of its parents that is known has ended; places are those of one stream, and none
 * of them counts once the listing contradicts one.
 */
import type { ShardIteratorType } from '@aws-sdk/client-kinesis'
import {
  compareSequenceNumbers,
  type ExtendedSequenceNumber,
  formatSequenceNumber,
  parseSequenceNumber
} from '../consumer/deaggregate.ts'
import type { KnownShard } from './answers.ts'

/**
 * A place for each shard: `SHARD_END`, `TRIM_HORIZON`, `LATEST`, `AT_TIMESTAMP:` and milliseconds, or the last user
 * record that was done, as `formatSequenceNumber` prints it. A shard that is missing starts at its oldest record.
 */
export interface StreamPosition {
  /** The place of each shard, by shard id. */
  readonly shards: Readonly<Record<string, string>>
}

/** The oldest record kept, only what comes from now on, a time in milliseconds since the epoch, or an earlier position. */
export type StreamStart =
  | 'TRIM_HORIZON'
  | 'LATEST'
  | {
      /** Milliseconds since the epoch: records that Kinesis took from then on. */
      readonly timestampMs: number
    }
  | StreamPosition

const SHARD_END = 'SHARD_END'
const TRIM_HORIZON = 'TRIM_HORIZON'
const LATEST = 'LATEST'
const AT_TIMESTAMP = 'AT_TIMESTAMP:'

/** A place in a `StreamPosition`. Numbers of 15 digits are exact, and times of so many are dates. */
export const PLACE: RegExp = /^(?:SHARD_END|TRIM_HORIZON|LATEST|AT_TIMESTAMP:\d{1,15}|\d{1,128}(?::\d{1,15})?)$/

/** One shard being read. */
export class ShardCursor {
  readonly shardId: string
  readonly parents: readonly string[]
  readonly range: KnownShard['range']
  /** Whether it was closed when it was listed: at its tip it has not ended yet, and its newest records are its children's. */
  readonly isClosed: boolean
  iterator: string | undefined
  /** On the reader's clock. */
  nextReadMs = 0
  /** Reads in a row that failed. */
  failures = 0
  /** Whether the last answer said that the shard has ended, and nothing else does yet. */
  isEndClaimed = false
  /** Whether the last answer reached the newest record. */
  isCaughtUp = false
  #place: string
  #lastDone: ExtendedSequenceNumber | undefined
  /** Whether `#lastDone` is of an earlier reading, and the service has not accepted it yet. */
  #isSaved: boolean

  constructor({ shardId, parents, range, endsAt }: KnownShard, place: string) {
    this.shardId = shardId
    this.parents = parents
    this.range = range
    this.isClosed = endsAt !== undefined
    this.#place = place
    if (/^\d/.test(place)) this.#lastDone = parseSequenceNumber(place)
    this.#isSaved = this.#lastDone !== undefined
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

  /** Whether the place is a saved number that the service has not accepted yet. */
  get isUnconfirmed(): boolean {
    return this.#isSaved
  }

  isDone(record: ExtendedSequenceNumber): boolean {
    return this.#lastDone !== undefined && compareSequenceNumbers(record, this.#lastDone) <= 0
  }

  done({ sequenceNumber, subSequenceNumber }: ExtendedSequenceNumber): void {
    this.#lastDone = { sequenceNumber, subSequenceNumber }
  }

  /** The service gave an iterator for the place. */
  confirm(): void {
    this.#isSaved = false
  }

  end(): void {
    this.#moveTo(SHARD_END)
  }

  /** Reads the shard from its beginning. */
  restart(): void {
    this.#moveTo(TRIM_HORIZON)
  }

  /** The input of GetShardIterator. In the middle of an aggregate, all of it is read again. */
  iteratorRequest(): { ShardIteratorType: ShardIteratorType; StartingSequenceNumber?: string; Timestamp?: Date } {
    if (this.#lastDone !== undefined) {
      return { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: this.#lastDone.sequenceNumber }
    }
    if (this.#place.startsWith(AT_TIMESTAMP)) {
      return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(Number(this.#place.slice(AT_TIMESTAMP.length))) }
    }
    return { ShardIteratorType: this.#place === LATEST ? 'LATEST' : 'TRIM_HORIZON' }
  }

  #moveTo(place: string): void {
    this.#place = place
    this.#lastDone = undefined
    this.#isSaved = false
    this.iterator = undefined
  }
}

/** All shards that are known. */
export class ShardTree {
  readonly #from: StreamStart
  /** The places of an earlier reading, as they were when this one was asked for. */
  #saved: ReadonlyMap<string, string>
  readonly #cursors = new Map<string, ShardCursor>()

  constructor(from: StreamStart) {
    this.#from = from
    this.#saved = new Map(isPosition(from) ? Object.entries(from.shards) : [])
  }

  /** Returns the first shard whose saved place cannot be of it. */
  staleShard(shards: readonly KnownShard[]): KnownShard | undefined {
    const parents = new Set(shards.flatMap(shard => shard.parents))
    return shards.find(shard => isStale(shard, this.placeOf(shard), parents.has(shard.shardId)))
  }

  /** Returns the saved place of a shard. */
  placeOf({ shardId }: KnownShard): string | undefined {
    return this.#saved.get(shardId)
  }

  /** Forgets every saved place: one that is of another stream says that all are. */
  forget(): void {
    this.#saved = new Map()
  }

  /** Takes the first listing of all shards. */
  start(shards: readonly KnownShard[]): void {
    for (const shard of shards) this.#add(shard, this.#startOf(shard))
  }

  /** Takes shards that came up later: those not known are read from their beginning. */
  add(shards: readonly KnownShard[]): void {
    for (const shard of shards) this.#add(shard, TRIM_HORIZON)
  }

  isKnown(shardId: string): boolean {
    return this.#cursors.has(shardId)
  }

  /** The shards to be read now, the one that has waited longest first. */
  readable(): ShardCursor[] {
    const cursors = [...this.#cursors.values()]
    const isOpen = (shardId: string) => this.#cursors.get(shardId)?.hasEnded === false
    return cursors
      .filter(cursor => !cursor.hasEnded && !cursor.parents.some(isOpen))
      .sort((left, right) => left.nextReadMs - right.nextReadMs)
  }

  /** Whether some shard has not ended. */
  get isWaiting(): boolean {
    return [...this.#cursors.values()].some(cursor => !cursor.hasEnded)
  }

  position(): StreamPosition {
    const places = [...this.#cursors.values()].map(cursor => [cursor.shardId, cursor.place] as const)
    return { shards: Object.fromEntries([...this.#saved, ...places]) }
  }

  #add(shard: KnownShard, place: string): void {
    if (!this.#cursors.has(shard.shardId)) this.#cursors.set(shard.shardId, new ShardCursor(shard, place))
  }

  #startOf(shard: KnownShard): string {
    const from = this.#from
    if (from === TRIM_HORIZON) return TRIM_HORIZON
    if (from === LATEST) return shard.endsAt === undefined ? LATEST : SHARD_END
    if (!isPosition(from)) return `${AT_TIMESTAMP}${from.timestampMs}`
    return this.placeOf(shard) ?? TRIM_HORIZON
  }
}

function isPosition(from: StreamStart): from is StreamPosition {
  return typeof from === 'object' && 'shards' in from
}

/**
 * Whether a saved place cannot be of this shard. Shard ids begin again when a stream is deleted and created again. Sequence:
 * shard 0 is read to its end and saved so -> the stream is deleted and created again -> shard 0 is open.
 */
function isStale(shard: KnownShard, place: string | undefined, hasChildren: boolean): boolean {
  if (place === undefined) return false
  if (place === SHARD_END) return shard.endsAt === undefined && !hasChildren
  if (!/^\d/.test(place)) return false
  const { sequenceNumber } = parseSequenceNumber(place)
  const isBefore = shard.startsAt !== undefined && BigInt(sequenceNumber) < BigInt(shard.startsAt)
  return isBefore || (shard.endsAt !== undefined && BigInt(sequenceNumber) > BigInt(shard.endsAt))
}

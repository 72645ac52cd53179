/**
 * Where a record goes, and whether it got there: shard map, stream mode and evidence from answers in one place.
 * It never knows envelopes, requests or settlements.
 * Invariant: a lane given to an accepted record is a shard of the map in use, or one hash key while there is none, or
 * nothing on a stream whose shards the service chooses; so whatever shares a lane belongs into one shard.
 */
import { type AcceptedRecord, type KinesisRecord, STREAM_LANE, UNROUTED_LANE } from '../model/kinesis-record.ts'
import type { Random } from '../model/ports.ts'
import type { HashedKey } from './key-cache.ts'
import { areMembersInRange } from './members.ts'
import { ShardDirectory } from './shard-directory.ts'
import type { ShardMap } from './shard-map.ts'
import type { StreamOptions } from './stream-options.ts'

/** Misrouted records in a row, under a map younger than their request, that mean the service chooses shards itself. */
const MAX_UNEXPLAINED_MISROUTES = 8

/**
 * How long records wait, packed but unrouted, for the first shard map and summary, if their time to live allows. They
 * usually come within the buffering time; sent before it, a start-up burst would go out in small aggregates of one key.
 */
const FIRST_MAP_WAIT_MS = 1_000
const FIRST_MAP_WAIT_PART = 1 / 2

type RoutingOptions = Pick<StreamOptions, 'recordTtlMs' | 'recordDistributionDefault'>

export class Router {
  readonly directory: ShardDirectory
  /** Whether keys decide the shard; false for service-managed (AUTO) streams, whose aggregates a KCL would drop. */
  isKeyed: boolean
  readonly #firstMapWaitMs: number
  #unexplainedMisroutes = 0
  #awaitUntilMs = Number.POSITIVE_INFINITY
  #hasListing: boolean
  #hasSummary: boolean
  /** Whether the owner says that keys decide the shard, which counts until a summary comes. */
  readonly #isKeyedByDefault: boolean
  /** Whether the last summary said so, or else the owner. */
  #isSurelyKeyed: boolean

  /** `blindUntilMs`: nothing is fetched before, and records do not wait for it. */
  constructor({ recordTtlMs, recordDistributionDefault }: RoutingOptions, random: Random, blindUntilMs?: number) {
    this.directory = new ShardDirectory(random, blindUntilMs)
    this.#hasListing = blindUntilMs !== undefined
    this.#hasSummary = blindUntilMs !== undefined
    this.isKeyed = recordDistributionDefault !== 'AUTO'
    this.#isKeyedByDefault = recordDistributionDefault === 'USER_PARTITION_KEY'
    this.#isSurelyKeyed = this.#isKeyedByDefault
    this.#firstMapWaitMs = Math.min(FIRST_MAP_WAIT_MS, recordTtlMs * FIRST_MAP_WAIT_PART)
  }

  /** Whether answers say that the service chooses shards itself, although it does not admit it. */
  get looksServiceManaged(): boolean {
    return this.isKeyed && this.#unexplainedMisroutes >= MAX_UNEXPLAINED_MISROUTES
  }

  /** Whether records wait for the stream's first map and summary rather than go without. */
  get isAwaiting(): boolean {
    return this.isKeyed && !(this.#hasListing && this.#hasSummary)
  }

  /** When the wait ends at the latest; Infinity when there is none. */
  get awaitUntilMs(): number {
    return this.isAwaiting ? this.#awaitUntilMs : Number.POSITIVE_INFINITY
  }

  /**
   * Whether user records may share an envelope at all. Where nothing is known, neither shards nor who chooses them, a KCL
   * might drop whatever is aggregated, and nobody would see it.
   */
  get mayAggregate(): boolean {
    return this.isKeyed && (this.isAwaiting || this.#isSurelyKeyed || this.directory.map !== undefined)
  }

  /** Whether there is neither a map nor the hope of one soon: only records of one hash key may go together. */
  get isRoutedByKey(): boolean {
    return this.isKeyed && !this.isAwaiting && this.directory.map === undefined
  }

  /** Listing and summary are being fetched since `nowMs`. */
  startAwaiting(nowMs: number): void {
    this.#awaitUntilMs = Math.min(this.#awaitUntilMs, nowMs + this.#firstMapWaitMs)
  }

  /** Returns true when the wait has just ended because it took too long. */
  stopAwaitingIfDue(nowMs: number): boolean {
    if (this.awaitUntilMs > nowMs) return false
    this.listingCame()
    this.summaryCame()
    return true
  }

  /** The listing came, or will not come for a while. */
  listingCame(): void {
    this.#hasListing = true
  }

  /** The summary came and says who chooses shards; undefined: it will not come for a while. */
  summaryCame(isKeyed?: boolean): void {
    this.#hasSummary = true
    if (isKeyed !== undefined) this.#isSurelyKeyed = isKeyed
  }

  /** The stream is gone: so is its map. Returns whether there was one. */
  forget(nowMs: number): boolean {
    this.#isSurelyKeyed = this.#isKeyedByDefault
    if (this.directory.map === undefined) return false
    this.directory.forget(nowMs)
    return true
  }

  /** Whether a queued record's lane is still right. */
  isCurrent(lane: string): boolean {
    if (this.directory.hasMoved(lane)) return false
    if (lane === UNROUTED_LANE || this.isAwaiting) return lane === UNROUTED_LANE && this.isAwaiting
    const isByShard = this.isKeyed && this.directory.map !== undefined
    return lane === STREAM_LANE ? !isByShard : isByShard && this.directory.map?.rangeOf(lane) !== undefined
  }

  /** The present lanes whose hash keys overlap those of a lane that is no more. */
  lanesOver(formerLane: string): readonly string[] {
    const { map } = this.directory
    if (!this.isKeyed || map === undefined) return [STREAM_LANE]
    const isUnknown = formerLane === STREAM_LANE || this.directory.hasMoved(formerLane)
    const former = isUnknown ? undefined : this.directory.rangeOf(formerLane)
    if (former === undefined) return map.shardIds
    return map.shardIds.filter(shardId => {
      const range = map.rangeOf(shardId)
      return range !== undefined && range.start <= former.end && former.start <= range.end
    })
  }

  /** Sets `predictedShard` and `lane`. `key`: the record's cached hash key, if it has one. */
  route(record: AcceptedRecord, key: HashedKey | undefined): void {
    const { map } = this.directory
    record.predictedShard = STREAM_LANE
    if (this.isAwaiting) {
      record.predictedShard = UNROUTED_LANE
      record.lane = UNROUTED_LANE
    } else if (this.isKeyed && map !== undefined) {
      record.predictedShard = key === undefined ? map.predict(record.hashWords, record.hashAt) : predict(key, map)
      record.lane = record.predictedShard
    } else {
      record.lane =
        record.explicitHashKey === undefined ? `key:${record.partitionKey}` : `hash:${record.explicitHashKey}`
    }
  }

  /**
   * Judges where an acknowledged record landed; `'unknown'`: the shard is in no map, and the answer must be judged again with the next. A plain record fits wherever it landed: nobody looks at the range of a
   * record that is not an aggregate. An aggregate without a prediction holds records of one hash key: it fits unless the
   * service chose the shard itself, which shows in the shard's range.
   */
  placementOf(record: KinesisRecord, shardId: string): 'fits' | 'misrouted' | 'unknown' {
    if (!record.isAggregate) return 'fits'
    // Sealed under the former ranges or under the present ones: only the members tell.
    if (record.predictedShard === shardId && !this.directory.hasMoved(shardId)) return 'fits'
    const range = this.directory.rangeOf(shardId)
    const isUnjudged = record.predictedShard === STREAM_LANE && this.directory.map === undefined
    if (range === undefined && isUnjudged) return 'fits'
    if (range === undefined) return this.directory.isRefreshing ? 'unknown' : 'misrouted'
    return areMembersInRange(record, range) ? 'fits' : 'misrouted'
  }

  /** Takes an acknowledgement as evidence about the map. Returns true when it contradicts the prediction. */
  learn(record: KinesisRecord, shardId: string, startMs: number, nowMs: number): boolean {
    if (record.predictedShard === STREAM_LANE) {
      const isJudged = record.isAggregate && this.directory.map !== undefined
      if (isJudged && this.directory.rangeOf(shardId) === undefined) {
        this.directory.contradicted(shardId, startMs, nowMs)
      }
      return false
    }
    if (record.predictedShard === shardId) {
      this.#unexplainedMisroutes = 0
      return false
    }
    const range = this.directory.rangeOf(shardId)
    const isUnexplained = range !== undefined && startMs > this.directory.loadedMs && !areMembersInRange(record, range)
    if (isUnexplained) this.#unexplainedMisroutes++
    this.directory.contradicted(shardId, startMs, nowMs)
    return true
  }
}

/** Hot: the prediction is kept with the key for as long as this map serves. */
function predict(key: HashedKey, map: ShardMap): string {
  if (key.predictedBy !== map) {
    key.predictedShard = map.predict(key.words, key.at)
    key.predictedBy = map
  }
  return key.predictedShard
}

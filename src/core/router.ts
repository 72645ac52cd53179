/**
 * The stream's mode, and the evidence for it: a record enters with its hash key, the lane that it belongs into leaves.
 * It never knows envelopes, requests or settlements.
 * Invariant: whatever shares an envelope belongs into one shard, as far as is known: a lane is one shard of the map in use, or
 * one hash key while there is none. `update` is called after everything that may change the mode; nothing else changes it.
 */
import type { Lane, LanePlace, LaneRecord } from '../lanes/lane.ts'
import type { Limiter } from '../lanes/limiter.ts'
import type { AcceptedRecord } from '../model/kinesis-record.ts'
import type { Random } from '../model/ports.ts'
import type { HashRange } from '../wire/hash-key.ts'
import type { HashedKey } from './key-cache.ts'
import { areMembersInRange } from './members.ts'
import { ShardDirectory } from './shard-directory.ts'
import type { ShardMap } from './shard-map.ts'
import type { StreamOptions } from './stream-options.ts'

/**
 * - `waiting`: for the first map and summary. Records are packed together, and packed again when the wait is over.
 * - `shards`: a map says which shard a record goes to.
 * - `keys`: there is no map, and keys decide the shard: only records of one hash key go together.
 * - `plain`: the service chooses shards, or the chooser is unknown. A KCL might drop aggregates, without an error.
 */
export type Mode = 'waiting' | 'shards' | 'keys' | 'plain'

/** The lanes of one shard map, made when they are first asked for. */
interface LaneTable {
  readonly map: ShardMap
  readonly lanes: (Lane | undefined)[]
}

/** Misrouted records in a row, under a map younger than their request, that mean the service chooses shards itself. */
const MAX_UNEXPLAINED_MISROUTES = 8

/**
 * How long records wait, packed but unrouted, for the first shard map and summary, if their time to live allows. They
 * usually come within the buffering time; sent before it, a start-up burst would go out in small aggregates of one key.
 */
const FIRST_MAP_WAIT_MS = 1_000
const FIRST_MAP_WAIT_PART = 1 / 2

type RouterOptions = Pick<StreamOptions, 'recordTtlMs' | 'recordDistributionDefault'>

export class Router {
  readonly directory: ShardDirectory
  readonly #limiter: Limiter
  readonly #firstMapWaitMs: number
  /** Whether the owner says that keys decide the shard, which counts until a summary comes. */
  readonly #isKeyedByDefault: boolean
  /** Whether the last summary said so, or else the owner. */
  #isSurelyKeyed: boolean
  #isKeyed: boolean
  #hasListing: boolean
  #hasSummary: boolean
  #waitUntilMs = Number.POSITIVE_INFINITY
  #unexplainedMisroutes = 0
  #mode: Mode
  #table: LaneTable | undefined
  /** The lane of all records in modes without a map. */
  #lane: Lane | undefined

  /** `blindUntilMs`: nothing is fetched before, and records do not wait for it. `limiter` makes the lanes. */
  constructor(options: RouterOptions, limiter: Limiter, random: Random, blindUntilMs?: number) {
    const { recordTtlMs, recordDistributionDefault } = options
    this.directory = new ShardDirectory(random, blindUntilMs)
    this.#limiter = limiter
    this.#hasListing = blindUntilMs !== undefined
    this.#hasSummary = blindUntilMs !== undefined
    this.#isKeyed = recordDistributionDefault !== 'AUTO'
    this.#isKeyedByDefault = recordDistributionDefault === 'USER_PARTITION_KEY'
    this.#isSurelyKeyed = this.#isKeyedByDefault
    this.#firstMapWaitMs = Math.min(FIRST_MAP_WAIT_MS, recordTtlMs * FIRST_MAP_WAIT_PART)
    this.#mode = this.#modeWith(undefined)
  }

  get mode(): Mode {
    return this.#mode
  }

  /** Whether keys decide the shard; false for service-managed (AUTO) streams, whose aggregates a KCL would drop. */
  get isKeyed(): boolean {
    return this.#isKeyed
  }

  /** Whether answers say that the service chooses shards itself, although it does not admit it. */
  get looksServiceManaged(): boolean {
    return this.#isKeyed && this.#unexplainedMisroutes >= MAX_UNEXPLAINED_MISROUTES
  }

  /** When the wait for the first map and summary ends at the latest; Infinity when there is none. */
  get waitUntilMs(): number {
    return this.#mode === 'waiting' ? this.#waitUntilMs : Number.POSITIVE_INFINITY
  }

  /** Returns the lane that the record belongs into. `key`: its cached hash key, if it has one. Hot. */
  laneOf(record: AcceptedRecord, key: HashedKey | undefined, nowMs: number): Lane {
    const table = this.#table
    if (table === undefined) return (this.#lane ??= this.#openLane(nowMs))
    if (key === undefined) return this.#laneAt(table, table.map.indexOf(record.hashWords, record.hashAt), nowMs)
    // The lane is kept with the key for as long as this map serves.
    if (key.laneTable !== table || key.lane === undefined) {
      key.lane = this.#laneAt(table, table.map.indexOf(key.words, key.at), nowMs)
      key.laneTable = table
    }
    return key.lane
  }

  /** The lane of an open shard, if it was used. */
  laneOfShard(shardId: string): Lane | undefined {
    const index = this.#table?.map.placeOf(shardId)
    return index === undefined ? undefined : this.#table?.lanes[index]
  }

  /** Recomputes the mode, and returns the lanes that are gone: their records must be packed again. */
  update(nowMs: number): readonly Lane[] {
    const former = this.#mode
    const { map } = this.directory
    this.#mode = this.#modeWith(map)
    const gone = this.#replaceTable(this.#mode === 'shards' ? map : undefined)
    const lane = this.#lane
    // A plain record may keep its lane when aggregates become allowed; an aggregate may not when they become forbidden.
    const isKept = this.#mode === former || (former === 'plain' && this.#mode === 'keys')
    if (lane !== undefined && !isKept) {
      gone.push(lane)
      this.#lane = this.#mode === 'plain' && former === 'keys' ? this.#openLane(nowMs, lane) : undefined
    }
    for (const lane of gone) lane.isGone = true
    return gone
  }

  /** Listing and summary are being fetched since `nowMs`. */
  startWaiting(nowMs: number): void {
    this.#waitUntilMs = Math.min(this.#waitUntilMs, nowMs + this.#firstMapWaitMs)
  }

  /** Ends the wait when it took too long. */
  stopWaitingIfDue(nowMs: number): void {
    if (this.waitUntilMs > nowMs) return
    this.listingCame()
    this.summaryCame(undefined)
  }

  /** The listing came, or will not come for a while. */
  listingCame(): void {
    this.#hasListing = true
  }

  /**
   * The summary came and says who chooses shards; undefined: it will not come for a while. Returns whether that is news of
   * the stream.
   */
  summaryCame(isKeyed: boolean | undefined): boolean {
    this.#hasSummary = true
    if (isKeyed === undefined) return false
    this.#isSurelyKeyed = isKeyed
    const isNews = this.#isKeyed !== isKeyed
    this.#isKeyed = isKeyed
    return isNews
  }

  /** The service chooses shards itself. */
  setServiceManaged(): void {
    this.#isKeyed = false
  }

  /** The stream is gone: so is its map. */
  forget(nowMs: number): void {
    this.#isSurelyKeyed = this.#isKeyedByDefault
    if (this.directory.map !== undefined) this.directory.forget(nowMs)
  }

  /**
   * Judges where an acknowledged record landed; `'unknown'`: the shard is in no map, and the answer must be judged again with
   * the next. A plain record fits wherever it landed: the range of a record that is not an aggregate does not matter. An
   * aggregate without a prediction holds records of one hash key: it fits unless the service chose the shard itself, which
   * shows in the shard's range.
   * `wasHeld`: it was `'unknown'` before.
   */
  placementOf(record: LaneRecord, shardId: string, wasHeld: boolean = false): 'fits' | 'misrouted' | 'unknown' {
    if (!record.isAggregate) return 'fits'
    const { lane } = record
    const range = this.directory.rangeOf(shardId)
    // A stream that was created again has shards of the same ids with other ranges.
    const isAsMeant = lane.shardId === shardId && (range === undefined || isSame(lane.range, range))
    // Sequence: no map knows the shard of an aggregate on a service-managed stream -> held -> the map is forgotten -> judged: nothing
    // speaks against the shard any more, and nothing for it.
    const isUnjudged = !wasHeld && lane.kind === 'stream' && range === undefined && this.directory.map === undefined
    if (isAsMeant || isUnjudged) return 'fits'
    if (range === undefined) return this.directory.isRefreshing ? 'unknown' : 'misrouted'
    return areMembersInRange(record, range) ? 'fits' : 'misrouted'
  }

  /** Takes an acknowledgement as evidence about the map. Returns true when it contradicts the prediction. */
  learn(record: LaneRecord, shardId: string, startMs: number, nowMs: number): boolean {
    const { lane } = record
    if (lane.shardId === shardId) {
      this.#unexplainedMisroutes = 0
      return false
    }
    const range = this.directory.rangeOf(shardId)
    if (lane.kind !== 'shard') {
      const isNews = record.isAggregate && this.directory.map !== undefined && range === undefined
      if (isNews) this.directory.contradicted(shardId, startMs, nowMs)
      return false
    }
    const isUnexplained = range !== undefined && startMs > this.directory.loadedMs && !areMembersInRange(record, range)
    if (isUnexplained) this.#unexplainedMisroutes++
    this.directory.contradicted(shardId, startMs, nowMs)
    return true
  }

  #modeWith(map: ShardMap | undefined): Mode {
    if (!this.#isKeyed) return 'plain'
    if (!this.#hasListing || !this.#hasSummary) return 'waiting'
    if (map !== undefined) return 'shards'
    return this.#isSurelyKeyed ? 'keys' : 'plain'
  }

  /** Takes over the lanes of shards that did not change, and returns the others. */
  #replaceTable(map: ShardMap | undefined): Lane[] {
    const former = this.#table
    if (former?.map === map) return []
    this.#table = map && { map, lanes: new Array<Lane | undefined>(map.shardIds.length) }
    const left = new Map<string | undefined, Lane>()
    for (const lane of former?.lanes ?? []) if (lane !== undefined) left.set(lane.shardId, lane)
    for (const [i, shardId] of (map?.shardIds ?? []).entries()) {
      const lane = left.get(shardId)
      if (lane === undefined || !isSame(lane.range, map?.rangeOf(shardId))) continue
      this.#table!.lanes[i] = lane
      left.delete(shardId)
    }
    return [...left.values()]
  }

  #laneAt({ map, lanes }: LaneTable, index: number, nowMs: number): Lane {
    const lane = lanes[index]
    if (lane !== undefined) return lane
    const shardId = map.shardIds[index]!
    return (lanes[index] = this.#limiter.open({ kind: 'shard', shardId, range: map.rangeOf(shardId)! }, nowMs))
  }

  #openLane(nowMs: number, former?: Lane): Lane {
    const place: LanePlace = { kind: this.#mode === 'waiting' ? 'waiting' : 'stream' }
    return this.#limiter.open(place, nowMs, former)
  }
}

function isSame(left: HashRange | undefined, right: HashRange | undefined): boolean {
  return left?.start === right?.start && left?.end === right?.end
}

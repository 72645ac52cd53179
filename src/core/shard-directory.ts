/**
 * The shard map in use, and when to fetch the next: what enters is evidence from answers, what leaves is a prediction.
 * A map serves until its successor is complete and valid; ranges of shards that have closed are remembered for a while,
 * because answers about them are still under way.
 * Invariant: at most one listing is being fetched, and two fetches start at least `MIN_REFRESH_MS` apart.
 */
import { type BackoffSpan, longestWaitMs } from '../lanes/backoff.ts'
import { ProducerError } from '../model/errors.ts'
import type { Random, ShardHashRange } from '../model/ports.ts'
import type { HashRange } from '../wire/hash-key.ts'
import { isOlderShardId, ShardMap } from './shard-map.ts'

const MIN_REFRESH_MS = 1_000
/** The wait after a failed listing. Source: KPL 1.0.7, shard_map.cc. */
const FAILURE_SPAN: BackoffSpan = { baseMs: MIN_REFRESH_MS, capMs: 30_000, growth: 1.5 }
/** Spreads the refreshes of many producers that saw the same reshard. */
const JITTER_MS = 250
/** How long the range of a closed shard is remembered. */
const CLOSED_RANGE_MS = 600_000
const MAX_CLOSED_RANGES = 10_000
/** Listings fetched in a row because an answer named a shard that they lack; after that it is taken for closed. */
const MAX_EVIDENCE_REFRESHES = 5

interface ClosedRange extends HashRange {
  readonly forgetMs: number
}

export class ShardDirectory {
  readonly #random: Random
  #map: ShardMap | undefined
  readonly #closed = new Map<string, ClosedRange>()
  readonly #unknown = new Set<string>()
  #isLoading = false
  #dueMs: number
  #startedMs = Number.NEGATIVE_INFINITY
  #loadedMs = Number.NEGATIVE_INFINITY
  #failures = 0
  #evidenceRefreshes = 0

  /** `firstFetchMs`: when the first listing is due. */
  constructor(random: Random, firstFetchMs: number = 0) {
    this.#random = random
    this.#dueMs = firstFetchMs
  }

  /** The map in use; undefined until the first listing. */
  get map(): ShardMap | undefined {
    return this.#map
  }

  /** When the present map was loaded; -Infinity before. */
  get loadedMs(): number {
    return this.#loadedMs
  }

  /** Whether a fetch is under way or planned. */
  get isRefreshing(): boolean {
    return this.#isLoading || this.#dueMs < Number.POSITIVE_INFINITY
  }

  /** When `startIfDue` wants to be asked next. */
  get nextDeadlineMs(): number {
    return this.#isLoading ? Number.POSITIVE_INFINITY : this.#dueMs
  }

  /** The range of a shard that is open or closed recently; undefined: never seen. */
  rangeOf(shardId: string): HashRange | undefined {
    return this.#map?.rangeOf(shardId) ?? this.#closed.get(shardId)
  }

  /** Says that a fetch begins now: the caller fetches and answers with `loaded` or `failed`. */
  startIfDue(nowMs: number): boolean {
    if (this.#isLoading || nowMs < this.#dueMs) return false
    this.#isLoading = true
    this.#startedMs = nowMs
    this.#dueMs = Number.POSITIVE_INFINITY
    return true
  }

  /**
   * An answer to a request started at `requestStartMs` named a shard that was not expected. Asks for a fresh map, unless the
   * present one is younger than the request: a fetch would not help then.
   */
  contradicted(shardId: string, requestStartMs: number, nowMs: number): void {
    const isUnknown = this.rangeOf(shardId) === undefined
    if (!isUnknown && requestStartMs <= this.#loadedMs) return
    if (isUnknown && this.#unknown.size < MAX_CLOSED_RANGES) this.#unknown.add(shardId)
    this.#plan(nowMs)
  }

  /** Forgets the map: the stream is gone, and may come back with the same shard ids and other ranges. */
  forget(nowMs: number): void {
    this.#map = undefined
    this.#closed.clear()
    this.#unknown.clear()
    this.#plan(nowMs)
  }

  /** The reason for missing listings is over: the next listing is fetched as soon as allowed. */
  retryNow(nowMs: number): void {
    this.#failures = 0
    this.#dueMs = Math.min(this.#dueMs, Math.max(nowMs, this.#startedMs + MIN_REFRESH_MS))
  }

  /** Takes a listing. Returns KPL_ERR_BAD_SHARD_MAP, having planned the next try, when it is not believed. */
  loaded(listing: readonly ShardHashRange[], nowMs: number): ProducerError | undefined {
    let map: ShardMap
    try {
      map = new ShardMap(listing)
    } catch (error) {
      if (!(error instanceof ProducerError)) throw error
      this.failed(nowMs)
      return error
    }
    this.#isLoading = false
    this.#failures = 0
    this.#loadedMs = nowMs
    this.#rememberClosed(map, nowMs)
    this.#map = map
    this.#replanForEvidence(nowMs)
    return undefined
  }

  /** The listing could not be fetched; the last good map stays. */
  failed(nowMs: number): void {
    this.#isLoading = false
    const waitMs = longestWaitMs(FAILURE_SPAN, this.#failures)
    this.#failures++
    this.#dueMs = nowMs + waitMs + this.#random() * JITTER_MS
  }

  #plan(nowMs: number): void {
    if (this.isRefreshing) return
    const earliestMs = this.#startedMs + MIN_REFRESH_MS
    this.#dueMs = earliestMs > nowMs ? earliestMs + this.#random() * JITTER_MS : nowMs
  }

  #replanForEvidence(nowMs: number): void {
    const newestId = this.#map?.newestShardId ?? ''
    for (const shardId of this.#unknown) {
      // Ids ascend as shards are made: a listing with a newer one was not taken too early, so this one has closed.
      const isExplained = this.rangeOf(shardId) !== undefined || isOlderShardId(shardId, newestId)
      if (isExplained) this.#unknown.delete(shardId)
    }
    if (this.#unknown.size === 0) {
      this.#evidenceRefreshes = 0
      return
    }
    this.#evidenceRefreshes++
    if (this.#evidenceRefreshes < MAX_EVIDENCE_REFRESHES) {
      this.#plan(nowMs)
      return
    }
    this.#unknown.clear()
    this.#evidenceRefreshes = 0
  }

  #rememberClosed(next: ShardMap, nowMs: number): void {
    for (const [shardId, range] of this.#closed) {
      if (range.forgetMs <= nowMs || next.rangeOf(shardId) !== undefined) this.#closed.delete(shardId)
    }
    for (const shardId of this.#map?.shardIds ?? []) {
      if (next.rangeOf(shardId) !== undefined || this.#closed.size >= MAX_CLOSED_RANGES) continue
      const range = this.#map?.rangeOf(shardId)
      if (range !== undefined) this.#closed.set(shardId, { ...range, forgetMs: nowMs + CLOSED_RANGE_MS })
    }
  }
}

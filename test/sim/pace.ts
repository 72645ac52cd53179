/**
 * How fast the client asks: rates of shards, storms of retries, listings (I12, I14).
 * Invariant: the bounds follow from the options alone; they are loose enough for every lawful schedule, and a client
 * without limiter or back-off exceeds them.
 */
import type { Outcome } from '../../src/model/exchange.ts'
import { SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND } from '../../src/model/limits.ts'
import type { Flight } from './network.ts'
import type { WatcherContext } from './watchers.ts'

interface Sent {
  readonly atMs: number
  readonly bytes: number
}

interface Streak {
  firstMs: number
  lastStartMs: number
  count: number
}

interface Listings {
  startedMs: number
  isUnderWay: boolean
  resetsMs: number[]
}

const WINDOW_MS = 1_000
const MIN_LISTING_GAP_MS = 1_000
const ROUNDING_MS = 1e-6
/** Failures in a row that full jitter, several lanes and the requests under way may make before waits are long. */
const FREE_FAILURES = 80
const BACK_OFF_CODES = new Set(['ProvisionedThroughputExceededException', 'InternalFailure', 'Odd'])

export class Pace {
  readonly #context: WatcherContext
  readonly #windows = new Map<string, Sent[]>()
  readonly #laneStreaks = new Map<string, Streak>()
  readonly #streamStreaks = new Map<string, Streak>()
  readonly #listings = new Map<string, Listings>()

  constructor(context: WatcherContext) {
    this.#context = context
  }

  /** A new map may bring new lanes, each with a full bucket. */
  lanesReset(streamName: string): void {
    this.#listingsOf(streamName).resetsMs.push(this.#context.nowMs())
  }

  /** The core of a stream starts anew: with full buckets, without a back-off, deaf to the listing under way. */
  startedAnew(streamName: string): void {
    this.lanesReset(streamName)
    this.#listingsOf(streamName).isUnderWay = false
    this.#streamStreaks.delete(streamName)
    for (const lane of this.#laneStreaks.keys()) if (lane.startsWith(`${streamName}/`)) this.#laneStreaks.delete(lane)
  }

  listingStarted(streamName: string): void {
    const listings = this.#listingsOf(streamName)
    const nowMs = this.#context.nowMs()
    const { trace } = this.#context
    if (listings.isUnderWay) trace.violated('I14', 'two listings under way')
    // A call that is planned for a second later may begin a rounding error earlier.
    if (nowMs - listings.startedMs < MIN_LISTING_GAP_MS - ROUNDING_MS) {
      trace.violated('I14', `listings ${nowMs - listings.startedMs} ms apart`)
    }
    listings.startedMs = nowMs
    listings.isUnderWay = true
  }

  listingEnded(streamName: string): void {
    this.#listingsOf(streamName).isUnderWay = false
  }

  /** I12. Pieces of a refused request go past the limiter; the stream-wide lane feels its rate out. */
  sent({ batch, stream }: Flight): void {
    if (batch.isIsolated) return
    const atMs = this.#context.nowMs()
    for (const { lane, requestBytes } of batch.entries) {
      if (lane.shardId === undefined) continue
      const id = `${stream.streamName}/${lane.shardId}`
      const window = this.#windows.get(id) ?? []
      this.#windows.set(id, window)
      window.push({ atMs, bytes: requestBytes })
      while (window[0]!.atMs < atMs - WINDOW_MS) window.shift()
      this.#checkWindow(window, id, stream.streamName)
    }
  }

  /** I14: after failures in a row, a lane or a stream is asked less and less often. */
  landed({ stream, batch, startMs }: Flight, outcome: Outcome): void {
    const { options } = this.#context
    const { streamName } = stream
    if (outcome.kind === 'answered') this.#streamStreaks.delete(streamName)
    else if (outcome.error.errorCode !== 'ValidationException') {
      this.#failed(this.#streamStreaks, streamName, startMs, Math.min(500, options.retryCapMs / 2))
    } else this.#streamStreaks.delete(streamName)
    if (outcome.kind === 'failed') return
    outcome.records.forEach((answer, i) => {
      const lane = `${streamName}/${batch.entries[i]!.lane.shardId ?? ''}`
      const isFailure = answer.errorCode === undefined ? false : BACK_OFF_CODES.has(answer.errorCode)
      if (isFailure) this.#failed(this.#laneStreaks, lane, startMs, options.retryCapMs / 2)
      else this.#laneStreaks.delete(lane)
    })
  }

  #checkWindow(window: readonly Sent[], id: string, streamName: string): void {
    const { options, trace, nowMs } = this.#context
    const rate = options.rateLimitPercent / 100
    const burst = Math.max(1, options.rateLimitPercent / 150)
    const resets = this.#listingsOf(streamName).resetsMs.filter(atMs => atMs >= nowMs() - WINDOW_MS).length
    // Records that were released before may have waited for a slot, in two full requests.
    const recordBound = SHARD_RECORDS_PER_SECOND * (rate + burst * (1 + resets)) + 2 * options.collectionMaxCount
    const largestBytes = window.reduce((most, { bytes }) => Math.max(most, bytes), 0)
    const byteBound =
      SHARD_BYTES_PER_SECOND * (rate + burst * (1 + resets)) + 2 * (options.collectionMaxBytes + largestBytes)
    const bytes = window.reduce((sum, sent) => sum + sent.bytes, 0)
    const isOver = window.length > recordBound || bytes > byteBound
    if (isOver) trace.violated('I12', `lane ${id}: ${window.length} records, ${bytes} bytes in a second`)
  }

  #failed(streaks: Map<string, Streak>, id: string, startMs: number, meanGapMs: number): void {
    const { trace } = this.#context
    const streak = streaks.get(id)
    if (streak === undefined) {
      streaks.set(id, { firstMs: startMs, lastStartMs: startMs, count: 1 })
      return
    }
    if (startMs <= streak.lastStartMs) return
    streak.lastStartMs = startMs
    streak.count++
    const { maxInFlightRequests, collectionMaxCount } = this.#context.options
    const free = FREE_FAILURES + 3 * maxInFlightRequests
    // When a back-off ends, what waits goes out at once: in as many requests as it takes, and as may be under way.
    const perWave = Math.max(1, maxInFlightRequests / collectionMaxCount)
    const bound = free + (3 * perWave * (startMs - streak.firstMs)) / meanGapMs
    if (streak.count > bound) {
      trace.violated('I14', `${id}: ${streak.count} failures in a row within ${startMs - streak.firstMs} ms`)
    }
  }

  #listingsOf(streamName: string): Listings {
    let listings = this.#listings.get(streamName)
    if (listings === undefined) {
      listings = { startedMs: Number.NEGATIVE_INFINITY, isUnderWay: false, resetsMs: [] }
      this.#listings.set(streamName, listings)
    }
    return listings
  }
}

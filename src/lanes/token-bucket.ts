/**
 * One shard's allowance: records and bytes that grow with time. Throttles cut the rate, and time restores it. Producers that
 * share a shard do not know each other; these two rules alone make their rates equal:
 *
 *   each throttled record takes from the rate what that record would be once a second: the larger rate loses more;
 *   each second gives the same back to everyone.
 *
 * Invariant: a take succeeds for both streams or for neither; over any span the bytes taken are at most
 * capacity + rate x span, plus one record that is larger than the capacity (it leaves the bucket in debt).
 * Sources: 1,000 records/s and 1 MiB/s per shard (`limits.ts`); the rest is ours, see "Producers find their shares" in
 * docs/DESIGN.md.
 */

export interface TokenBucketLimits {
  readonly recordsPerSecond: number
  readonly bytesPerSecond: number
  readonly capacityRecords: number
  readonly capacityBytes: number
  /** The factor's ceiling: 1, or more where the true limit is not known and must be felt out. */
  readonly maxFactor: number
  /** How much of the base rate is added per second until the first throttle, up to the ceiling. */
  readonly searchPerSecond: number
  /** How much of the base rate comes back per second after that; more after a calm. */
  readonly recoveryPerSecond: number
}

/** A longer time without a throttle speeds recovery up in proportion: other producers have left, or the excess was not ours. */
const CALM_MS = 3_000
/** A throttled rate falls at once to this many times what was used: from far above its use it would take long to be felt. */
const USE_HEADROOM = 2
/** It falls at once no further than this, so that a lane that was idle need not begin at nothing. */
const LEAST_USEFUL_FACTOR = 0.1
/** One record takes no more than this part of the rate, however large the record is. */
const LARGEST_CUT = 0.5
/** A full bucket holds this much of the present rate until the rate has recovered: retries after a pause must not be a burst. */
const THROTTLED_BURST_SECONDS = 0.25
/** The rate never falls below this part of the base, so that a lane can always recover. */
const MIN_FACTOR = 0.01
/** A rate that recovers may allow a take sooner than the present rate says. */
const MAX_WAIT_SECONDS = 1
/** Refills are sums of fractions: without this a wake-up computed exactly could come a hair too early, for ever. */
const ROUNDING = 1e-3
const MS_PER_SECOND = 1000

export class TokenBucket {
  readonly #limits: TokenBucketLimits
  #records: number
  #bytes: number
  #capacityRecords: number
  #capacityBytes: number
  #refilledMs: number
  #factor = 1
  /** The part of the base rate that was used of late: a mean over about a second. */
  #usedFactor = 0
  #throttledMs = Number.NEGATIVE_INFINITY

  /** Starts full. */
  constructor(limits: TokenBucketLimits, nowMs: number) {
    this.#limits = limits
    this.#records = limits.capacityRecords
    this.#bytes = limits.capacityBytes
    this.#capacityRecords = limits.capacityRecords
    this.#capacityBytes = limits.capacityBytes
    this.#refilledMs = nowMs
  }

  /** The present part of the base rate. */
  get factor(): number {
    return this.#factor
  }

  /** Whether one record of `bytes` may pass now. A record above the capacity passes when the bucket is full. */
  canTake(bytes: number, nowMs: number): boolean {
    this.#refill(nowMs)
    const neededBytes = Math.min(bytes, this.#capacityBytes)
    return this.#records >= 1 - ROUNDING && this.#bytes >= neededBytes - ROUNDING
  }

  /** Takes one record of `bytes`, or nothing. */
  tryTake(bytes: number, nowMs: number): boolean {
    if (!this.canTake(bytes, nowMs)) return false
    this.#records -= 1
    this.#bytes -= bytes
    this.#usedFactor += this.#secondsOf(bytes)
    return true
  }

  /** Returns when `tryTake(bytes)` can succeed at the present rate, or, while that recovers, when to ask again; not before `nowMs`. */
  nextTakeMs(bytes: number, nowMs: number): number {
    this.#refill(nowMs)
    const missingRecords = 1 - this.#records
    const missingBytes = Math.min(bytes, this.#capacityBytes) - this.#bytes
    const waitSeconds = Math.max(
      missingRecords / (this.#limits.recordsPerSecond * this.#factor),
      missingBytes / (this.#limits.bytesPerSecond * this.#factor),
      0
    )
    const isRecovering = this.#factor < this.#limits.maxFactor
    return nowMs + (isRecovering ? Math.min(waitSeconds, MAX_WAIT_SECONDS) : waitSeconds) * MS_PER_SECOND
  }

  /** Cuts the rate: the service refused a record of `bytes`, because it is asked too much. */
  throttle(bytes: number, nowMs: number): void {
    this.#refill(nowMs)
    const { capacityRecords, capacityBytes } = this.#limits
    this.#throttledMs = nowMs
    const usefulFactor = Math.min(this.#factor, Math.max(LEAST_USEFUL_FACTOR, USE_HEADROOM * this.#usedFactor))
    this.#factor = Math.max(MIN_FACTOR, usefulFactor - Math.min(this.#secondsOf(bytes), usefulFactor * LARGEST_CUT))
    if (this.#factor >= 1) return
    this.#capacityRecords = Math.max(1, capacityRecords * THROTTLED_BURST_SECONDS * this.#factor)
    this.#capacityBytes = capacityBytes * THROTTLED_BURST_SECONDS * this.#factor
    this.#fill(0, 0)
  }

  /** How long the base rate takes for one record of `bytes`: as a rate, one such record a second. */
  #secondsOf(bytes: number): number {
    return Math.max(1 / this.#limits.recordsPerSecond, bytes / this.#limits.bytesPerSecond)
  }

  #refill(nowMs: number): void {
    const seconds = (nowMs - this.#refilledMs) / MS_PER_SECOND
    if (seconds <= 0) return
    const { recordsPerSecond, bytesPerSecond } = this.#limits
    this.#refilledMs = nowMs
    this.#usedFactor *= Math.exp(-seconds)
    this.#fill(seconds * recordsPerSecond * this.#factor, seconds * bytesPerSecond * this.#factor)
    this.#recover(seconds, nowMs)
  }

  #fill(records: number, bytes: number): void {
    this.#records = Math.min(this.#capacityRecords, this.#records + records)
    this.#bytes = Math.min(this.#capacityBytes, this.#bytes + bytes)
  }

  #recover(seconds: number, nowMs: number): void {
    const { maxFactor, searchPerSecond, recoveryPerSecond, capacityRecords, capacityBytes } = this.#limits
    if (this.#factor >= maxFactor) return
    const calmMs = nowMs - this.#throttledMs
    const isSearching = calmMs === Number.POSITIVE_INFINITY
    const perSecond = isSearching ? searchPerSecond : recoveryPerSecond * Math.max(1, calmMs / CALM_MS)
    this.#factor = Math.min(maxFactor, this.#factor + seconds * perSecond)
    if (this.#factor < 1) return
    this.#capacityRecords = capacityRecords
    this.#capacityBytes = capacityBytes
  }
}

/**
 * The allowance of one shard: tokens for records and for bytes, which grow with time. Throttles cut the rate, and time restores it.
 * Producers that share a shard do not know each other. These two rules alone make their rates equal:
 *
 *   each throttled record cuts the rate by that record once a second: a higher rate has more throttles and loses more;
 *   each second gives the same back to every producer.
 *
 * Invariant: a take needs record tokens and byte tokens, and takes both or none. In any span, the bytes taken are at most
 * capacity + rate x span, plus one record that is larger than the capacity (it leaves the bucket in debt).
 * Sources: 1,000 records/s and 1 MiB/s per shard (`limits.ts`). The rest is ours: see "Producers find their shares" in
 * docs/DESIGN.md.
 */

export interface TokenBucketLimits {
  readonly recordsPerSecond: number
  readonly bytesPerSecond: number
  readonly capacityRecords: number
  readonly capacityBytes: number
  /** The largest factor: 1, or more where the true limit is unknown and must be found by trial. */
  readonly maxFactor: number
  /** The part of the base rate that is added each second until the first throttle, up to the largest factor. */
  readonly searchPerSecond: number
  /** The part of the base rate that comes back each second after the first throttle; more after a calm time. */
  readonly recoveryPerSecond: number
}

/** A longer time without a throttle speeds recovery up in proportion: other producers stopped, or the excess was theirs. */
const CALM_MS = 3_000
/** A throttle lowers the rate at once to this many times the used rate. From far above, small cuts would have no effect for long. */
const USE_HEADROOM = 2
/** That step goes no lower than this, so that an idle lane does not start at nothing. */
const LEAST_USEFUL_FACTOR = 0.1
/** One throttled record cuts at most this part of the rate, even if the record is large. */
const LARGEST_CUT = 0.5
/** Until the rate has recovered, a full bucket holds this much of the present rate, so that retries after a pause are no burst. */
const THROTTLED_BURST_SECONDS = 0.25
/** The lowest part of the base rate, so that a lane can always recover. */
const MIN_FACTOR = 0.01
/** The longest wait while the rate recovers: a rising rate may allow a take sooner than the present rate says. */
const MAX_WAIT_SECONDS = 1
/** Refills are sums of fractions. Without this tolerance, an exact wake-up could come slightly too early, again and again. */
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
  /** The part of the base rate that was used lately: a mean over about a second. */
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

  /**
   * Returns when `tryTake(bytes)` can succeed at the present rate, or, while the rate recovers, when to try again. Never before
   * `nowMs`.
   */
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

  /** Cuts the rate, because the service throttled a record of `bytes`. */
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

  /** The seconds that one record of `bytes` takes at the base rate. That is also the part of the base rate of one such record a second. */
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

/**
 * One shard's allowance: records and bytes that grow with time, scaled by a factor that throttling cuts and calm
 * restores (additive increase, multiplicative decrease).
 * Invariant: a take succeeds for both streams or for neither; over any span the bytes taken are at most
 * capacity + rate x span, plus one record that is larger than the capacity (it leaves the bucket in debt).
 * Sources: 1,000 records/s and 1 MiB/s per shard (`limits.ts`); cut x0.7 and +5 %/s are ours.
 */

export interface TokenBucketLimits {
  readonly recordsPerSecond: number
  readonly bytesPerSecond: number
  readonly capacityRecords: number
  readonly capacityBytes: number
  /** The factor's ceiling: 1, or more where the true limit is not known and must be felt out. */
  readonly maxFactor: number
  /** How much of the base rate comes back per second without a throttle. */
  readonly recoveryPerSecond: number
}

/** What is left of the rate after a throttle. */
const THROTTLE_CUT = 0.7
/** Throttles within this time tell of one excess: the service counts by the second. */
const CUT_INTERVAL_MS = 1_000
/** The rate never falls below this part of the base, so that a lane can always recover. */
const MIN_FACTOR = 0.05
/** Refills are sums of fractions: without this a wake-up computed exactly could come a hair too early, for ever. */
const ROUNDING = 1e-3
const MS_PER_SECOND = 1000

export class TokenBucket {
  readonly #limits: TokenBucketLimits
  #records: number
  #bytes: number
  #refilledMs: number
  #factor = 1
  #cutMs = Number.NEGATIVE_INFINITY

  /** Starts full. */
  constructor(limits: TokenBucketLimits, nowMs: number) {
    this.#limits = limits
    this.#records = limits.capacityRecords
    this.#bytes = limits.capacityBytes
    this.#refilledMs = nowMs
  }

  /** The present part of the base rate. */
  get factor(): number {
    return this.#factor
  }

  /** Whether one record of `bytes` may pass now. A record above the capacity passes when the bucket is full. */
  canTake(bytes: number, nowMs: number): boolean {
    this.#refill(nowMs)
    const neededBytes = Math.min(bytes, this.#limits.capacityBytes)
    return this.#records >= 1 - ROUNDING && this.#bytes >= neededBytes - ROUNDING
  }

  /** Takes one record of `bytes`, or nothing. */
  tryTake(bytes: number, nowMs: number): boolean {
    if (!this.canTake(bytes, nowMs)) return false
    this.#records -= 1
    this.#bytes -= bytes
    return true
  }

  /** Returns when `tryTake(bytes)` can succeed at the present rate, at or after `nowMs`. */
  nextTakeMs(bytes: number, nowMs: number): number {
    this.#refill(nowMs)
    const missingRecords = 1 - this.#records
    const missingBytes = Math.min(bytes, this.#limits.capacityBytes) - this.#bytes
    const waitSeconds = Math.max(
      missingRecords / (this.#limits.recordsPerSecond * this.#factor),
      missingBytes / (this.#limits.bytesPerSecond * this.#factor),
      0
    )
    return nowMs + waitSeconds * MS_PER_SECOND
  }

  /** Cuts the rate: the service said that it is too high. */
  throttle(nowMs: number): void {
    this.#refill(nowMs)
    if (nowMs < this.#cutMs + CUT_INTERVAL_MS) return
    this.#cutMs = nowMs
    this.#factor = Math.max(MIN_FACTOR, this.#factor * THROTTLE_CUT)
  }

  #refill(nowMs: number): void {
    const seconds = (nowMs - this.#refilledMs) / MS_PER_SECOND
    if (seconds <= 0) return
    const { recordsPerSecond, bytesPerSecond, capacityRecords, capacityBytes, maxFactor, recoveryPerSecond } =
      this.#limits
    this.#records = Math.min(capacityRecords, this.#records + seconds * recordsPerSecond * this.#factor)
    this.#bytes = Math.min(capacityBytes, this.#bytes + seconds * bytesPerSecond * this.#factor)
    this.#factor = Math.min(maxFactor, this.#factor + seconds * recoveryPerSecond)
    this.#refilledMs = nowMs
  }
}

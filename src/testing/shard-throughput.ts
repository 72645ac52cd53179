/**
 * One shard's write limit: 1,000 records and 1 MiB a second, each a token bucket that holds one second's worth.
 * Invariant: a refused record takes nothing. A record over 1 MiB passes when the bucket is full and leaves it in debt,
 * which is how large records stay possible at 1 MiB/s.
 */
import { SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND } from '../model/limits.ts'

export class ShardThroughput {
  #recordTokens = SHARD_RECORDS_PER_SECOND
  #byteTokens = SHARD_BYTES_PER_SECOND
  #filledAtMs: number

  constructor(nowMs: number) {
    this.#filledAtMs = nowMs
  }

  /** Takes one record of `bytes` and returns true, or returns false and takes nothing. */
  tryTake(bytes: number, nowMs: number): boolean {
    this.#refill(nowMs)
    const hasRoom = this.#recordTokens >= 1 && this.#byteTokens >= Math.min(bytes, SHARD_BYTES_PER_SECOND)
    if (!hasRoom) return false
    this.#recordTokens -= 1
    this.#byteTokens -= bytes
    return true
  }

  #refill(nowMs: number): void {
    const elapsedSeconds = Math.max(0, nowMs - this.#filledAtMs) / 1_000
    this.#filledAtMs = Math.max(nowMs, this.#filledAtMs)
    this.#recordTokens = Math.min(
      SHARD_RECORDS_PER_SECOND,
      this.#recordTokens + elapsedSeconds * SHARD_RECORDS_PER_SECOND
    )
    this.#byteTokens = Math.min(SHARD_BYTES_PER_SECOND, this.#byteTokens + elapsedSeconds * SHARD_BYTES_PER_SECOND)
  }
}

/**
 * One lane of the limiter: the queue of one shard's sealed records, its token bucket and what holds it back.
 * Invariant: data only; `limiter.ts` moves it. A shard's bucket never allows more than `rateLimitPercent` of what the
 * service takes in a second, plus one burst.
 */
import { type KinesisRecord, STREAM_LANE } from '../model/kinesis-record.ts'
import { SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND } from '../model/limits.ts'
import type { HeapItem } from './deadline-heap.ts'
import { RecordQueue } from './record-queue.ts'
import { TokenBucket, type TokenBucketLimits } from './token-bucket.ts'

export interface LimiterOptions {
  readonly rateLimitPercent: number
  readonly retryBaseMs: number
  readonly retryCapMs: number
  /** `'key'`: at most one record of a lane is out between `release` and `answered`, none while a former lane drains. */
  readonly ordering: 'none' | 'key'
  /** How much of the buffer the queue of one lane may hold, where there are others. */
  readonly laneMaxBytes: number
}

export interface Lane extends HeapItem {
  readonly id: string
  readonly queue: RecordQueue
  readonly bucket: TokenBucket
  /** What its records, queued and out, take up of the producer's buffer. */
  heldBytes: number
  blockedUntilMs: number
  /** Failures in a row, as far as they tell of one another: see `failed`. */
  failures: number
  lastFailureMs: number
  isHeld: boolean
  isReady: boolean
  /** Released and not answered. */
  readonly out: Set<KinesisRecord>
  /** Ordered mode: former lanes over the same hash keys whose last record is still out. */
  readonly blockers: Set<Lane>
}

/** The percentage up to which a full bucket is the service's own second of burst; above it the bucket grows along. */
const BURST_PERCENT = 150
/** The stream-wide lane does not know how many shards it feeds, so it may feel its way up to this many. */
const STREAM_LANE_MAX_FACTOR = 10_000
const STREAM_LANE_RECOVERY = 1
const SHARD_RECOVERY = 0.05

export function newLane(id: string, rateLimitPercent: number, nowMs: number): Lane {
  return {
    id,
    queue: new RecordQueue(),
    bucket: new TokenBucket(limitsOf(rateLimitPercent, id), nowMs),
    heldBytes: 0,
    blockedUntilMs: nowMs,
    failures: 0,
    lastFailureMs: Number.NEGATIVE_INFINITY,
    isHeld: false,
    isReady: false,
    out: new Set(),
    blockers: new Set(),
    wakeMs: 0,
    heapIndex: -1
  }
}

function limitsOf(rateLimitPercent: number, laneId: string): TokenBucketLimits {
  const rate = rateLimitPercent / 100
  const burst = Math.max(1, rateLimitPercent / BURST_PERCENT)
  const isStreamWide = laneId === STREAM_LANE
  return {
    recordsPerSecond: SHARD_RECORDS_PER_SECOND * rate,
    bytesPerSecond: SHARD_BYTES_PER_SECOND * rate,
    capacityRecords: SHARD_RECORDS_PER_SECOND * burst,
    capacityBytes: SHARD_BYTES_PER_SECOND * burst,
    maxFactor: isStreamWide ? STREAM_LANE_MAX_FACTOR : 1,
    recoveryPerSecond: isStreamWide ? STREAM_LANE_RECOVERY : SHARD_RECOVERY
  }
}

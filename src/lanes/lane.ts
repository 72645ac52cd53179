/**
 * A lane: the state of one shard in the producer. Records are packed into its open envelope, wait sealed in its queue, and leave at
 * its rate.
 * Example: shardId-7 has a lane -> the shard splits -> its lane is gone; two new lanes wait for the answers to the records that are out.
 * Invariant: a lane serves one shard and one range during its life. Once `isGone`, no record that was sealed for it may be sent.
 * Data only: `aggregator.ts` packs it, `limiter.ts` moves it.
 */
import type { Batch, Destination, KinesisRecord, Members } from '../model/kinesis-record.ts'
import { SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND } from '../model/limits.ts'
import type { EnvelopeWriter } from '../wire/encode.ts'
import type { HashRange } from '../wire/hash-key.ts'
import type { HeapItem } from './deadline-heap.ts'
import { RecordQueue } from './record-queue.ts'
import { TokenBucket, type TokenBucketLimits } from './token-bucket.ts'

/** A Kinesis record of the core: its destination is a lane. */
export type LaneRecord = KinesisRecord<Lane>

export type LaneBatch = Batch<Lane>

/**
 * - `shard`: records of one shard, by the shard map.
 * - `stream`: records whose shard is unknown: one envelope for each hash key, one bucket for all of them.
 * - `waiting`: records that wait, packed, for the first shard map. They are packed again before they are sent.
 */
export type LaneKind = 'shard' | 'stream' | 'waiting'

/** The place that a lane serves. Only a shard has an id and a range. */
export interface LanePlace {
  readonly kind: LaneKind
  readonly shardId?: string
  readonly range?: HashRange
}

/** An envelope that takes records. `Aggregator` fills and seals it. */
export interface OpenEnvelope extends HeapItem {
  readonly lane: Lane
  readonly writer: EnvelopeWriter
  readonly members: Members
  readonly firstPartitionKey: string
  readonly firstKeyBytes: number
  readonly firstHashWords: Uint32Array
  readonly firstExplicitHashKey: string | undefined
  deadlineMs: number
  expirationMs: number
}

/** Up to this percentage, a full bucket is the service's own burst of one second. Above it, the bucket grows with the percentage. */
const BURST_PERCENT = 150
/** The stream-wide lane does not know how many shards it feeds. It raises its rate step by step, up to this many shards. */
const STREAM_LANE_MAX_FACTOR = 10_000
const STREAM_LANE_SEARCH = 1
/** At `BURST_PERCENT` and above. Below it, more, so that the shard's rate recovers as fast: 15 records and 15 KiB a second. */
const SHARD_RECOVERY = 0.01
/** More, because this lane feeds several shards. */
const STREAM_LANE_RECOVERY = 0.05

export class Lane implements HeapItem, Destination {
  readonly kind: LaneKind
  readonly shardId: string | undefined
  readonly range: HashRange | undefined
  /** Another map or mode took the place of the one that it was made for. */
  isGone = false

  /** The open envelope of a shard, or of the records that wait. */
  open: OpenEnvelope | undefined
  /** The open envelopes of a stream-wide lane, by partition key and by explicit hash key. */
  readonly openByKey: Map<string, OpenEnvelope> = new Map()
  readonly openByHashKey: Map<string, OpenEnvelope> = new Map()

  /** Sealed, not sent. */
  readonly queue: RecordQueue<LaneRecord> = new RecordQueue()
  /** Released to be sent, not answered yet. */
  readonly out: Set<LaneRecord> = new Set()
  /** The part of the producer's buffer that its sealed records use, queued and out. */
  heldBytes = 0
  /** The part of them that waits to be collected into a request. */
  collectedBytes = 0

  readonly bucket: TokenBucket
  blockedUntilMs: number
  /** Failures in a row. A request that began before the last failure was known does not count. */
  failures: number
  lastFailureMs: number = Number.NEGATIVE_INFINITY
  /** Held back until the next listing, because its shard has changed. */
  isHeld = false
  /** Ordered mode: gone lanes over the same hash keys whose last record is still out. */
  readonly blockers: Set<Lane> = new Set()

  isReady = false
  wakeMs = 0
  heapIndex = -1

  /** `former`: the lane whose rate this one keeps, because both feed the same shards. */
  constructor({ kind, shardId, range }: LanePlace, rateLimitPercent: number, nowMs: number, former?: Lane) {
    this.kind = kind
    this.shardId = shardId
    this.range = range
    this.bucket = former?.bucket ?? new TokenBucket(limitsOf(rateLimitPercent, kind), nowMs)
    this.blockedUntilMs = former?.blockedUntilMs ?? nowMs
    this.failures = former?.failures ?? 0
  }

  /** Whether both lanes may have had records of the same hash key. */
  overlaps({ range }: Lane): boolean {
    if (this.range === undefined || range === undefined) return true
    return this.range.start <= range.end && range.start <= this.range.end
  }
}

function limitsOf(rateLimitPercent: number, kind: LaneKind): TokenBucketLimits {
  const rate = rateLimitPercent / 100
  const burst = Math.max(1, rateLimitPercent / BURST_PERCENT)
  const isShard = kind === 'shard'
  return {
    recordsPerSecond: SHARD_RECORDS_PER_SECOND * rate,
    bytesPerSecond: SHARD_BYTES_PER_SECOND * rate,
    capacityRecords: SHARD_RECORDS_PER_SECOND * burst,
    capacityBytes: SHARD_BYTES_PER_SECOND * burst,
    maxFactor: isShard ? 1 : STREAM_LANE_MAX_FACTOR,
    searchPerSecond: isShard ? 0 : STREAM_LANE_SEARCH,
    recoveryPerSecond: (isShard ? SHARD_RECOVERY : STREAM_LANE_RECOVERY) * Math.max(1, BURST_PERCENT / rateLimitPercent)
  }
}

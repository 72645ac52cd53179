/**
 * Counts what happens, by stream and by shard, under the KPL's names.
 * Invariant: counters only grow; reading them changes nothing; shards beyond `MAX_SHARDS_COUNTED` share one entry, so
 * that memory is bounded whatever the service answers.
 */
import { build, type Histogram } from 'hdr-histogram-js'

/** Latencies of one kind, in milliseconds. All are 0 while `count` is 0. */
export interface LatencyStats {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** Counters of one shard, or of one stream. */
export interface RecordCounters {
  /** User records acknowledged, and their data bytes. */
  userRecordsPut: number
  userRecordsDataPut: number
  /** Kinesis records acknowledged, and their bytes. */
  kinesisRecordsPut: number
  kinesisRecordsDataPut: number
  /** Kinesis records answered with a throttle. */
  throttled: number
  /** Kinesis records stored in another shard than predicted. */
  mispredicted: number
  /** Entries and requests that failed, throttles included. */
  allErrors: number
}

/** Counters and latencies of one stream since it was first used. */
export interface StreamStats extends Readonly<RecordCounters> {
  readonly userRecordsReceived: number
  readonly userRecordsPending: number
  readonly userRecordsFailed: number
  readonly userRecordExpired: number
  /** Records whose attempts include one that may have been stored before: possible duplicates. */
  readonly duplicatesPossible: number
  readonly requests: number
  readonly retries: number
  readonly shardMapRefreshes: number
  readonly errorsByCode: Readonly<Record<string, number>>
  /** From `put` to acknowledgement. */
  readonly putToAck: LatencyStats
  /** From request to answer. */
  readonly requestTime: LatencyStats
  readonly shards: Readonly<Record<string, Readonly<RecordCounters>>>
}

const MAX_SHARDS_COUNTED = 10_000
const MAX_CODES_COUNTED = 100
const OTHER = '_OTHER'
/** Latencies are kept in steps of 0.1 ms, up to an hour. */
const STEPS_PER_MS = 10
const MAX_STEPS = 36_000_000

export class StreamTelemetry {
  readonly total: RecordCounters = newCounters()
  readonly #shards = new Map<string, RecordCounters>()
  readonly #errors = new Map<string, number>()
  readonly #putToAck = newHistogram()
  readonly #requestTime = newHistogram()
  userRecordsReceived = 0
  userRecordsFailed = 0
  userRecordExpired = 0
  duplicatesPossible = 0
  requests = 0
  retries = 0
  shardMapRefreshes = 0

  shard(shardId: string): RecordCounters {
    const id = this.#shards.size < MAX_SHARDS_COUNTED || this.#shards.has(shardId) ? shardId : OTHER
    let counters = this.#shards.get(id)
    if (counters === undefined) {
      counters = newCounters()
      this.#shards.set(id, counters)
    }
    return counters
  }

  /** Counts one failed entry (`shardId` given) or request under its code. */
  error(code: string, shardId?: string): void {
    const known = this.#errors.size < MAX_CODES_COUNTED || this.#errors.has(code) ? code : OTHER
    this.#errors.set(known, (this.#errors.get(known) ?? 0) + 1)
    this.total.allErrors++
    if (shardId !== undefined) this.shard(shardId).allErrors++
  }

  /** Counts user records that failed with one of our codes. */
  failed(code: string, userRecords: number): void {
    this.userRecordsFailed += userRecords
    if (code === 'KPL_ERR_EXPIRED') this.userRecordExpired += userRecords
  }

  throttled(shardId: string): void {
    this.total.throttled++
    this.shard(shardId).throttled++
  }

  mispredicted(shardId: string): void {
    this.total.mispredicted++
    this.shard(shardId).mispredicted++
  }

  /** Counts one acknowledged Kinesis record of `recordBytes` with `userRecords` of `dataBytes` in it. */
  delivered(shardId: string, recordBytes: number, userRecords: number, dataBytes: number): void {
    for (const counters of [this.total, this.shard(shardId)]) {
      counters.kinesisRecordsPut++
      counters.kinesisRecordsDataPut += recordBytes
      counters.userRecordsPut += userRecords
      counters.userRecordsDataPut += dataBytes
    }
  }

  requestTook(ms: number): void {
    this.#requestTime.recordValue(toSteps(ms))
  }

  /** Records the put-to-ack latency of records accepted at `acceptedMs`, in order; neighbours are often equal. */
  acknowledged(acceptedMs: readonly number[], nowMs: number): void {
    let run = 0
    let steps = -1
    for (const accepted of acceptedMs) {
      const next = toSteps(nowMs - accepted)
      if (next !== steps) {
        if (run > 0) this.#putToAck.recordValueWithCount(steps, run)
        steps = next
        run = 0
      }
      run++
    }
    if (run > 0) this.#putToAck.recordValueWithCount(steps, run)
  }

  snapshot(): StreamStats {
    const settled = this.total.userRecordsPut + this.userRecordsFailed
    return {
      ...this.total,
      userRecordsReceived: this.userRecordsReceived,
      userRecordsPending: this.userRecordsReceived - settled,
      userRecordsFailed: this.userRecordsFailed,
      userRecordExpired: this.userRecordExpired,
      duplicatesPossible: this.duplicatesPossible,
      requests: this.requests,
      retries: this.retries,
      shardMapRefreshes: this.shardMapRefreshes,
      errorsByCode: Object.fromEntries(this.#errors),
      putToAck: latencyOf(this.#putToAck),
      requestTime: latencyOf(this.#requestTime),
      shards: Object.fromEntries([...this.#shards].map(([id, counters]) => [id, { ...counters }]))
    }
  }
}

function newCounters(): RecordCounters {
  return {
    userRecordsPut: 0,
    userRecordsDataPut: 0,
    kinesisRecordsPut: 0,
    kinesisRecordsDataPut: 0,
    throttled: 0,
    mispredicted: 0,
    allErrors: 0
  }
}

function newHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: MAX_STEPS, numberOfSignificantValueDigits: 3 })
}

function toSteps(ms: number): number {
  return Math.min(MAX_STEPS, Math.max(0, Math.round(ms * STEPS_PER_MS)))
}

function latencyOf(histogram: Histogram): LatencyStats {
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / STEPS_PER_MS
  if (histogram.totalCount === 0) {
    return { count: 0, meanMs: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 }
  }
  return {
    count: histogram.totalCount,
    meanMs: histogram.mean / STEPS_PER_MS,
    p50Ms: at(50),
    p90Ms: at(90),
    p99Ms: at(99),
    p999Ms: at(99.9),
    maxMs: histogram.maxValue / STEPS_PER_MS
  }
}

/**
 * Counts what happens on one stream: what came in, what requests and answers said, what settled and when.
 * Invariant: counters only grow; reading them changes nothing that anybody can see; memory is bounded whatever the service
 * answers.
 * Hot: a user record costs a count on its way in and a comparison on its way out; all else is per Kinesis record.
 */
import { isAcknowledged, type Outcome, type Settlement } from '../model/exchange.ts'
import { joinAttempts, shardOf } from '../model/failure-story.ts'
import type { Batch, Members } from '../model/kinesis-record.ts'
import type { Attempt } from '../model/results.ts'
import { AgeLedger } from './age-ledger.ts'
import { Latency, STEPS_PER_MS } from './latency.ts'
import { AT, mergeSets, type Reading, type Samples, type StatsCursor } from './statistics.ts'
import { StreamCounts } from './stream-counts.ts'
import type { StreamReading, StreamStats } from './stream-stats.ts'

export type { LatencyStats } from './latency.ts'
export type { RecordCounters, ShardStats, StreamReading, StreamStats } from './stream-stats.ts'

/** Where the samples of one settlement go. */
interface SettleTarget {
  readonly samples: Samples
  /** When it was acknowledged, in steps; undefined when it failed. */
  readonly ackStep: number | undefined
}

export class StreamTelemetry {
  readonly #counts = new StreamCounts()
  readonly #age = new AgeLedger()
  readonly #putToAck = new Latency()
  readonly #requestTime = new Latency()
  #receivedReported = 0
  #userRecordsSent = 0
  userRecordsReceived = 0
  userRecordsFailed = 0
  duplicatesPossible = 0
  requests = 0
  retries = 0
  shardMapRefreshes = 0

  get userRecordsPending(): number {
    return this.userRecordsReceived - this.#counts.userRecordsPut - this.userRecordsFailed
  }

  received(nowMs: number): void {
    this.userRecordsReceived++
    this.#age.accepted(stepOf(nowMs))
  }

  /** Counts a record that found no room. */
  refused(): void {
    this.#counts.own.addEqual(AT.UserRecordsRefused, 1, 1)
  }

  /** Counts one failed entry of `userRecords` that was sent for a shard, or a failed request (no shard), under its code. */
  error(code: string, shardId: string | undefined, userRecords: number): void {
    this.#counts.error(code, shardId, userRecords)
  }

  throttled(shardId: string | undefined): void {
    this.#counts.throttled(shardId)
  }

  mispredicted(shardId: string | undefined): void {
    this.#counts.mispredicted(shardId)
  }

  /** Counts the user records of one acknowledged Kinesis record, with `dataBytes` altogether. */
  delivered(shardId: string, userRecords: number, dataBytes: number): void {
    this.#counts.delivered(shardId, userRecords, dataBytes)
  }

  /** Counts a request that ended, before its answers are applied. `error` is the failure of the whole request. */
  requestEnded({ entries }: Batch, outcome: Outcome, nowMs: number): void {
    const { own } = this.#counts
    let userRecords = 0
    for (let i = 0; i < entries.length; i++) {
      const { members, lane, data } = entries[i]!
      const samples = this.#counts.samplesOf(lane.shardId)
      userRecords += members.count
      samples.addEqual(AT.UserRecordsPerKinesisRecord, 1, members.count)
      if (outcome.kind === 'failed') continue
      const isStored = isAcknowledged(outcome.records[i] ?? {})
      samples.addEqual(AT.KinesisRecordsPut, 1, isStored ? 1 : 0)
      if (!isStored) continue
      samples.addEqual(AT.KinesisRecordsDataPut, 1, data.length)
      samples.addEqual(AT.AllErrors, 1, 0)
      this.#userRecordsSent += members.count
    }
    const steps = Math.max(0, Math.round((nowMs - outcome.startMs) * STEPS_PER_MS))
    this.#requestTime.add(steps, 1)
    own.addEqual(AT.RequestTime, 1, steps / STEPS_PER_MS)
    own.addEqual(AT.KinesisRecordsPerPutRecordsRequest, 1, entries.length)
    own.addEqual(AT.UserRecordsPerPutRecordsRequest, 1, userRecords)
    own.addEqual(AT.UserRecordsPending, 1, this.userRecordsPending)
  }

  /** Counts user records that failed with one of our codes. */
  failed(code: string, userRecords: number, shardId?: string): void {
    const samples = this.#counts.samplesOf(shardId)
    this.userRecordsFailed += userRecords
    samples.addEqual(AT.UserRecordsPut, userRecords, 0)
    if (code === 'KPL_ERR_EXPIRED') samples.addEqual(AT.UserRecordExpired, userRecords, 1)
  }

  /** Counts a settlement before its callbacks run. */
  settled(settlement: Settlement, nowMs: number): void {
    const { members, attempts, persisted } = settlement
    const isDelivered = settlement.kind === 'delivered'
    const liveCount = members.count - members.abortedCount
    const shardId = isDelivered ? settlement.shardId : shardOf(settlement)
    if (isDelivered) this.duplicatesPossible += persisted === 'maybe' ? liveCount : doubtfulCount(members)
    else this.failed(settlement.failure.code, liveCount, shardId)
    const target = { samples: this.#counts.samplesOf(shardId), ackStep: isDelivered ? stepOf(nowMs) : undefined }
    if (areAlike(members)) this.#settleAlike(members, attempts, target)
    else this.#settleEach(members, attempts, target)
  }

  /** Everything since the start. Cost: O(shards). */
  snapshot(nowMs: number): StreamStats {
    this.#reportReceived()
    const { userRecordsByCode } = this.#counts
    const counted = this.#withPending(this.#counts.snapshot())
    const { oldestStep } = this.#age
    return {
      ...counted,
      userRecordsReceived: counted.metrics.UserRecordsReceived.sum,
      userRecordsRefused: counted.metrics.UserRecordsRefused.sum,
      userRecordsPending: this.userRecordsPending,
      userRecordsFailed: this.userRecordsFailed,
      userRecordExpired: counted.metrics.UserRecordExpired.sum,
      userRecordsSent: this.#userRecordsSent,
      userRecordsSentByError: userRecordsByCode,
      duplicatesPossible: this.duplicatesPossible,
      requests: this.requests,
      retries: this.retries,
      shardMapRefreshes: this.shardMapRefreshes,
      oldestRecordAgeMs: oldestStep === undefined ? 0 : Math.max(0, nowMs - oldestStep / STEPS_PER_MS),
      putToAck: this.#putToAck.snapshot(),
      requestTime: this.#requestTime.snapshot()
    }
  }

  /** Starts a reader here. Throws RangeError beyond `MAX_WINDOWS`. */
  open(cursor: StatsCursor): void {
    this.#reportReceived()
    this.#counts.open(cursor)
  }

  /** The changes since the reader's last look. Cost: O(shards x readers). */
  read(cursor: StatsCursor): StreamReading {
    this.#reportReceived()
    return this.#withPending(this.#counts.read(cursor))
  }

  /** The gauge has a sample in every reading, so that a stream at rest shows it too. */
  #withPending<Counted extends Reading>(counted: Counted): Counted {
    const pending = this.userRecordsPending
    const sample = { count: 1, sum: pending, min: pending, max: pending }
    const UserRecordsPending = mergeSets(counted.metrics.UserRecordsPending, sample)
    return { ...counted, metrics: { ...counted.metrics, UserRecordsPending } }
  }

  /** Members that share one history: those of one step are one run. */
  #settleAlike({ acceptedMs, count }: Members, attempts: readonly Attempt[], target: SettleTarget): void {
    let runStep = 0
    let runCount = 0
    for (let i = 0; i < count; i++) {
      const step = stepOf(acceptedMs[i]!)
      if (step !== runStep && runCount > 0) {
        this.#settleRun(runStep, runCount, attempts, target)
        runCount = 0
      }
      runStep = step
      runCount++
    }
    if (runCount > 0) this.#settleRun(runStep, runCount, attempts, target)
  }

  #settleEach(members: Members, attempts: readonly Attempt[], target: SettleTarget): void {
    for (let i = 0; i < members.count; i++) {
      const step = stepOf(members.acceptedMs[i]!)
      const all = joinAttempts(members.historyOf(i)?.attempts ?? [], attempts)
      // An aborted member was counted when it was aborted, but is held until now.
      if (members.settles[i] === undefined) this.#age.settled(step, 1)
      else this.#settleRun(step, 1, all, target)
    }
  }

  #settleRun(step: number, count: number, attempts: readonly Attempt[], { samples, ackStep }: SettleTarget): void {
    this.#age.settled(step, count)
    samples.addEqual(AT.RetriesPerRecord, count, Math.max(0, attempts.length - 1))
    let waitsFromMs = step / STEPS_PER_MS
    for (const { startMs, endMs } of attempts) {
      samples.addEqual(AT.BufferingTime, count, Math.max(0, startMs - waitsFromMs))
      waitsFromMs = endMs
    }
    if (ackStep === undefined) return
    const steps = Math.max(0, ackStep - step)
    this.#putToAck.add(steps, count)
    this.#counts.own.addEqual(AT.PutToAck, count, steps / STEPS_PER_MS)
  }

  /** Records that came in are counted one by one, and become samples only when somebody looks. */
  #reportReceived(): void {
    this.#counts.own.addEqual(AT.UserRecordsReceived, this.userRecordsReceived - this.#receivedReported, 1)
    this.#receivedReported = this.userRecordsReceived
  }
}

/** Members that may have been stored before they came into their Kinesis record. */
function doubtfulCount(members: Members): number {
  let count = 0
  for (let i = 0; i < members.count && members.hasHistories; i++) {
    if (members.settles[i] !== undefined && members.historyOf(i)?.persisted === 'maybe') count++
  }
  return count
}

/** Whether every member lives, and none has attempts from before it came into its Kinesis record. */
function areAlike(members: Members): boolean {
  return members.abortedCount === 0 && !members.hasHistories
}

function stepOf(ms: number): number {
  return Math.floor(ms * STEPS_PER_MS)
}

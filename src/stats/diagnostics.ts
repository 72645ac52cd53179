/**
 * The events on node:diagnostics_channel. Channels belong to the process: every producer publishes to the same ones.
 * Invariant: nothing is made or published without a subscriber; never a payload or a partition key; whatever is published is
 * published when the streams are at rest, so a subscriber may put, flush or close.
 */

import { channel } from 'node:diagnostics_channel'
import type { RecordFailedError } from '../model/errors.ts'
import { isAcknowledged, type Outcome, type Settlement, type StreamGauges } from '../model/exchange.ts'
import { failuresOf, type MemberFailure, shardOf } from '../model/failure-story.ts'
import type { Batch } from '../model/kinesis-record.ts'
import type { Persisted } from '../model/results.ts'
import { classifyEntryError, classifyRequestError } from '../model/service-errors.ts'

/**
 * The names of the channels of node:diagnostics_channel. Every producer of the process publishes to the same ones.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel'
 *
 * subscribe(CHANNELS.request, message => {
 *   const { streamName, kinesisRecords, startMs, endMs } = message as RequestEvent
 *   console.log(`${streamName}: ${kinesisRecords} records in ${endMs - startMs} ms`)
 * })
 */
export const CHANNELS = {
  /** A PutRecords request ended: `RequestEvent`. */
  request: 'kinesis-producer:request',
  /** User records failed for good: `RecordFailedEvent`. */
  recordFailed: 'kinesis-producer:record-failed',
  /** Kinesis throttled records of a shard: `ThrottleEvent`. */
  throttle: 'kinesis-producer:throttle',
  /** ListShards ended: `ShardMapEvent`. */
  shardMap: 'kinesis-producer:shard-map',
  /** A breaker opened or closed: `BreakerEvent`. */
  breaker: 'kinesis-producer:breaker'
} as const

/** `kinesis-producer:request`: a PutRecords request ended. Times are epoch milliseconds, as in `Attempt`, in all events. */
export interface RequestEvent {
  /** The name or the ARN of the stream, as it was given. */
  readonly streamName: string
  /** The time when the transport got the request. */
  readonly startMs: number
  /** The time when its answer came, or the request failed. */
  readonly endMs: number
  /** Kinesis records of the request. */
  readonly kinesisRecords: number
  /** User records in these Kinesis records. */
  readonly userRecords: number
  /** Data and partition keys. */
  readonly requestBytes: number
  /** Kinesis records that were not acknowledged; all of them when the request failed. */
  readonly failedRecords: number
  /** Set when the request failed as a whole. */
  readonly errorCode: string | undefined
  /** How many Kinesis records failed with each code, while the request did not. */
  readonly errorCodes: Readonly<Record<string, number>>
}

/**
 * `kinesis-producer:record-failed`: user records of one Kinesis record failed for good; their callbacks come next. Those with
 * another history, from before they were packed together, have an event to themselves.
 */
export interface RecordFailedEvent {
  /** The name or the ARN of the stream, as it was given. */
  readonly streamName: string
  /** The `code` of their RecordFailedError. */
  readonly code: RecordFailedError['code']
  /** The `serviceCode` of their RecordFailedError. */
  readonly serviceCode: string | undefined
  /** The shard they were meant for; undefined while there is no shard map. */
  readonly shardId: string | undefined
  /** The number of user records that failed. */
  readonly userRecords: number
  /** Whether they may be stored. */
  readonly persisted: Persisted
  /** Attempts of each since it was put, at most 16. */
  readonly attempts: number
}

/** `kinesis-producer:throttle`: a request came back with throttled records of one shard. */
export interface ThrottleEvent {
  /** The name or the ARN of the stream, as it was given. */
  readonly streamName: string
  /** The shard they were meant for; undefined while there is no shard map. */
  readonly shardId: string | undefined
  /** Kinesis records that were throttled. */
  readonly kinesisRecords: number
  /** The shard's rate from now on, as a part of its full rate; undefined while the shard is unknown. */
  readonly rateFactor: number | undefined
  /** The time of the answer. */
  readonly atMs: number
}

/** `kinesis-producer:shard-map`: ListShards ended. */
export interface ShardMapEvent {
  /** The name or the ARN of the stream, as it was given. */
  readonly streamName: string
  /** False when the call failed, or when its answer has a fault. The last good map then stays in use. */
  readonly isTaken: boolean
  /** Shards of the map in use; 0 while there is none. */
  readonly openShards: number
  /** The time of the answer. */
  readonly atMs: number
}

/** `kinesis-producer:breaker`: requests of a stream are held back from now on, or flow again. */
export interface BreakerEvent {
  /** The name or the ARN of the stream, as it was given. */
  readonly streamName: string
  /** True: requests are held back. False: they flow again. */
  readonly isOpen: boolean
  /** The time of the answer that opened or closed the breaker. */
  readonly atMs: number
}

/** The facts of a stream that the events need. */
interface Source {
  readonly streamName: string
  readonly gauges: StreamGauges
}

const requests = channel(CHANNELS.request)
const failedRecords = channel(CHANNELS.recordFailed)
const throttles = channel(CHANNELS.throttle)
const shardMaps = channel(CHANNELS.shardMap)
const breakers = channel(CHANNELS.breaker)

/**
 * Notes what an answer says before it is acted upon. Returns what publishes it, to be called when the streams are at
 * rest; undefined without a subscriber.
 */
export function noteAnswer(source: Source, batch: Batch, outcome: Outcome): (() => void) | undefined {
  const isHeard = requests.hasSubscribers || throttles.hasSubscribers || breakers.hasSubscribers
  if (!isHeard) return undefined
  const { streamName } = source
  const request = requestEvent(streamName, batch, outcome)
  const throttledShards = throttledByShard(batch, outcome)
  const wasOpen = source.gauges.isBreakerOpen
  return () => {
    const atMs = outcome.endMs
    const { isBreakerOpen, rateFactorOf } = source.gauges
    if (requests.hasSubscribers) requests.publish(request)
    for (const [shardId, kinesisRecords] of throttledShards) {
      const rateFactor = shardId === undefined ? undefined : rateFactorOf(shardId)
      const event: ThrottleEvent = { streamName, shardId, kinesisRecords, rateFactor, atMs }
      if (throttles.hasSubscribers) throttles.publish(event)
    }
    const event: BreakerEvent = { streamName, isOpen: isBreakerOpen, atMs }
    if (isBreakerOpen !== wasOpen && breakers.hasSubscribers) breakers.publish(event)
  }
}

/** Publishes the end of a listing. */
export function publishShardMap(source: Source, atMs: number): void {
  if (!shardMaps.hasSubscribers) return
  const { openShards, shardMapLoadedMs } = source.gauges
  const event: ShardMapEvent = {
    streamName: source.streamName,
    isTaken: shardMapLoadedMs === atMs,
    openShards,
    atMs
  }
  shardMaps.publish(event)
}

/** Publishes the failure of the members that have not been called back, once for each story among them. */
export function publishFailed(streamName: string, settlement: Settlement): void {
  if (!failedRecords.hasSubscribers) return
  if (settlement.kind !== 'failed') return
  for (const { told, userRecords } of failuresOf(settlement)) {
    publishFailure(streamName, told, shardOf(settlement), userRecords)
  }
}

/** Publishes the failure that `userRecords` have in common. */
export function publishFailure(
  streamName: string,
  { code, serviceCode, persisted, attempts }: MemberFailure,
  shardId: string | undefined,
  userRecords: number
): void {
  if (!failedRecords.hasSubscribers) return
  const event: RecordFailedEvent = {
    streamName,
    code,
    serviceCode,
    shardId,
    userRecords,
    persisted,
    attempts: attempts.length
  }
  failedRecords.publish(event)
}

function requestEvent(streamName: string, { entries, requestBytes }: Batch, outcome: Outcome): RequestEvent {
  const { startMs, endMs } = outcome
  const errorCodes = new Map<string, number>()
  let failedCount = outcome.kind === 'failed' ? entries.length : 0
  for (const answer of outcome.kind === 'answered' ? outcome.records : []) {
    if (isAcknowledged(answer)) continue
    failedCount++
    const code = answer.errorCode ?? 'MalformedAnswer'
    errorCodes.set(code, (errorCodes.get(code) ?? 0) + 1)
  }
  return {
    streamName,
    startMs,
    endMs,
    kinesisRecords: entries.length,
    userRecords: entries.reduce((count, { members }) => count + members.count, 0),
    requestBytes,
    failedRecords: failedCount,
    errorCode: outcome.kind === 'failed' ? outcome.error.errorCode : undefined,
    errorCodes: Object.fromEntries(errorCodes)
  }
}

/** Returns how many Kinesis records of each shard an answer throttled; undefined: of shards that are not known. */
export function throttledByShard({ entries }: Batch, outcome: Outcome): Map<string | undefined, number> {
  const counts = new Map<string | undefined, number>()
  entries.forEach(({ lane: { shardId } }, i) => {
    if (verdictOn(outcome, i) !== 'throttled') return
    counts.set(shardId, (counts.get(shardId) ?? 0) + 1)
  })
  return counts
}

function verdictOn(outcome: Outcome, index: number): string | undefined {
  if (outcome.kind === 'failed') return classifyRequestError(outcome.error)
  const code = outcome.records[index]?.errorCode
  return code === undefined ? undefined : classifyEntryError(code)
}

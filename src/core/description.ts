/**
 * The meaning of a stream's summary: its record distribution, its largest record, and whether the stream exists. Summaries and
 * refusals enter; warnings, probes and a listing that is due leave.
 * Invariant: each warning is given at most once for a stream that does not change; a stream that is being created loses no
 * record before its time to live.
 */
import type { StreamSummary } from '../model/ports.ts'
import { classifyRequestError, STREAM_IN_USE, STREAM_NOT_FOUND } from '../model/service-errors.ts'
import type { Breaker } from './breaker.ts'
import type { Router } from './router.ts'
import type { StreamHost } from './stream-host.ts'
import type { StreamOptions } from './stream-options.ts'
import { StreamStatus } from './stream-status.ts'

export interface DescriptionContext {
  readonly streamName: string
  readonly options: StreamOptions
  readonly host: Pick<StreamHost<never>, 'random' | 'warn'>
  readonly router: Router
  readonly breaker: Breaker
}

export class Description {
  readonly status: StreamStatus
  readonly #context: DescriptionContext
  #hasWarnedOfSize = false

  /** `firstFetchMs`: no summary is fetched before. */
  constructor(context: DescriptionContext, firstFetchMs?: number) {
    this.#context = context
    const { host, options } = context
    this.status = new StreamStatus(host.random, options.describeStreamSummaryIntervalMs, firstFetchMs)
  }

  /** Takes a summary; undefined: the call failed, with `errorCode`. Lanes may change. */
  came(summary: StreamSummary | undefined, errorCode: string | undefined, nowMs: number): void {
    const { router, breaker } = this.#context
    const isKeyed = summary === undefined ? undefined : summary.recordDistribution !== 'AUTO'
    if (router.summaryCame(isKeyed) && isKeyed === false) this.#warnServiceManaged('its distribution strategy is AUTO')
    if (summary?.maxRecordBytes !== undefined) this.#checkSize(summary.maxRecordBytes)
    const status = summary?.status ?? (errorCode === STREAM_NOT_FOUND ? 'MISSING' : undefined)
    const news = this.status.told(status, nowMs, isAnswer(errorCode))
    if (news === 'ready') router.directory.retryNow(nowMs)
    if (news !== undefined) breaker.probeNow(nowMs, news === 'ready')
  }

  /** Returns whether a refusal that the breaker believes is to be believed: one that denies the stream may be too early. */
  believes(serviceCode: string | undefined, nowMs: number): boolean {
    const deniesStream = serviceCode === STREAM_NOT_FOUND || serviceCode === STREAM_IN_USE
    return !deniesStream || this.status.believes(nowMs)
  }

  /** Whether a listing that gave no shards, refused with this code or empty, is no fault: the stream is being created. */
  explainsNoShards(errorCode?: string): boolean {
    if (errorCode === STREAM_NOT_FOUND) return this.status.isCreating
    return (errorCode === undefined || errorCode === STREAM_IN_USE) && this.status.mayBeCreating
  }

  /** Acts on answers which say that the service chooses shards itself. Returns true when lanes may be others now. */
  noticesMisroutes(): boolean {
    const { router } = this.#context
    if (!router.looksServiceManaged) return false
    router.setServiceManaged()
    this.#warnServiceManaged('records land in other shards than their keys choose')
    return true
  }

  #warnServiceManaged(reason: string): void {
    const { options, streamName, host } = this.#context
    if (!options.aggregationEnabled) return
    const fact = `stream ${streamName} chooses shards itself (${reason}); it gets no aggregates or dedupe tags`
    host.warn('KPL_WARN_SERVICE_MANAGED', `${fact}, because consumers would drop them`)
  }

  #checkSize(maxRecordBytes: number): void {
    const { options, streamName, host } = this.#context
    const isTooSmall = maxRecordBytes < options.maxUserRecordBytes
    if (this.#hasWarnedOfSize || !isTooSmall) return
    this.#hasWarnedOfSize = true
    const fact = `stream ${streamName} takes records of at most ${maxRecordBytes} bytes`
    const limit = `maxUserRecordBytes allows ${options.maxUserRecordBytes}`
    host.warn('KPL_WARN_RECORD_SIZE', `${fact}, and ${limit}; Kinesis refuses larger ones`)
  }
}

/** Whether the service said something of the stream. A call that was throttled, or did not get through, says nothing. */
function isAnswer(errorCode: string | undefined): boolean {
  if (errorCode === undefined) return true
  const verdict = classifyRequestError({ errorCode, persisted: 'no' })
  return verdict !== 'throttled' && verdict !== 'outage'
}

/**
 * KinesisProducer: drives the synchronous core with one timer and one transport, and turns callbacks into promises.
 * Invariant: whatever happens to the core (a put, an answer, a wake-up) is followed by callbacks and by a timer armed no
 * later than the core's next deadline; after `close` resolves there is no timer and no request of ours.
 */

import type { Writable } from 'node:stream'
import { createAwsTransport } from '../aws/transport.ts'
import type { Pipeline } from '../core/pipeline.ts'
import { pipelineOptions } from '../core/pipeline-options.ts'
import { PipelineSet } from '../core/pipeline-set.ts'
import { errorText, InvalidRecordError, OptionsError, ProducerError } from '../model/errors.ts'
import type { AbortTicket } from '../model/kinesis-record.ts'
import type { ProducerOptions, ResolvedOptions } from '../model/options.ts'
import type { Clock, Random, ShardHashRange, Timer, Transport } from '../model/ports.ts'
import { kindOf, type UserRecord } from '../model/records.ts'
import { resolveOptions } from '../model/resolve-options.ts'
import type { PutResult, SettleCallback } from '../model/results.ts'
import type { StatsCursor } from '../stats/statistics.ts'
import { type ProducerStats, snapshot } from '../stats/stats.ts'
import { emitWarning, systemClock, systemRandom } from '../system.ts'
import { AbortWatch } from './abort-signals.ts'
import { withGuardedLogger } from './guarded-logger.ts'
import { type PutAllOutcome, putAll } from './put-all.ts'
import { Requests } from './requests.ts'
import { Room } from './room.ts'
import { SpellLog } from './spell-log.ts'
import { recordWritable, type WritableOptions } from './writable.ts'

/** What the producer reaches the world through; each defaults to the real one. */
export interface ProducerPorts {
  readonly transport?: Transport
  readonly clock?: Clock
  readonly random?: Random
}

export interface CloseResult {
  /** Records that were outstanding when `close` was called and were acknowledged. */
  readonly delivered: number
  /** Records that were outstanding when `close` was called and failed. */
  readonly failed: number
}

export class KinesisProducer implements AsyncDisposable {
  readonly #options: ResolvedOptions
  readonly #clock: Clock
  readonly #set: PipelineSet
  readonly #requests: Requests
  readonly #log: SpellLog
  #timer: Timer | undefined
  #armedMs = Number.POSITIVE_INFINITY
  #room: Room | undefined
  readonly #aborts = new AbortWatch(tickets => {
    for (const ticket of tickets) this.#set.abort(ticket, this.#clock.nowMs())
    this.#arm()
  })
  #isClosing = false
  #closing: Promise<CloseResult> | undefined
  #isClosed = false
  #endWait: () => void = ignore
  #closeTimer: Timer | undefined
  #closeByMs = Number.POSITIVE_INFINITY
  #closeTimeoutMs = Number.POSITIVE_INFINITY

  /** Throws OptionsError (KPL_ERR_INVALID_OPTIONS) that names every fault. Does no I/O. */
  constructor(options: ProducerOptions = {}, ports: ProducerPorts = {}) {
    const resolved = resolveOptions(options)
    this.#clock = ports.clock ?? systemClock
    this.#options = withGuardedLogger(resolved, this.#clock)
    const warn = (code: string, message: string) => this.#warn(code, message)
    const { logger } = this.#options
    this.#log = new SpellLog({ logger, clock: this.#clock, warn, endpoint: () => this.#requests.endpoint })
    this.#requests = new Requests({
      transport: ports.transport ?? createAwsTransport({ ...this.#options, clock: this.#clock, warn }),
      clock: this.#clock,
      logger,
      spells: this.#log.spells,
      landed: (pipeline, batch, outcome) => {
        this.#set.complete(pipeline, batch, outcome)
        this.#settleAndArm()
      },
      listed: (pipeline, listing) => this.#listed(pipeline, listing),
      described: (pipeline, summary, errorCode) => {
        this.#set.described(pipeline, summary, this.#clock.nowMs(), errorCode)
        this.#settleAndArm()
      }
    })
    this.#set = new PipelineSet(pipelineOptions(this.#options), {
      random: ports.random ?? systemRandom,
      readsUntilAnswered: this.#requests.readsUntilAnswered,
      send: (pipeline, batch) => this.#requests.send(pipeline, batch),
      fetchShards: pipeline => this.#requests.fetchShards(pipeline),
      fetchSummary: pipeline => this.#requests.fetchSummary(pipeline),
      warn,
      spells: this.#log.spells,
      callbackThrew: error => this.#callbackThrew(error)
    })
  }

  /**
   * Resolves when the record is acknowledged. `data` is copied before this returns.
   * Rejects with InvalidRecordError or ProducerError (KPL_ERR_BUFFER_FULL, KPL_ERR_CLOSED) when nothing was taken, and
   * with RecordFailedError when it was taken and not acknowledged. `signal` takes the record back.
   */
  put(record: UserRecord, options?: { readonly signal?: AbortSignal }): Promise<PutResult> {
    const promise = new Promise<PutResult>(capture)
    const resolve = captured
    const settle: SettleCallback = (error, result) => resolve(result ?? Promise.reject(error))
    try {
      const signal = options?.signal
      const isTaken = signal === undefined ? this.#accept(record, settle) : this.#putAbortable(record, settle, signal)
      if (!isTaken) resolve(Promise.reject(bufferFull(this.#options)))
    } catch (error) {
      resolve(Promise.reject(error))
    }
    return promise
  }

  /**
   * The primitive under `put`: returns false, having taken nothing, when the buffer is full; otherwise the record is
   * taken and `settle` is called exactly once, later. Allocates no promise. `data` is copied before this returns.
   * Throws InvalidRecordError for a bad record, ProducerError KPL_ERR_CLOSED after `close`.
   */
  tryPut(record: UserRecord, settle: SettleCallback = ignore): boolean {
    if (typeof settle !== 'function') throw badArgument('settle', 'a function', settle)
    return this.#accept(record, settle)
  }

  /** Resolves when the buffer has room for the largest record; rejects with KPL_ERR_CLOSED once the producer closes. */
  ready(): Promise<void> {
    if (this.#isClosing) return Promise.reject(closed())
    const { hasRoom } = this.#set
    // Asking may throw inside, and then records fail.
    if (this.#set.hasSettlements) this.#arm()
    if (hasRoom) return Promise.resolve()
    this.#room ??= new Room()
    return this.#room.promise
  }

  /**
   * Puts every record of `source` with back-pressure and yields one outcome for each, in order. A record that is refused
   * or fails is an outcome with `error`; only `source` itself can make this throw. Nothing is put before the first outcome
   * is asked for (KPL_WARN_PUT_ALL_UNREAD). Throws InvalidRecordError for a source that is no iterable of records.
   */
  putAll(source: Iterable<UserRecord> | AsyncIterable<UserRecord>): AsyncGenerator<PutAllOutcome, void, undefined> {
    return putAll(this, source, { clock: this.#clock, warn: (code, message) => this.#warn(code, message) })
  }

  /** Returns an object-mode Writable of user records with real back-pressure; its end waits for all of its records. */
  writable(options: WritableOptions = {}): Writable {
    return recordWritable(this, options, (code, message) => this.#warn(code, message))
  }

  /**
   * Sends what is buffered and resolves when every record accepted before the call has settled, well or badly; records
   * put meanwhile are not waited for. `signal` ends the waiting, not the sending.
   */
  flush({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal !== undefined) assertSignal(signal)
      signal?.throwIfAborted()
      const onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#set.flush(this.#clock.nowMs(), () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      this.#settleAndArm()
    })
  }

  /**
   * Stops intake, flushes, frees sockets and timers. Records not settled within `timeoutMs` fail with
   * KPL_ERR_CLOSE_TIMEOUT; without it their time to live is the bound. Idempotent; a later call may shorten the wait.
   * Rejects with OptionsError, and closes nothing, when `timeoutMs` is no time.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<CloseResult> {
    const timeoutMs = timeoutOf(options)
    if (timeoutMs === undefined) return Promise.reject(new OptionsError([CLOSE_FAULT]))
    this.#closing ??= this.#close()
    this.#endWithin(timeoutMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close().then(() => undefined)
  }

  /** Counters since the start, gauges of this moment and latency percentiles, by stream and shard. */
  stats(window?: StatsCursor): ProducerStats {
    return snapshot(this.#set, this.#clock.nowMs(), window)
  }

  #accept(record: UserRecord, settle: SettleCallback | AbortTicket): boolean {
    if (this.#isClosing) throw closed()
    try {
      if (!this.#set.tryPut(record, settle, this.#clock.nowMs())) return false
    } catch (error) {
      // What threw inside may have failed others.
      if (this.#set.hasSettlements) this.#arm()
      throw error
    }
    if (this.#set.isSooner(this.#armedMs)) this.#arm()
    return true
  }

  #putAbortable(record: UserRecord, settle: SettleCallback, signal: AbortSignal): boolean {
    assertSignal(signal)
    const ticket = this.#aborts.watch(signal, settle)
    let isTaken = false
    try {
      isTaken = this.#accept(record, ticket)
    } finally {
      if (!isTaken) this.#aborts.unwatch(signal, ticket)
    }
    return isTaken
  }

  async #close(): Promise<CloseResult> {
    const { delivered, failed } = this.#set
    this.#isClosing = true
    this.#room?.settle(Promise.reject(closed()))
    await new Promise<void>(resolve => {
      this.#endWait = resolve
      this.#set.flush(this.#clock.nowMs(), resolve)
      this.#settleAndArm()
    })
    this.#closeTimer?.cancel()
    const message = `not acknowledged within close's ${this.#closeTimeoutMs} ms`
    // Records that were taken back are settled, and may still be held; and requests may be out that nobody waits for.
    this.#set.abandon(this.#requests.giveUp(), { code: 'KPL_ERR_CLOSE_TIMEOUT', message }, this.#clock.nowMs())
    this.#set.runSettlements(this.#clock.nowMs())
    this.#isClosed = true
    this.#timer?.cancel()
    this.#requests.close()
    this.#log.close()
    return { delivered: this.#set.delivered - delivered, failed: this.#set.failed - failed }
  }

  /** Ends the wait of `close` after `timeoutMs`, unless it ends sooner. */
  #endWithin(timeoutMs: number): void {
    const endMs = this.#clock.nowMs() + timeoutMs
    if (this.#isClosed || endMs >= this.#closeByMs) return
    this.#closeByMs = endMs
    this.#closeTimeoutMs = timeoutMs
    this.#closeTimer?.cancel()
    this.#closeTimer = this.#clock.schedule(endMs, () => this.#endWait())
  }

  // ------------------------------------------------------------------ the edge: time and network

  #wake(): void {
    this.#timer = undefined
    this.#armedMs = Number.POSITIVE_INFINITY
    this.#set.advance(this.#clock.nowMs())
    this.#settleAndArm()
  }

  #settleAndArm(): void {
    this.#set.runSettlements(this.#clock.nowMs())
    if (this.#room !== undefined && this.#set.hasRoom) {
      this.#room.settle()
      this.#room = undefined
    }
    this.#arm()
  }

  #arm(): void {
    if (this.#isClosed) return
    // Asked first: that may throw inside, and then there are settlements.
    const dueMs = this.#set.nextDeadlineMs
    const nextMs = this.#set.hasSettlements ? this.#clock.nowMs() : dueMs
    if (nextMs === this.#armedMs) return
    this.#timer?.cancel()
    this.#armedMs = nextMs
    this.#timer = nextMs < Number.POSITIVE_INFINITY ? this.#clock.schedule(nextMs, () => this.#wake()) : undefined
  }

  #listed(pipeline: Pipeline, listing: readonly ShardHashRange[] | undefined): void {
    const nowMs = this.#clock.nowMs()
    // A listing that is not believed failed: the last good map serves on, and the next fetch is planned.
    const refusal = this.#set.listed(pipeline, listing, nowMs)
    const error = refusal === undefined ? undefined : errorText(refusal)
    this.#settleAndArm()
    if (listing !== undefined) this.#log.spells.callEnded(pipeline.streamName, 'ListShards', nowMs, error)
  }

  #warn(code: string, message: string): void {
    if (this.#options.logger === undefined) emitWarning(code, message)
    else this.#options.logger.warn(message, { code })
  }

  #callbackThrew(error: unknown): void {
    const { logger } = this.#options
    if (logger !== undefined) logger.error('a settle callback threw', { error: errorText(error) })
    else emitWarning('KPL_WARN_CALLBACK_THREW', `a settle callback threw: ${errorText(error)}`)
  }
}

let captured: (result: PutResult | Promise<never>) => void = ignore

/** One executor for all promises of `put`, read out at once: a closure less for every record. */
function capture(resolve: (result: PutResult | Promise<never>) => void): void {
  captured = resolve
}

const CLOSE_FAULT = 'close takes { timeoutMs }, a number of ms from 0'

/** Returns how long `close` may wait; undefined: that is no time. */
function timeoutOf(options: unknown): number | undefined {
  if (typeof options !== 'object' || options === null) return undefined
  const { timeoutMs = Number.POSITIVE_INFINITY } = options as { readonly timeoutMs?: unknown }
  return typeof timeoutMs === 'number' && timeoutMs >= 0 ? timeoutMs : undefined
}

function assertSignal(signal: unknown): void {
  // By its methods: jsdom and other realms have an AbortSignal that is no instance of ours.
  const methods = Object(signal) as { readonly addEventListener?: unknown; readonly throwIfAborted?: unknown }
  const isSignal = typeof methods.addEventListener === 'function' && typeof methods.throwIfAborted === 'function'
  if (!isSignal) throw badArgument('signal', 'an AbortSignal', signal)
}

function badArgument(name: string, kind: string, value: unknown): InvalidRecordError {
  return new InvalidRecordError('KPL_ERR_INVALID_RECORD', name, `must be ${kind}, got ${kindOf(value)}`)
}

function closed(): ProducerError {
  return new ProducerError('KPL_ERR_CLOSED', 'the producer is closed')
}

function bufferFull({ bufferMaxBytes, bufferMaxRecords }: ResolvedOptions): ProducerError {
  const bounds = `bufferMaxBytes ${bufferMaxBytes}, bufferMaxRecords ${bufferMaxRecords}`
  const fact = `the buffer is full, or one shard has half of it (${bounds})`
  return new ProducerError('KPL_ERR_BUFFER_FULL', `${fact}; await ready() before the next put`)
}

function ignore(): void {}

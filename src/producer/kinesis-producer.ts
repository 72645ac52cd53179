/**
 * KinesisProducer: turns callbacks of the core into promises, its wake-ups into a timer, and its requests over to the transport.
 * Invariant: nothing is decided here; after `close` resolves there is no timer and no request of ours.
 */

import type { Writable } from 'node:stream'
import { createAwsTransport } from '../aws/transport.ts'
import { Core } from '../core/core.ts'
import { streamOptions } from '../core/stream-options.ts'
import { errorText, ProducerError } from '../model/errors.ts'
import { checkedClock } from '../model/given-clock.ts'
import type { ProducerOptions, ResolvedOptions } from '../model/options.ts'
import type { Clock, Random, Timer, Transport } from '../model/ports.ts'
import type { UserRecord } from '../model/records.ts'
import { resolveOptions } from '../model/resolve-options.ts'
import type { CloseResult, ContextCallback, PutResult, SettleCallback } from '../model/results.ts'
import type { StatsCursor } from '../stats/statistics.ts'
import { type ProducerStats, snapshot } from '../stats/stats.ts'
import { emitWarning, systemClock, systemRandom } from '../system.ts'
import { AbortWatch } from './abort-signals.ts'
import { BurstClock } from './burst-clock.ts'
import {
  assertCursor,
  assertPorts,
  badArgument,
  closeArgument,
  flushSignal,
  manyArguments,
  putSignal
} from './call-arguments.ts'
import { withGuardedLogger } from './guarded-logger.ts'
import { type PutAllOutcome, putAll, type RecordSink } from './put-all.ts'
import { type PutManyOptions, type PutManyResult, putMany, putManyFault } from './put-many.ts'
import { PutPromises } from './put-promises.ts'
import { Requests } from './requests.ts'
import { surplusFault } from './second-argument.ts'
import { SpellLog } from './spell-log.ts'
import { recordWritable, type WritableOptions } from './writable.ts'

/** The ports of the producer to the outside world. Each one defaults to the real one; tests pass their own. */
export interface ProducerPorts {
  /** The network. Default: the AWS SDK's client. Tests pass an `InMemoryTransport`. */
  readonly transport?: Transport
  /** Time and timers. Default: the machine's. Tests pass a `VirtualClock`. */
  readonly clock?: Clock
  /** Random numbers, for back-off. Default: `Math.random`. Tests pass a `seededRandom`. */
  readonly random?: Random
}

export type { CloseResult } from '../model/results.ts'

/** A promise of `put`, the shared one, and one that comes later, which takes a turn more to be followed. */
const PROMISES_IN_A_ROW = 4

/**
 * Puts user records into Kinesis Data Streams: it packs them into KPL aggregates, sends them with PutRecords, and repeats
 * failed attempts until the time to live of a record ends. One producer serves many streams.
 *
 * @example
 * const producer = new KinesisProducer({ streamName: 'orders', region: 'eu-west-1' })
 * // ... put, and before the process ends:
 * await producer.close({ timeoutMs: 5_000 })
 */
export class KinesisProducer implements AsyncDisposable {
  readonly #options: ResolvedOptions
  readonly #clock: Clock
  readonly #putClock: Pick<Clock, 'nowMs'>
  readonly #core: Core
  readonly #requests: Requests
  readonly #log: SpellLog
  readonly #puts = new PutPromises()
  readonly #aborts = new AbortWatch(tickets => this.#core.abort(tickets, this.#clock.nowMs()))
  /** For what puts more than one record. */
  readonly #sink: RecordSink
  #timer: Timer | undefined
  #closing: Promise<CloseResult> | undefined
  /** Shared by all callers that wait for room. */
  #room: Promise<void> | undefined

  /** Throws OptionsError (KPL_ERR_INVALID_OPTIONS) that names every fault. Does no I/O. */
  constructor(options: ProducerOptions = {}, ports: ProducerPorts = {}) {
    const resolved = resolveOptions(options)
    assertPorts(ports)
    this.#sink = sinkOf(this, () => this.#core.hasRoom)
    const given = ports.clock && checkedClock(ports.clock)
    this.#clock = given ?? systemClock
    // A clock of the user's may jump within a run.
    this.#putClock = given ?? new BurstClock(systemClock)
    this.#options = withGuardedLogger(resolved, this.#clock)
    const warn = (code: string, message: string) => this.#warn(code, message)
    const { logger } = this.#options
    const transport = ports.transport ?? createAwsTransport({ ...this.#options, clock: this.#clock, warn })
    this.#log = new SpellLog({ logger, clock: this.#clock, warn, endpoint: () => transport.endpoint })
    this.#requests = new Requests({ transport, clock: this.#clock, logger, core: () => this.#core })
    this.#core = new Core(streamOptions(this.#options), {
      random: ports.random ?? systemRandom,
      readsUntilAnswered: transport.readsUntilAnswered === true,
      spells: this.#log.spells,
      send: flight => this.#requests.send(flight),
      fetchShards: stream => this.#requests.fetchShards(stream),
      fetchSummary: stream => this.#requests.fetchSummary(stream),
      wakeAt: atMs => this.#wakeAt(atMs),
      warn,
      callbackThrew: error => this.#callbackThrew(error)
    })
  }

  /**
   * Resolves when the record is acknowledged. `data` is copied before this returns.
   * Rejects with InvalidRecordError or ProducerError (KPL_ERR_BUFFER_FULL, KPL_ERR_CLOSED) when nothing was taken, and
   * with RecordFailedError when it was taken and not acknowledged. `signal` takes the record back. Rejects with OptionsError,
   * having taken nothing, when the second argument has another field.
   *
   * @example
   * const { shardId, sequenceNumber } = await producer.put({ partitionKey: 'user-1', data: 'hello' })
   * console.log(`stored in ${shardId} as ${sequenceNumber}`)
   */
  put(
    record: UserRecord,
    options?: {
      /** Takes the record back when it fires: `put` then rejects with `KPL_ERR_ABORTED`. */
      readonly signal?: AbortSignal
    }
  ): Promise<PutResult> {
    const puts = this.#puts
    // A transport may put within a put.
    const outer = puts.newest
    try {
      const signal = options === undefined ? undefined : putSignal(options)
      if (signal !== undefined) return this.#putAbortable(record, signal)
      const isTaken = this.#core.tryPut(record, puts, this.#putClock.nowMs())
      return isTaken && puts.newest !== undefined ? puts.newest : Promise.reject(bufferFull(this.#options))
    } catch (error) {
      return Promise.reject(error)
    } finally {
      puts.newest = outer
    }
  }

  /**
   * The primitive under `put`: returns false, having taken nothing, when the buffer is full; otherwise the record is
   * taken and `settle` is called exactly once, later. Allocates no promise. `data` is copied before this returns.
   * Throws InvalidRecordError for a bad record, ProducerError KPL_ERR_CLOSED after `close`. `context` comes back as the third argument of
   * `settle`: one function for all records instead of a function for each, which is the cheapest way to follow many of them.
   *
   * @example
   * const isTaken = producer.tryPut({ partitionKey: 'user-1', data: 'hello' }, error => {
   *   if (error !== undefined) console.error(error.code, error.persisted)
   * })
   * isTaken // => true
   */
  tryPut(record: UserRecord, settle?: SettleCallback): boolean
  tryPut<Context>(record: UserRecord, settle: ContextCallback<Context>, context: Context): boolean
  tryPut(record: UserRecord, settle: ContextCallback<unknown> = ignore, context?: unknown): boolean {
    if (typeof settle !== 'function') throw badArgument('settle', 'a function', settle)
    return this.#core.tryPut(record, settle, this.#putClock.nowMs(), context)
  }

  /**
   * Resolves when the buffer has room for the largest record; rejects with KPL_ERR_CLOSED once the producer closes.
   *
   * @example
   * while (!producer.tryPut(record)) await producer.ready()
   */
  ready(): Promise<void>
  ready(surplus?: unknown): Promise<void> {
    if (surplus !== undefined) return Promise.reject(surplusFault('ready()', surplus))
    if (this.#room !== undefined) return this.#room
    let isOver = false
    const room = new Promise<void>((resolve, reject) => {
      this.#core.whenRoom(this.#clock.nowMs(), refusal => {
        isOver = true
        this.#room = undefined
        if (refusal === undefined) resolve()
        else reject(refusal)
      })
    })
    // Waiting callers learn of a close; without one, the rejection is no fault.
    room.catch(ignore)
    // One promise for all callers that wait.
    if (!isOver) this.#room = room
    return room
  }

  /**
   * Puts a list and resolves when all of it has settled: `{ results, failedCount }`, one outcome for each record in order, those
   * that were refused included. It never rejects for a record. It waits for room while it works through the list, so a list may
   * be larger than the buffer; the list and its records are read until then and must not change. Rejects with
   * InvalidRecordError for a value that is not a list, and with KPL_ERR_BUFFER_FULL, having taken nothing, when `whenFull` is `'reject'` and
   * there is no room for the whole list. Cost beside the puts: one closure and one outcome a record.
   *
   * @example
   * const { results, failedCount } = await producer.putMany(records)
   * failedCount // => 0
   * for (const { error } of results) if (error !== undefined) console.error(error.code)
   */
  putMany(records: readonly UserRecord[], options?: PutManyOptions): Promise<PutManyResult> {
    return new Promise((resolve, reject) => {
      const { signal, whenFull } = manyArguments(options)
      const fault = putManyFault(records, whenFull)
      if (fault !== undefined) throw fault
      const isFull = whenFull === 'reject' && !this.#core.fits(records)
      if (isFull) reject(bufferFull(this.#options))
      else resolve(putMany(this.#sink, records, signal))
    })
  }

  /**
   * Puts every record of `source` with back-pressure and yields one outcome for each, in order. A record that is refused
   * or fails is an outcome with `error`; only `source` itself can make this throw. Nothing is put before the first outcome
   * is asked for (KPL_WARN_PUT_ALL_UNREAD). Throws InvalidRecordError for a source that is no iterable of records.
   *
   * @example
   * for await (const { record, error } of producer.putAll(records)) {
   *   if (error !== undefined) console.error(record.partitionKey, error.code)
   * }
   */
  putAll(source: Iterable<UserRecord> | AsyncIterable<UserRecord>): AsyncGenerator<PutAllOutcome, void, undefined>
  putAll(
    source: Iterable<UserRecord> | AsyncIterable<UserRecord>,
    surplus?: unknown
  ): AsyncGenerator<PutAllOutcome, void, undefined> {
    if (surplus !== undefined) throw surplusFault('putAll(source)', surplus)
    return putAll(this.#sink, source, { clock: this.#clock, warn: (code, message) => this.#warn(code, message) })
  }

  /**
   * Returns an object-mode Writable of user records with real back-pressure; its end waits for all of its records.
   *
   * @example
   * import { Readable } from 'node:stream'
   * import { pipeline } from 'node:stream/promises'
   *
   * const onFailure = (error: ProducerError, record: UserRecord) => console.error(record.partitionKey, error.code)
   * await pipeline(Readable.from(records), producer.writable({ onFailure }))
   */
  writable(options?: WritableOptions): Writable {
    return recordWritable(this.#sink, options, (code, message) => this.#warn(code, message))
  }

  /**
   * Sends the buffered records, and resolves when every record accepted before the call has settled, with a result or an error.
   * It does not wait for records put meanwhile. `signal` ends the waiting, not the sending.
   *
   * @example
   * producer.tryPut({ partitionKey: 'user-1', data: 'hello' })
   * await producer.flush()
   * producer.stats().bufferedRecords // => 0
   */
  flush(options?: {
    /** Ends the waiting when it fires: `flush` then rejects with the signal's reason. The records go on. */
    readonly signal?: AbortSignal
  }): Promise<void> {
    return new Promise((resolve, reject) => {
      const signal = flushSignal(options)
      signal?.throwIfAborted()
      const onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#core.flush(this.#clock.nowMs(), () => {
        void callersTold().then(resolve)
        signal?.removeEventListener('abort', onAbort)
      })
    })
  }

  /**
   * Stops intake, flushes, frees sockets and timers. Records not settled within `timeoutMs` fail with KPL_ERR_CLOSE_TIMEOUT;
   * without it their time to live is the bound. Idempotent; a later call may shorten the wait. With a bad argument it still
   * closes, without that deadline, and then rejects with OptionsError: a mistake in a SIGTERM handler must not lose what is
   * buffered.
   *
   * @example
   * const { delivered, failed } = await producer.close({ timeoutMs: 5_000 })
   * if (failed > 0) console.error(`${failed} records were not acknowledged, ${delivered} were`)
   */
  close(options?: {
    /** Longest time until every record has settled. Default: their time to live (`recordTtlMs`) is the bound. */
    readonly timeoutMs?: number
  }): Promise<CloseResult> {
    const { timeoutMs, fault } = closeArgument(options)
    let nowMs: number
    try {
      nowMs = this.#clock.nowMs()
    } catch (error) {
      return Promise.reject(error)
    }
    const closed = this.#close(nowMs, timeoutMs)
    return fault === undefined ? closed : closed.then(() => Promise.reject(fault))
  }

  #close(nowMs: number, timeoutMs: number): Promise<CloseResult> {
    if (this.#closing !== undefined) {
      this.#core.close(nowMs, timeoutMs, ignore)
      return this.#closing
    }
    // Closing may call back, and a callback may close.
    let resolve: (result: CloseResult) => void = ignore
    this.#closing = new Promise(resolved => {
      resolve = resolved
    })
    this.#core.close(nowMs, timeoutMs, result => {
      this.#requests.close()
      this.#log.close()
      void callersTold().then(() => resolve(result))
    })
    return this.#closing
  }

  /**
   * Closes the producer at the end of an `await using` block: as `close()`.
   *
   * @example
   * {
   *   await using producer = new KinesisProducer({ streamName: 'orders', region: 'eu-west-1' })
   *   producer.stats().delivered // => 0
   * } // the producer is closed here
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close().then(() => undefined)
  }

  /**
   * Counters since the start, gauges of this moment and latency percentiles, by stream and shard.
   *
   * @example
   * const { bufferedBytes, bufferMaxBytes, streams } = producer.stats()
   * console.log(bufferedBytes / bufferMaxBytes, streams['orders']?.putToAck.p99Ms)
   */
  stats(): ProducerStats
  /** `window` is the place of a `MetricsWindow`. */
  stats(window?: StatsCursor): ProducerStats {
    if (window !== undefined) assertCursor(window)
    return snapshot(this.#core, this.#clock.nowMs(), window)
  }

  #putAbortable(record: UserRecord, signal: AbortSignal): Promise<PutResult> {
    return new Promise((resolve, reject) => {
      const ticket = this.#aborts.watch(signal, (error, result) => {
        if (result === undefined) reject(error)
        else resolve(result)
      })
      let isTaken = false
      try {
        isTaken = this.#core.tryPut(record, ticket, this.#clock.nowMs())
      } finally {
        if (!isTaken) this.#aborts.unwatch(signal, ticket)
      }
      if (!isTaken) reject(bufferFull(this.#options))
      // To read the record's fields may have fired it, before there was anything to take back.
      else if (signal.aborted) this.#core.abort([ticket], this.#clock.nowMs())
    })
  }

  #wakeAt(atMs: number): void {
    this.#timer?.cancel()
    this.#timer =
      atMs < Number.POSITIVE_INFINITY
        ? this.#clock.schedule(atMs, () => {
            this.#timer = undefined
            this.#core.wake(this.#clock.nowMs())
          })
        : undefined
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

function sinkOf(producer: KinesisProducer, hasRoom: () => boolean): RecordSink {
  return {
    tryPut: (record, settle, context) => producer.tryPut(record, settle, context),
    ready: () => producer.ready(),
    get hasRoom() {
      return hasRoom()
    }
  }
}

function bufferFull({ bufferMaxBytes, bufferMaxRecords }: ResolvedOptions): ProducerError {
  const bounds = `bufferMaxBytes ${bufferMaxBytes}, bufferMaxRecords ${bufferMaxRecords}`
  const fact = `the buffer is full, or one shard has half of it (${bounds})`
  return new ProducerError('KPL_ERR_BUFFER_FULL', `${fact}; await ready() before the next put`)
}

/** Resolves when those who await a `put` that has settled have gone on: its promise follows others, a turn each. */
async function callersTold(): Promise<void> {
  for (let turn = 0; turn < PROMISES_IN_A_ROW; turn++) await undefined
}

function ignore(): void {}

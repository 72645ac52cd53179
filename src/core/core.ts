/**
 * The producer without promises, timers and network: what a user or the world does enters, requests and callbacks leave
 * through one `CoreHost`. `KinesisProducer` and the simulation drive the same object.
 * Invariant: whatever happens is followed by callbacks and by a wake-up asked for no later than the next thing due; every
 * request handed to the host is heard of once at most; after the end of `close` nothing is sent, woken or heard.
 *
 *   put ----> StreamSet ----> host.send(flight) ... landed(flight, outcome) ----> callbacks ----> host.wakeAt
 */
import { ProducerError } from '../model/errors.ts'
import type { Outcome } from '../model/exchange.ts'
import type { AbortTicket, Batch } from '../model/kinesis-record.ts'
import type { Random, ShardHashRange, StreamSummary } from '../model/ports.ts'
import type { UserRecord } from '../model/records.ts'
import type { SettleCallback } from '../model/results.ts'
import type { ControlCall } from '../stats/outage-spells.ts'
import type { Spells } from '../stats/spells.ts'
import type { Stream } from './stream.ts'
import type { StreamOptions } from './stream-options.ts'
import { StreamSet } from './stream-set.ts'

/** What the core asks of the world. None of these may call back before they return. */
export interface CoreHost {
  readonly random: Random
  /** Whether `send` looks at no entry any more once it was answered: see `Transport.readsUntilAnswered`. */
  readonly readsUntilAnswered?: boolean | undefined
  /** Told what a log is to say. */
  readonly spells?: Spells | undefined
  /** Makes a request; what became of it comes to `landed`. */
  send(flight: Flight): void
  /** Asks for the listing: it comes to `listed`. */
  fetchShards(stream: Stream): void
  /** Asks for the summary: it comes to `described`. */
  fetchSummary(stream: Stream): void
  /** Calls `wake` once, at or after this time, in place of the time asked for before; Infinity: not at all. */
  wakeAt(atMs: number): void
  warn(code: string, message: string): void
  /** A user's callback threw. */
  callbackThrew(error: unknown): void
}

/** A request under way. */
export interface Flight {
  readonly stream: Stream
  readonly batch: Batch
}

/** Why a listing or a summary could not be had. */
export interface CallFailure {
  /** The service's, or Node.js's. */
  readonly errorCode: string
  /** For a log. */
  readonly text: string
}

export interface CloseResult {
  /** Records that were outstanding when `close` was called and were acknowledged. */
  readonly delivered: number
  /** Records that were outstanding when `close` was called and failed. */
  readonly failed: number
}

interface Closing {
  readonly delivered: number
  readonly failed: number
  readonly done: ((result: CloseResult) => void)[]
  endMs: number
  timeoutMs: number
  /** Everything has settled: what is left is to say so. */
  isDrained: boolean
  result: CloseResult | undefined
}

export class Core {
  readonly streams: StreamSet
  readonly #host: CoreHost
  readonly #flights = new Set<Flight>()
  #roomWaiters: ((refusal: ProducerError | undefined) => void)[] = []
  #armedMs = Number.POSITIVE_INFINITY
  #closing: Closing | undefined
  #isClosed = false

  constructor(options: StreamOptions, host: CoreHost) {
    this.#host = host
    this.streams = new StreamSet(options, {
      random: host.random,
      readsUntilAnswered: host.readsUntilAnswered,
      spells: host.spells,
      send: (stream, batch) => this.#send({ stream, batch }),
      fetchShards: stream => host.fetchShards(stream),
      fetchSummary: stream => host.fetchSummary(stream),
      warn: (code, message) => host.warn(code, message),
      callbackThrew: error => host.callbackThrew(error)
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Takes a record, or returns false when the buffer is full. Throws KPL_ERR_CLOSED, InvalidRecordError, or KPL_ERR_INTERNAL;
   * then, and when the buffer is full, nothing was taken. Callbacks run later. Hot.
   */
  tryPut(user: UserRecord, settle: SettleCallback | AbortTicket, nowMs: number): boolean {
    if (this.#closing !== undefined) throw closed()
    try {
      if (!this.streams.tryPut(user, settle, nowMs)) return false
    } catch (error) {
      // What threw inside may have failed others.
      if (this.streams.hasSettlements) this.#arm(nowMs)
      throw error
    }
    if (this.streams.isSooner(this.#armedMs)) this.#arm(nowMs)
    return true
  }

  /** Opens a stream before its first record, so that its shard map is there in time. */
  open(streamName: string, nowMs: number): void {
    this.streams.open(streamName)
    this.#rest(nowMs)
  }

  /** Takes records back. */
  abort(tickets: Iterable<AbortTicket>, nowMs: number): void {
    for (const ticket of tickets) this.streams.abort(ticket, nowMs)
    this.#arm(nowMs)
  }

  /** Calls `done` when the buffer has room for the largest record, maybe at once; with an error when it will have none. */
  whenRoom(nowMs: number, done: (refusal: ProducerError | undefined) => void): void {
    if (this.#closing !== undefined) {
      done(closed())
      return
    }
    const { hasRoom } = this.streams
    // Asking may throw inside, and then records fail.
    if (this.streams.hasSettlements) this.#arm(nowMs)
    if (hasRoom) done(undefined)
    else this.#roomWaiters.push(done)
  }

  /** Sends what is buffered, and calls `done` once every record accepted so far has been called back. */
  flush(nowMs: number, done: () => void): void {
    this.streams.flush(nowMs, () => this.#call(done))
    this.#rest(nowMs)
  }

  /**
   * Stops intake, flushes, and calls `done` when everything has settled, or has been failed because `timeoutMs` are over.
   * A later call gets the same answer; it may shorten the wait.
   */
  close(nowMs: number, timeoutMs: number, done: (result: CloseResult) => void): void {
    const isFirst = this.#closing === undefined
    const { delivered, failed } = this.streams
    const never = Number.POSITIVE_INFINITY
    this.#closing ??= {
      delivered,
      failed,
      done: [],
      endMs: never,
      timeoutMs: never,
      isDrained: false,
      result: undefined
    }
    const closing = this.#closing
    if (closing.result !== undefined) {
      done(closing.result)
      return
    }
    closing.done.push(done)
    if (nowMs + timeoutMs < closing.endMs) {
      closing.endMs = nowMs + timeoutMs
      closing.timeoutMs = timeoutMs
    }
    if (isFirst) {
      this.#tellRoom(closed())
      this.streams.flush(nowMs, () => {
        closing.isDrained = true
      })
    }
    this.#rest(nowMs)
  }

  /** The time that was asked for has come. */
  wake(nowMs: number): void {
    this.#armedMs = Number.POSITIVE_INFINITY
    if (this.#isClosed) return
    this.streams.advance(nowMs)
    this.#rest(nowMs)
    if (this.#closing !== undefined && nowMs >= this.#closing.endMs) this.#end(this.#closing, nowMs)
  }

  /** What became of a request; a second time, or after it was given up, it is not heard. */
  landed(flight: Flight, outcome: Outcome): void {
    if (!this.#flights.delete(flight)) return
    this.streams.complete(flight.stream, flight.batch, outcome)
    this.#rest(outcome.endMs)
  }

  /** The open shards; undefined: they could not be had, for the `failure`. */
  listed(
    stream: Stream,
    listing: readonly ShardHashRange[] | undefined,
    nowMs: number,
    failure?: CallFailure
  ): ProducerError | undefined {
    if (this.#isClosed) return undefined
    const isExpected = failure !== undefined && stream.description.explainsNoShards(failure.errorCode)
    // A listing that is not believed failed: the last good map serves on, and the next fetch is planned.
    const refusal = this.streams.listed(stream, listing, nowMs)
    this.#rest(nowMs)
    const text = refusal === undefined ? failure?.text : `${refusal.name}: ${refusal.message}`
    if (!isExpected) this.#callEnded(stream, 'ListShards', nowMs, text)
    return refusal
  }

  /** The stream's summary; undefined: it could not be had, for the `failure`. */
  described(stream: Stream, summary: StreamSummary | undefined, nowMs: number, failure?: CallFailure): void {
    if (this.#isClosed) return
    this.streams.described(stream, summary, nowMs, failure?.errorCode)
    this.#rest(nowMs)
    this.#callEnded(stream, 'DescribeStreamSummary', nowMs, failure?.text)
  }

  #send(flight: Flight): void {
    this.#flights.add(flight)
    this.#host.send(flight)
  }

  #callEnded({ streamName }: Stream, call: ControlCall, nowMs: number, text: string | undefined): void {
    this.#host.spells?.callEnded(streamName, call, nowMs, text)
  }

  /** Nothing is in the middle of anything: callbacks run, waiters hear of room, the next wake-up is asked for. */
  #rest(nowMs: number): void {
    this.streams.runSettlements(nowMs)
    if (this.#roomWaiters.length > 0 && this.streams.hasRoom) this.#tellRoom(undefined)
    if (this.#closing?.isDrained) this.#end(this.#closing, nowMs)
    this.#arm(nowMs)
  }

  #tellRoom(refusal: ProducerError | undefined): void {
    const waiters = this.#roomWaiters
    this.#roomWaiters = []
    for (const done of waiters) this.#call(() => done(refusal))
  }

  #arm(nowMs: number): void {
    if (this.#isClosed) return
    // Asked first: that may throw inside, and then there are settlements.
    const dueMs = Math.min(this.streams.nextDeadlineMs, this.#closing?.endMs ?? Number.POSITIVE_INFINITY)
    const nextMs = this.streams.hasSettlements ? nowMs : dueMs
    if (nextMs === this.#armedMs) return
    this.#armedMs = nextMs
    this.#host.wakeAt(nextMs)
  }

  #end(closing: Closing, nowMs: number): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const flights = [...this.#flights]
    this.#flights.clear()
    const message = `not acknowledged within close's ${closing.timeoutMs} ms`
    // Records that were taken back are settled, and may still be held; and requests may be out that nobody waits for.
    this.streams.abandon(flights, { code: 'KPL_ERR_CLOSE_TIMEOUT', message }, nowMs)
    this.streams.runSettlements(nowMs)
    this.#host.wakeAt(Number.POSITIVE_INFINITY)
    const result = {
      delivered: this.streams.delivered - closing.delivered,
      failed: this.streams.failed - closing.failed
    }
    closing.result = result
    for (const done of closing.done) this.#call(() => done(result))
  }

  /** Whoever waits is told last, when the books are right; what they throw changes nothing for others. */
  #call(done: () => void): void {
    try {
      done()
    } catch (error) {
      this.#host.callbackThrew(error)
    }
  }
}

function closed(): ProducerError {
  return new ProducerError('KPL_ERR_CLOSED', 'the producer is closed')
}

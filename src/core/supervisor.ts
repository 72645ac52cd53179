/**
 * Every stream's stream, each behind a guard: a piece of work enters with its stream and is done. A stream that throws is
 * replaced, because the state of its stages is unknown.
 * Invariant: nothing that a stream throws passes `guard`; every record that it held fails with the error, once, and the stream
 * goes on with a new stream. Answers to requests of a stream that was replaced are not for its successor.
 */

import { InvalidRecordError, RecordFailedError } from '../model/errors.ts'
import { streamNameFault } from '../model/records.ts'
import { Agenda } from './agenda.ts'
import { internalFailure } from './failures.ts'
import { Stream } from './stream.ts'
import type { FormerStream, StreamHost } from './stream-host.ts'
import type { StreamOptions } from './stream-options.ts'

/** How long a stream that takes over from one that threw leaves the service alone before it lists the shards. */
const REPLACED_PAUSE_MS = 1_000
/** More streams than one producer may serve: names are often made from data, and every stream is kept. */
const MAX_STREAMS = 10_000

export class Supervisor {
  readonly #options: StreamOptions
  readonly #host: StreamHost<Stream>
  readonly #streams = new Map<string, Stream>()
  readonly #agenda = new Agenda()
  /** The stream that was opened last. */
  #last: Stream | undefined
  #nowMs = 0

  constructor(options: StreamOptions, host: StreamHost<Stream>) {
    this.#options = options
    this.#host = host
  }

  /** The time of the last piece of work. */
  get nowMs(): number {
    return this.#nowMs
  }

  get streams(): Iterable<Stream> {
    return this.#streams.values()
  }

  find(streamName: string): Stream | undefined {
    return this.#streams.get(streamName)
  }

  /**
   * Returns the stream's stream, made now if it is new. Throws InvalidRecordError for a malformed name, or one stream too many.
   */
  open(streamName: string | undefined): Stream {
    // Nearly every put is for the stream of the put before.
    if (this.#last !== undefined && this.#last.streamName === streamName) return this.#last
    const known = this.#streams.get(streamName ?? '')
    if (known !== undefined) return (this.#last = known)
    const fault =
      streamName === undefined
        ? 'is missing, and the producer has no default'
        : streamNameFault(streamName, this.#options.region)
    if (fault !== undefined || streamName === undefined) throw badName(fault ?? '')
    if (this.#streams.size >= MAX_STREAMS)
      throw badName(`is new, and one producer serves at most ${MAX_STREAMS} streams`)
    return this.#start(streamName)
  }

  /** Does a piece of a stream's work, unless the stream was replaced. */
  guard(stream: Stream, nowMs: number, work: () => void): void {
    this.#nowMs = nowMs
    if (stream.isReplaced) return
    try {
      work()
    } catch (error) {
      this.replace(stream, error, nowMs)
    }
    this.touched(stream)
  }

  /** Something may have changed in the stream, so its deadline is asked for again. */
  touched({ streamName }: Stream): void {
    this.#agenda.changed(streamName)
  }

  /** Returns when the next stream has something to do. */
  nextDeadlineMs(hasFreeSlot: boolean): number {
    return this.#agenda.nearestMs(hasFreeSlot, this.#deadlineOf)
  }

  /** Returns the streams that have something to do, each time in another order. */
  due(nowMs: number, hasFreeSlot: boolean): Stream[] {
    return this.#agenda.due(nowMs, hasFreeSlot, this.#deadlineOf).map(streamName => this.#streams.get(streamName)!)
  }

  /** Fails what the stream holds and puts another in its place, which has its counters and nothing else. */
  replace(stream: Stream, cause: unknown, nowMs: number): void {
    const { streamName, telemetry, custody } = stream
    stream.isReplaced = true
    const failure = internalFailure(cause)
    const heldCount = custody.recordCount
    this.#start(streamName, { telemetry, blindUntilMs: nowMs + REPLACED_PAUSE_MS })
    if (heldCount > 0) {
      const members = custody.takeAll(nowMs)
      this.#host.settle(stream, { kind: 'failed', members, attempts: [], persisted: 'no', failure })
    }
    this.#host.warn(
      'KPL_WARN_INTERNAL',
      `stream ${streamName}: ${failure.message}; records that fail with it: ${heldCount}`
    )
  }

  readonly #deadlineOf = (streamName: string): number => {
    const stream = this.#streams.get(streamName)!
    try {
      return stream.nextDeadlineMs
    } catch (error) {
      this.replace(stream, error, this.#nowMs)
      return this.#nowMs + REPLACED_PAUSE_MS
    }
  }

  #start(streamName: string, former?: FormerStream): Stream {
    const stream = new Stream(streamName, this.#options, this.#host, former)
    this.#streams.set(streamName, stream)
    this.#agenda.changed(streamName)
    this.#last = stream
    return stream
  }
}

/** Returns what a put throws that took nothing, because something inside threw. */
export function refusalFor(cause: unknown): RecordFailedError {
  return new RecordFailedError({ ...internalFailure(cause), persisted: 'no', attempts: [] })
}

function badName(fault: string): InvalidRecordError {
  return new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'streamName', fault)
}

/**
 * `writable`: the producer as a Node.js stream of user records.
 * Invariant: `write` calls back only when the record is in the buffer or was given to `onFailure`, so a full buffer stops the
 * source; `end` calls back only when every record written has settled and every call of `onFailure` is over. A record is
 * counted out before `onFailure` is called for it: nothing that it throws can hold up the others or the end.
 */
import { Writable } from 'node:stream'
import { errorText, isError, OptionsError, ProducerError } from '../model/errors.ts'
import { kindOf, type UserRecord } from '../model/records.ts'
import type { ContextCallback } from '../model/results.ts'
import type { RecordSink } from './put-all.ts'
import { type Call, fieldsOf } from './second-argument.ts'

/** The options of `writable`. */
export interface WritableOptions {
  /** Records that may wait in the stream itself; default 16. */
  readonly highWaterMark?: number
  /**
   * Called for each record that was refused or failed; the rest goes on. `end` waits for a promise that it returns. If it
   * throws or rejects, the stream is destroyed with that error. Without it the first record that is refused or fails
   * destroys the stream with its error.
   */
  readonly onFailure?: (error: ProducerError, record: UserRecord) => unknown
}

/** Promises of `onFailure` that may be open: with so many, no further record is taken. */
const MAX_TELLING_COUNT = 1_000

const WRITABLE: Call<keyof WritableOptions> = {
  name: 'writable',
  fields: ['highWaterMark', 'onFailure'],
  hint: given =>
    typeof given === 'function' || 'onError' in Object(given) ? 'write writable({ onFailure: callback })' : undefined
}
/** Node.js's own, in records. */
const DEFAULT_HIGH_WATER_MARK = 16

/** `warn` gets the errors that `onFailure` throws after the stream is destroyed. Throws OptionsError for bad options. */
export function recordWritable(
  sink: RecordSink,
  options: WritableOptions | undefined,
  warn: (code: string, message: string) => void
): Writable {
  const { highWaterMark = DEFAULT_HIGH_WATER_MARK, onFailure } = fieldsOf(WRITABLE, options)
  if (!isCount(highWaterMark)) {
    const shown = typeof highWaterMark === 'number' ? highWaterMark : kindOf(highWaterMark)
    throw new OptionsError([`highWaterMark must be a whole number of records from 0, got ${shown}`])
  }
  if (onFailure !== undefined && !isCallback(onFailure)) {
    throw new OptionsError([`onFailure must be a function, got ${kindOf(onFailure)}`])
  }
  return new Writing(sink, highWaterMark, onFailure, warn).stream
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isCallback(value: unknown): value is NonNullable<WritableOptions['onFailure']> {
  return typeof value === 'function'
}

type Callback = (error?: Error | null) => void

/** The records that a stream has written and that have not settled. */
class Writing {
  readonly stream: Writable
  readonly #sink: RecordSink
  readonly #onFailure: WritableOptions['onFailure']
  readonly #warn: (code: string, message: string) => void
  /** Records put and not settled. */
  #outstandingCount = 0
  /** Promises of `onFailure` that are open. */
  #tellingCount = 0
  #resumeWrite: (() => void) | undefined
  #whenIdle: (() => void) | undefined

  constructor(
    sink: RecordSink,
    highWaterMark: number,
    onFailure: WritableOptions['onFailure'],
    warn: (code: string, message: string) => void
  ) {
    this.#sink = sink
    this.#onFailure = onFailure
    this.#warn = warn
    this.stream = new Writable({
      objectMode: true,
      highWaterMark,
      write: (record: UserRecord, _encoding, callback) => this.#put(record, callback),
      final: callback => {
        this.#whenIdle = callback
        this.#advance()
      },
      destroy: (error, callback) => {
        callback(error)
        this.#resume()
      }
    })
  }

  #put(record: UserRecord, callback: Callback): void {
    const again = () => this.#put(record, callback)
    // It was destroyed while the record waited for room.
    if (this.stream.destroyed) {
      callback(this.stream.errored ?? destroyed())
      return
    }
    if (this.#tellingCount >= MAX_TELLING_COUNT) {
      this.#resumeWrite = again
      return
    }
    let isTaken: boolean
    try {
      isTaken = this.#sink.tryPut(record, this.#settled, record)
    } catch (error) {
      this.#refused(record, error, callback)
      return
    }
    if (isTaken) {
      this.#outstandingCount++
      callback()
    } else this.#sink.ready().then(again, (error: unknown) => this.#refused(record, error, callback))
  }

  #refused(record: UserRecord, error: unknown, callback: Callback): void {
    // A closed producer takes no record any more: that ends the stream, and says nothing about this record.
    const isOfRecord = error instanceof ProducerError && error.code !== 'KPL_ERR_CLOSED'
    if (isOfRecord) this.#tell(record, error)
    callback(isOfRecord ? this.stream.errored : asError(error))
  }

  readonly #settled: ContextCallback<UserRecord> = (error, _, record) => {
    this.#outstandingCount--
    try {
      if (error !== undefined) this.#tell(record, error)
    } finally {
      this.#advance()
    }
  }

  #tell(record: UserRecord, error: ProducerError): void {
    if (this.#onFailure === undefined) {
      this.stream.destroy(error)
      return
    }
    try {
      const telling = this.#onFailure(error, record)
      if (telling !== undefined) this.#await(telling)
    } catch (thrown) {
      this.#threw(thrown)
    }
  }

  #await(telling: unknown): void {
    this.#tellingCount++
    const told = new Promise(resolve => resolve(telling)).catch((thrown: unknown) => this.#threw(thrown))
    void told.then(() => {
      this.#tellingCount--
      this.#advance()
    })
  }

  #threw(thrown: unknown): void {
    if (!this.stream.destroyed) this.stream.destroy(asError(thrown))
    else this.#warn('KPL_WARN_CALLBACK_THREW', `onFailure of a writable threw: ${errorText(thrown)}`)
  }

  #advance(): void {
    if (this.#tellingCount < MAX_TELLING_COUNT) this.#resume()
    const isIdle = this.#outstandingCount === 0 && this.#tellingCount === 0
    if (!isIdle) return
    const whenIdle = this.#whenIdle
    this.#whenIdle = undefined
    whenIdle?.()
  }

  #resume(): void {
    const resumeWrite = this.#resumeWrite
    this.#resumeWrite = undefined
    resumeWrite?.()
  }
}

function destroyed(): ProducerError {
  return new ProducerError('KPL_ERR_CLOSED', 'the writable was destroyed before the record was put')
}

/** Streams are destroyed with an Error or without; and what a user throws may be anything. */
function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(errorText(thrown), { cause: thrown })
}

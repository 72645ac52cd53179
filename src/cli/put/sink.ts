/**
 * The end of a put: records into the producer, what became of each out, and the books of it.
 * Invariant: every record that was read is in exactly one of delivered, failed and skipped once `close` has resolved; a
 * refusal of the service stops the reading, because everything behind it would be refused too.
 */
import {
  InvalidRecordError,
  type KinesisProducer,
  type PutResult,
  type RecordFailedError,
  type UserRecord
} from '../../index.ts'
import { CLI_ERRORS, isCliErrorCode, isRecordFailure, isRefusal, shownError } from '../errors.ts'
import { type ExitCode, worstOf } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { Outcomes } from './outcomes.ts'

export interface SinkOptions {
  readonly session: Session
  readonly producer: KinesisProducer
  readonly stream: string
  readonly stopAtFailure: boolean
  readonly outcomes?: Outcomes | undefined
  readonly deadLetter?: DeadLetter | undefined
}

export class Sink {
  read = 0
  bytes = 0
  delivered = 0
  failed = 0
  skipped = 0
  readonly #options: SinkOptions
  readonly #ended = new AbortController()
  /** No more should be read: the service refuses, or a record failed and `--on-failure stop` is set. */
  isEnded = false
  #isRefused = false
  #isCut = false
  /** The error of a callback: the dead letter file cannot be written. */
  #fault: unknown
  readonly #countOnly = (error: RecordFailedError | undefined) => {
    if (error === undefined) this.delivered++
    else this.#fail(this.read, error, undefined)
  }

  constructor(options: SinkOptions) {
    this.#options = options
  }

  /** Fires when `isEnded` becomes true, also while an input that gives nothing is waited for. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  get unsettled(): number {
    return this.read - this.delivered - this.failed - this.skipped
  }

  /** Returns false when the producer is full: then wait for `ready`, and put the same record again. */
  tryPut(record: UserRecord): boolean {
    const { producer, outcomes, deadLetter } = this.#options
    const n = this.read + 1
    try {
      const isFollowed = outcomes !== undefined || deadLetter !== undefined
      const isTaken = producer.tryPut(record, isFollowed ? this.#follow(n, record) : this.#countOnly)
      if (!isTaken) return false
      this.#count(record.data.length)
    } catch (error) {
      if (!(error instanceof InvalidRecordError)) throw error
      this.#count(record.data.length)
      this.#fail(n, error, record)
    }
    return true
  }

  ready(): Promise<void> {
    return this.#options.producer.ready()
  }

  /** A record that is not sent, because the flags say so. */
  skip(): void {
    this.#count(0)
    this.skipped++
    this.#options.outcomes?.settle(this.read, { skipped: true })
  }

  /** A record that cannot be sent at all. */
  refuse(error: { readonly code: string; readonly message: string }, record?: UserRecord): void {
    this.#count(record?.data.length ?? 0)
    this.#fail(this.read, error, record)
  }

  /** Waits for every answer, for at most `--drain` once a signal came. */
  async close(): Promise<void> {
    const { producer, session, outcomes, deadLetter } = this.#options
    const timeoutMs = session.flags.drain
    const shorten = () => void producer.close({ timeoutMs })
    session.stop.addEventListener('abort', shorten, { once: true })
    await producer.close(session.stop.aborted ? { timeoutMs } : {})
    session.stop.removeEventListener('abort', shorten)
    await outcomes?.flush()
    deadLetter?.close()
    if (this.#fault !== undefined) throw this.#fault
  }

  get exit(): ExitCode {
    const { stopExit } = this.#options.session
    const codes: ExitCode[] = [this.#isRefused ? 3 : this.failed > 0 ? 1 : 0]
    if (this.#isCut && stopExit !== undefined) codes.push(stopExit)
    return worstOf(codes)
  }

  #count(bytes: number): void {
    this.read++
    this.bytes += bytes
  }

  #follow(
    n: number,
    record: UserRecord
  ): (error: RecordFailedError | undefined, result: PutResult | undefined) => void {
    return (error, result) => {
      if (error !== undefined) return this.#fail(n, error, record)
      this.delivered++
      if (result === undefined) return
      const { shardId, sequenceNumber, subSequenceNumber, attempts } = result
      this.#options.outcomes?.settle(n, { shardId, sequenceNumber, subSequenceNumber, attempts: attempts.length })
    }
  }

  #fail(n: number, error: { readonly code: string; readonly message: string }, record: UserRecord | undefined): void {
    const { session, outcomes, deadLetter, stream, stopAtFailure } = this.#options
    this.failed++
    if (isCliErrorCode(error.code)) {
      session.errors.tell(error.code, `${error.message} (record ${n})`, CLI_ERRORS[error.code].fix)
    } else session.errors.tell(error.code, error.message, shownError(error).fix)
    const isKnown = isRecordFailure(error)
    const told = {
      code: error.code,
      ...(isKnown && error.serviceCode !== undefined ? { serviceCode: error.serviceCode } : undefined),
      persisted: isKnown ? error.persisted : 'no'
    }
    outcomes?.settle(n, { error: told })
    if (deadLetter !== undefined && record !== undefined) this.#bury(deadLetter, record, stream, told)
    if (isRefusal(error)) this.#isRefused = true
    if (error.code === 'KPL_ERR_CLOSE_TIMEOUT') this.#isCut = true
    if (this.#isRefused || stopAtFailure) this.#end()
  }

  #bury(deadLetter: DeadLetter, record: UserRecord, stream: string, told: Readonly<Record<string, unknown>>): void {
    const { partitionKey, explicitHashKey, data, streamName = stream } = record
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    const hashKey = explicitHashKey === undefined ? undefined : String(explicitHashKey)
    try {
      deadLetter.write({ partitionKey, explicitHashKey: hashKey, data: bytes, stream: streamName }, told)
    } catch (error) {
      // The first fault is what the command ends with; the reading stops.
      this.#fault ??= error
      this.#end()
    }
  }

  #end(): void {
    this.isEnded = true
    this.#ended.abort()
  }
}

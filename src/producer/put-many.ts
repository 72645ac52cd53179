/**
 * `putMany`: a list of records in, one promise for all of their outcomes.
 * Example: 10,000 records, room for 4,000 -> 4,000 are taken, the rest as room comes -> resolves when the last has settled.
 * Invariant: there is one outcome for each record, in order, also for those that were refused or given up; what the signal gives
 * up was not taken, and what was taken settles.
 */
import { errorText, InvalidRecordError, ProducerError, RecordFailedError } from '../model/errors.ts'
import { kindOf, type UserRecord } from '../model/records.ts'
import type { ContextCallback, PutResult } from '../model/results.ts'
import { badArgument } from './call-arguments.ts'
import type { RecordSink } from './put-all.ts'

/** The options of `putMany`. */
export interface PutManyOptions {
  /** Gives up the records that were not accepted yet: their outcomes are KPL_ERR_ABORTED. Accepted records go on. */
  readonly signal?: AbortSignal
  /**
   * The behaviour while the buffer has no room for the next record: `'wait'` (default), or `'reject'`: reject at the call with
   * KPL_ERR_BUFFER_FULL, having taken nothing, when there is no room for the whole list.
   */
  readonly whenFull?: 'wait' | 'reject'
}

/** The outcome of one record: exactly one of the two is set. */
export type PutOutcome =
  | {
      /** The acknowledgement. */
      readonly result: PutResult
      /** Not set: the record was acknowledged. */
      readonly error?: undefined
    }
  | {
      /** The reason that the record was refused, or failed. */
      readonly error: ProducerError
      /** Not set: the record was refused, or failed. */
      readonly result?: undefined
    }

/** The result of `putMany`. */
export interface PutManyResult {
  /** One for each record, in the order of the list. */
  readonly results: readonly PutOutcome[]
  /** How many of them have an `error`. */
  readonly failedCount: number
}

/** Returns what is wrong with the arguments, or undefined. */
export function putManyFault(records: unknown, whenFull: unknown): InvalidRecordError | undefined {
  if (kindOf(records) !== 'array') {
    const fault = `must be an array of user records, got ${kindOf(records)}; putAll takes any iterable`
    return new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'records', fault)
  }
  if (whenFull === undefined || whenFull === 'wait' || whenFull === 'reject') return undefined
  return badArgument('whenFull', "'wait' or 'reject'", whenFull)
}

export function putMany(
  sink: RecordSink,
  records: readonly UserRecord[],
  signal: AbortSignal | undefined
): Promise<PutManyResult> {
  return new Promise(resolve => new Taking(sink, records, signal, resolve).go())
}

/** A list that is being taken. */
class Taking {
  readonly #sink: RecordSink
  readonly #records: readonly UserRecord[]
  readonly #count: number
  readonly #signal: AbortSignal | undefined
  readonly #results: PutOutcome[]
  readonly #done: (result: PutManyResult) => void
  #next = 0
  #settledCount = 0
  #failedCount = 0
  #givenUp: ProducerError | undefined
  readonly #answered: ContextCallback<number> = (error, result, index) =>
    this.#settle(index, result === undefined ? { error: error! } : { result })
  readonly #onAbort = (): void => this.#giveUp(aborted(this.#signal?.reason))

  constructor(
    sink: RecordSink,
    records: readonly UserRecord[],
    signal: AbortSignal | undefined,
    done: (result: PutManyResult) => void
  ) {
    this.#sink = sink
    this.#records = records
    this.#count = records.length
    this.#signal = signal
    this.#results = new Array(this.#count)
    this.#done = done
  }

  go(): void {
    if (this.#signal?.aborted) this.#onAbort()
    else this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#take()
    if (this.#count === 0) this.#finish()
  }

  /** Takes records until there is no room, and goes on when there is some. */
  #take(): void {
    while (this.#next < this.#count) {
      // Counted before it is put: to read its fields may fire the signal, and that is about the ones after it.
      const index = this.#next++
      try {
        if (this.#sink.tryPut(this.#records[index]!, this.#answered, index)) continue
      } catch (error) {
        this.#settle(index, { error: error instanceof ProducerError ? error : unreadable(index, error) })
        continue
      }
      if (this.#givenUp !== undefined) {
        this.#settle(index, { error: this.#givenUp })
        return
      }
      this.#next = index
      this.#wait()
      return
    }
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  #wait(): void {
    this.#sink.ready().then(
      () => this.#take(),
      (error: ProducerError) => this.#giveUp(error)
    )
  }

  /** Records that were not accepted yet will not be. */
  #giveUp(error: ProducerError): void {
    this.#givenUp = error
    this.#signal?.removeEventListener('abort', this.#onAbort)
    while (this.#next < this.#count) this.#settle(this.#next++, { error })
  }

  #settle(index: number, outcome: PutOutcome): void {
    this.#results[index] = outcome
    if (outcome.error !== undefined) this.#failedCount++
    if (++this.#settledCount === this.#count) this.#finish()
  }

  #finish(): void {
    this.#done({ results: this.#results, failedCount: this.#failedCount })
  }
}

function unreadable(index: number, cause: unknown): InvalidRecordError {
  const fault = `must be a readable list, but reading its element ${index} threw`
  return new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'records', fault, { cause })
}

function aborted(reason: unknown): RecordFailedError {
  const message = `the signal fired before the record was taken: ${errorText(reason)}`
  return new RecordFailedError({ code: 'KPL_ERR_ABORTED', message, persisted: 'no', attempts: [] })
}

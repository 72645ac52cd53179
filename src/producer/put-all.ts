/**
 * `putAll`: a source of records in, one outcome for each out, in the source's order.
 * Invariant: at most `MAX_UNREAD` outcomes wait to be read; beyond it, and while the buffer is full, the source is not read. A
 * record that was put settles whether or not its outcome is read. Nothing is put before the first outcome is read, so a missing
 * loop gets a warning; and nothing that the source throws is lost.
 */

import { Fifo } from '../lanes/fifo.ts'
import { errorText, InvalidRecordError, type ProducerError } from '../model/errors.ts'
import type { Clock, Timer } from '../model/ports.ts'
import { kindOf, type UserRecord } from '../model/records.ts'
import type { PutResult, SettleCallback } from '../model/results.ts'

/** The answer for one record of the source: exactly one of `result` and `error` is set. */
export type PutAllOutcome =
  | { readonly record: UserRecord; readonly result: PutResult; readonly error?: undefined }
  | { readonly record: UserRecord; readonly error: ProducerError; readonly result?: undefined }

/** The part of a producer that `putAll` needs. */
export interface RecordSink {
  /** Returns false when it is full; throws a ProducerError for a record it will never take. */
  tryPut(record: UserRecord, settle: SettleCallback): boolean
  ready(): Promise<void>
  /** Whether `ready` would resolve at once. */
  readonly hasRoom: boolean
}

/** Gets the errors that no outcome can hold. */
export interface PutAllWatch {
  readonly clock: Clock
  warn(code: string, message: string): void
}

/** Outcomes that may wait for a slow reader: enough for several full requests. */
const MAX_UNREAD = 10_000

/** Throws InvalidRecordError at once if the source is not an iterable of records. */
export function putAll(
  sink: RecordSink,
  source: Iterable<UserRecord> | AsyncIterable<UserRecord>,
  watch: PutAllWatch
): AsyncGenerator<PutAllOutcome, void, undefined> {
  assertSource(source)
  // `for await` asks for the first outcome at the call, and whatever wraps the generator soon after: before any timer.
  const unreadTimer = watch.clock.schedule(watch.clock.nowMs(), () => {
    const remedy = 'read its outcomes: for await (const { record, error } of producer.putAll(source))'
    watch.warn(
      'KPL_WARN_PUT_ALL_UNREAD',
      `putAll has put nothing, because the program does not read its outcomes; ${remedy}`
    )
  })
  return outcomes(sink, source, watch, unreadTimer)
}

async function* outcomes(
  sink: RecordSink,
  source: Iterable<UserRecord> | AsyncIterable<UserRecord>,
  watch: PutAllWatch,
  unreadTimer: Timer
): AsyncGenerator<PutAllOutcome, void, undefined> {
  unreadTimer.cancel()
  const unread = new Fifo<Promise<PutAllOutcome>>()
  const changed = new Signal()
  let isStopped = false
  /** Puts a record; what it returns, if anything, has to be waited for before the next one is read. */
  const take = (record: UserRecord): Promise<unknown> | undefined => {
    unread.push(putWhenReady(sink, record))
    changed.notify()
    // The next record is not read before this one is in the buffer.
    if (!sink.hasRoom) return sink.ready().catch(ignoreClosed)
    return unread.count < MAX_UNREAD ? undefined : unreadFew()
  }
  const unreadFew = async (): Promise<void> => {
    while (unread.count >= MAX_UNREAD && !isStopped) await changed.wait()
  }
  const read = async (): Promise<void> => {
    if (Symbol.asyncIterator in source) {
      for await (const record of source) {
        if (isStopped) return
        await take(record)
      }
      return
    }
    for (const given of source) {
      const record = isThenable(given) ? await given : given
      if (isStopped) return
      const pause = take(record)
      // While there is room and somebody reads, a list costs no turn of the event loop a record.
      if (pause !== undefined) await pause
    }
  }
  const reading = read().then(
    () => changed.end(),
    (error: unknown) => {
      changed.end(error)
      // The loop was left: there is nobody to throw it at.
      if (isStopped) watch.warn('KPL_WARN_CALLBACK_THREW', `the source of putAll threw: ${errorText(error)}`)
    }
  )
  try {
    while (!changed.isEnded || unread.count > 0) {
      const next = unread.shift()
      if (next === undefined) await changed.wait()
      else {
        changed.notify()
        yield await next
      }
    }
    await reading
    changed.throwIfFailed()
  } finally {
    isStopped = true
    changed.notify()
  }
}

function putWhenReady(sink: RecordSink, record: UserRecord): Promise<PutAllOutcome> {
  return new Promise(resolve => {
    // Everything a producer throws or settles with is a ProducerError.
    const fail = (error: ProducerError): void => resolve({ record, error })
    const settle: SettleCallback = (error, result) =>
      result === undefined ? fail(error!) : resolve({ record, result })
    const attempt = (): void => {
      try {
        if (!sink.tryPut(record, settle)) sink.ready().then(attempt, fail)
      } catch (error) {
        fail(error as ProducerError)
      }
    }
    attempt()
  })
}

function isThenable(given: unknown): given is PromiseLike<UserRecord> {
  return typeof given === 'object' && given !== null && 'then' in given && typeof given.then === 'function'
}

function assertSource(source: unknown): void {
  // Bytes can be walked, but what comes out are no records.
  if (isIterable(source) && !ArrayBuffer.isView(source)) return
  const fault = `must be an iterable or async iterable of user records, got ${kindOf(source)}`
  throw new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'source', fault)
}

function isIterable(source: unknown): boolean {
  if (typeof source !== 'object' || source === null) return false
  try {
    return [Symbol.asyncIterator, Symbol.iterator].some(name => typeof Reflect.get(source, name) === 'function')
  } catch {
    // Not swallowed: what throws when it is looked at is refused as no source.
    return false
  }
}

/** Lets one side wait until the other has changed something, or has ended. */
class Signal {
  isEnded = false
  #failure: { readonly error: unknown } | undefined
  #waiters: (() => void)[] = []

  wait(): Promise<void> {
    if (this.isEnded) return Promise.resolve()
    return new Promise(resolve => this.#waiters.push(resolve))
  }

  notify(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  end(...failure: [error?: unknown]): void {
    this.isEnded = true
    if (failure.length === 1) this.#failure = { error: failure[0] }
    this.notify()
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

/** Not swallowed: a closed producer refuses the next record itself, and that becomes the record's outcome. */
function ignoreClosed(): void {}

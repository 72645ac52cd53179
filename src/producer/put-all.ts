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
import type { ContextCallback, PutResult } from '../model/results.ts'
import { closable } from './closable-source.ts'

/** The answer for one record of the source: exactly one of `result` and `error` is set. */
export type PutAllOutcome =
  | {
      /** The record, as the source gave it. */
      readonly record: UserRecord
      /** The acknowledgement. */
      readonly result: PutResult
      /** Not set: the record was acknowledged. */
      readonly error?: undefined
    }
  | {
      /** The record, as the source gave it. */
      readonly record: UserRecord
      /** The reason that the record was refused, or failed. */
      readonly error: ProducerError
      /** Not set: the record was refused, or failed. */
      readonly result?: undefined
    }

/** The part of a producer that `putAll` needs. */
export interface RecordSink {
  /** Returns false when it is full; throws a ProducerError for a record it will never take. */
  tryPut<Context>(record: UserRecord, settle: ContextCallback<Context>, context: Context): boolean
  ready(): Promise<void>
  /** Whether `ready` would resolve at once. */
  readonly hasRoom: boolean
}

/** Gets the errors that no outcome can hold. */
export interface PutAllWatch {
  readonly clock: Clock
  warn(code: string, message: string): void
}

/** A record that was read, and its outcome once that is known. */
interface Slot {
  readonly record: UserRecord
  outcome: PutAllOutcome | undefined
}

type Settle = (error: ProducerError | undefined, result: PutResult | undefined, slot: Slot) => void

/** Puts the record of a slot, now or when there is room. */
function put(sink: RecordSink, slot: Slot, settle: Settle): void {
  try {
    if (sink.tryPut(slot.record, settle, slot)) return
    sink.ready().then(
      () => put(sink, slot, settle),
      (error: ProducerError) => settle(error, undefined, slot)
    )
  } catch (error) {
    // Everything that a producer throws is a ProducerError.
    settle(error as ProducerError, undefined, slot)
  }
}

/** Outcomes that may wait for a slow reader: enough for several full requests. */
const MAX_UNREAD = 10_000
/**
 * Records that may be refused before timers and sockets have their turn. Records that are taken give it anyway; without it an
 * endless list that is put into a closed producer lets nothing else run, the close included.
 */
const MAX_REFUSED = 5_000
/** The source is read on from here, so that records come in bursts. */
const RESUMED_UNREAD = MAX_UNREAD / 2

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
  const unread = new Fifo<Slot>()
  const changed = new Signal()
  /** The slot whose outcome is waited for. */
  let awaited: Slot | undefined
  let isStopped = false
  let closeSource = async (): Promise<void> => {}
  /** Since timers and sockets had their turn. */
  let refusedCount = 0
  const settle: Settle = (error, result, slot) => {
    const { record } = slot
    slot.outcome = result === undefined ? { record, error: error! } : { record, result }
    if (slot === awaited) changed.notify()
  }
  /** Puts a record; what it returns, if anything, has to be waited for before the next one is read. */
  const take = (record: UserRecord): Promise<unknown> | undefined => {
    const slot: Slot = { record, outcome: undefined }
    unread.push(slot)
    put(sink, slot, settle)
    if (slot.outcome !== undefined) refusedCount++
    changed.notify()
    return sink.hasRoom && unread.count < MAX_UNREAD && refusedCount < MAX_REFUSED ? undefined : pause()
  }
  const drained = new Signal()
  const pause = async (): Promise<void> => {
    // The next record is not read before this one is in the buffer.
    if (!sink.hasRoom) await sink.ready().catch(ignoreClosed)
    if (refusedCount >= MAX_REFUSED) {
      refusedCount = 0
      await nextTurn(watch.clock)
    }
    // Asked last: a full buffer, and one that a close leaves full, hold no outcomes back.
    if (unread.count < MAX_UNREAD) return
    while (unread.count > RESUMED_UNREAD && !isStopped) await drained.next()
  }
  const read = async (): Promise<void> => {
    if (isAsync(source)) {
      const opened = closable(source, close => {
        closeSource = close
      })
      for await (const record of opened) {
        if (isStopped) return
        await take(record)
      }
      return
    }
    for (const given of source) {
      const record = isThenable(given) ? await given : given
      if (isStopped) return
      const pausing = take(record)
      // While there is room and somebody reads, a list costs no turn of the event loop a record.
      if (pausing !== undefined) await pausing
    }
  }
  /** The loop was left: there is no caller to throw it to. */
  const warnOf = (error: unknown): void =>
    watch.warn('KPL_WARN_CALLBACK_THREW', `the source of putAll threw: ${errorText(error)}`)
  const reading = read().then(
    () => changed.end(),
    (error: unknown) => {
      changed.end(error)
      if (isStopped) warnOf(error)
    }
  )
  try {
    while (!changed.isEnded || awaited !== undefined || unread.count > 0) {
      const next: Slot | undefined = awaited ?? unread.shift()
      awaited = next
      if (next === undefined) await changed.wait()
      else if (next.outcome === undefined) await changed.next()
      else {
        awaited = undefined
        if (unread.count <= RESUMED_UNREAD) drained.notify()
        yield next.outcome
      }
    }
    await reading
    changed.throwIfFailed()
  } finally {
    isStopped = true
    drained.notify()
    // Not awaited: a source that is asked for its next record may be silent until it gives one.
    if (!changed.isEnded) void closeSource().catch(warnOf)
  }
}

function nextTurn(clock: Clock): Promise<void> {
  return new Promise(resolve => clock.schedule(clock.nowMs(), resolve))
}

function isAsync(source: object): source is AsyncIterable<UserRecord> {
  return typeof Reflect.get(source, Symbol.asyncIterator) === 'function'
}

function isThenable(given: unknown): given is PromiseLike<UserRecord> {
  try {
    return typeof given === 'object' && given !== null && 'then' in given && typeof given.then === 'function'
  } catch {
    // Not swallowed: a record that throws when it is read gets that as its outcome.
    return false
  }
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

  /** Waits for a change, or for the end. */
  wait(): Promise<void> {
    return this.isEnded ? Promise.resolve() : this.next()
  }

  /** Waits for a change, also after the end. */
  next(): Promise<void> {
    return new Promise(resolve => this.#waiters.push(resolve))
  }

  notify(): void {
    if (this.#waiters.length === 0) return
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

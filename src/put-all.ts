/**
 * `putAll`: a source of records in, one outcome for each out, in the source's order.
 * Invariant: at most `MAX_UNREAD` outcomes wait to be read; beyond it, and while the buffer is full, the source is not
 * read. What has been put settles whether or not its outcome is read.
 */
import type { ProducerError } from './model/errors.ts'
import type { UserRecord } from './model/records.ts'
import type { PutResult, SettleCallback } from './model/results.ts'
import { Fifo } from './stages/fifo.ts'

/** The answer for one record of the source: exactly one of `result` and `error` is set. */
export type PutAllOutcome =
  | { readonly record: UserRecord; readonly result: PutResult; readonly error?: undefined }
  | { readonly record: UserRecord; readonly error: ProducerError; readonly result?: undefined }

/** What of a producer is needed here. */
export interface RecordSink {
  /** Returns false when it is full; throws a ProducerError for a record it will never take. */
  tryPut(record: UserRecord, settle: SettleCallback): boolean
  ready(): Promise<void>
}

/** Outcomes that may wait for a slow reader: enough for several full requests. */
const MAX_UNREAD = 10_000

export async function* putAll(
  sink: RecordSink,
  source: Iterable<UserRecord> | AsyncIterable<UserRecord>
): AsyncGenerator<PutAllOutcome, void, undefined> {
  const unread = new Fifo<Promise<PutAllOutcome>>()
  const changed = new Signal()
  let isStopped = false
  const read = async () => {
    for await (const record of source) {
      while (unread.count >= MAX_UNREAD && !isStopped) await changed.wait()
      if (isStopped) return
      unread.push(putWhenReady(sink, record))
      changed.notify()
      // The next record is not read before this one is in the buffer.
      await sink.ready().catch(ignoreClosed)
    }
  }
  const reading = read().then(
    () => changed.end(),
    (error: unknown) => changed.end(error)
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

async function putWhenReady(sink: RecordSink, record: UserRecord): Promise<PutAllOutcome> {
  try {
    const result = await new Promise<PutResult>((resolve, reject) => {
      const settle: SettleCallback = (error, settled) => (settled === undefined ? reject(error) : resolve(settled))
      const attempt = (): void => {
        try {
          if (!sink.tryPut(record, settle)) sink.ready().then(attempt, reject)
        } catch (error) {
          reject(error)
        }
      }
      attempt()
    })
    return { record, result }
  } catch (error) {
    // Everything a producer throws or settles with is a ProducerError.
    return { record, error: error as ProducerError }
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

/**
 * One invocation. Tasks start in the order of the event, except while another task of their key runs: then they wait in its chain.
 * Reading ahead is bounded, because one Kinesis record can hold a million user records of one key.
 * Invariant: a user record is counted before a function of the user sees it. No task starts after the answer is made.
 */

import { DigestsAhead } from '../deaggregate/digests-ahead.ts'
import type { DeaggregateOptions } from '../deaggregate/members.ts'
import type { Deadline } from './deadline.ts'
import type { KinesisHandlerOptions, LambdaBatchResponse, LambdaStreamRecord, LambdaUserRecord } from './event.ts'
import { Failures } from './failures.ts'
import { sequenceNumberOf, userRecordsOf } from './user-records.ts'

const DEFAULT_CONCURRENCY = 10
/** User records that were read and wait for another one of their key. With so many, reading stops. */
const MAX_WAITING_COUNT = 10_000

/** A user record on its way; those of one key form a chain. */
interface Task {
  readonly record: LambdaUserRecord
  /** The place of its Kinesis record in the event. */
  readonly index: number
  next?: Task
  /** It failed: no later task of its key starts. */
  isClosed?: boolean
  isDone?: boolean
}

export class Batch {
  readonly #records: readonly LambdaStreamRecord[]
  /** Read before a function of the user could change them. The answer uses only these. */
  readonly #sequenceNumbers: readonly (string | undefined)[]
  readonly #deadline: Deadline
  readonly #handle: (record: LambdaUserRecord) => unknown
  readonly #options: KinesisHandlerOptions
  readonly #deaggregation: DeaggregateOptions
  readonly #concurrency: number
  readonly #failures: Failures
  readonly #tasks: Iterator<Task>
  /** For each Kinesis record that was reached: its user records that are not done, and 1 more until all of them are read. */
  readonly #pending: number[] = []
  /** The last task of each key with a running task; or the failed task of a key, so that no later one starts. */
  readonly #lastOfKey = new Map<string, Task>()
  readonly #running = new Set<Task>()
  #waitingCount = 0
  #lowestFailedIndex = Number.POSITIVE_INFINITY
  /** A task was not started, because the time was short. */
  #isCutShort = false
  /** The time is up, or the answer is made. */
  #isEnded = false
  #finish = () => {}
  #giveUp: (error: unknown) => void = () => {}

  constructor(
    records: readonly LambdaStreamRecord[],
    deadline: Deadline,
    handle: (record: LambdaUserRecord) => unknown,
    options: KinesisHandlerOptions
  ) {
    this.#records = records
    this.#sequenceNumbers = records.map(sequenceNumberOf)
    this.#deadline = deadline
    this.#handle = handle
    this.#options = options
    const { onCorrupt, maxUserRecords, copy } = options
    this.#deaggregation = { onCorrupt, maxUserRecords, copy }
    this.#concurrency = options.concurrency ?? DEFAULT_CONCURRENCY
    this.#failures = new Failures(options.onError)
    this.#tasks = this.#readTasks()
  }

  async run(): Promise<LambdaBatchResponse> {
    const { signal } = this.#deadline
    const finished = new Promise<void>((resolve, reject) => {
      this.#finish = resolve
      this.#giveUp = reject
    })
    let onAbort = () => {}
    const timeUp = new Promise<void>(resolve => {
      onAbort = () => {
        this.#isEnded = true
        resolve()
      }
    })
    signal.addEventListener('abort', onAbort)
    try {
      this.#fill()
      await Promise.race([finished, timeUp])
      this.#isEnded = true
      const lowest = this.#records.findIndex((_, index) => this.#pending[index] !== 0)
      if (lowest >= 0) this.#tellTimeUp()
      if (!signal.aborted) await Promise.race([this.#failures.told(), timeUp])
      return this.#answer(lowest)
    } finally {
      this.#isEnded = true
      // The signal lives longer than the invocation. A listener on it would keep the event in memory.
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Starts the tasks that may run now. */
  #fill(): void {
    while (this.#running.size < this.#concurrency) {
      const task = this.#nextTask()
      if (task === undefined) break
      this.#start(task)
    }
    if (this.#running.size === 0) this.#finish()
  }

  #start(task: Task): void {
    this.#running.add(task)
    // Rejects only when the context throws: then the whole invocation fails, and Lambda delivers the batch again.
    this.#perform(task)
      .then(isDone => this.#leave(task, isDone))
      .catch(this.#giveUp)
  }

  async #perform(task: Task): Promise<boolean> {
    const { record, index } = task
    const { seen, decoder } = this.#options
    try {
      if (!(await seen?.has(record.id, record))) {
        const decoded = decoder === undefined ? record : await decoder.decode(record)
        // The decoder may have used up the time.
        if (this.#isEnded) return false
        await this.#handle(decoded)
        await seen?.add(record.id, record)
      }
    } catch (error) {
      // Most functions throw when their signal fires. Their failure counts as the end of the time.
      if (!this.#isEnded) this.#fail(index, error, record)
      return false
    }
    this.#pending[index]!--
    task.isDone = true
    return true
  }

  /** The key of a finished task goes on first, because its waiting task is the oldest. */
  #leave(task: Task, isDone: boolean): void {
    const { next, record } = task
    if (isDone || !this.#isEnded) this.#running.delete(task)
    if (!isDone) this.#closeKey(task)
    else if (next === undefined) this.#lastOfKey.delete(record.partitionKey)
    else if (this.#mayStart(next)) {
      this.#waitingCount--
      this.#start(next)
    }
    if (!this.#isEnded) this.#fill()
  }

  /** Tasks behind a failed task never start. They are dropped, so that tasks of other keys have room. */
  #closeKey(failed: Task): void {
    for (let task = failed.next; task !== undefined; task = task.next) this.#waitingCount--
    failed.isClosed = true
    this.#lastOfKey.set(failed.record.partitionKey, failed)
  }

  /** Returns the next task whose key is free. Tasks before it join the chains of their keys. */
  #nextTask(): Task | undefined {
    while (this.#waitingCount < MAX_WAITING_COUNT) {
      const { value: task, done: isEnd } = this.#tasks.next()
      if (isEnd || !this.#mayStart(task)) return undefined
      const { partitionKey } = task.record
      const before = this.#lastOfKey.get(partitionKey)
      if (before?.isClosed) continue
      this.#lastOfKey.set(partitionKey, task)
      if (before === undefined) return task
      before.next = task
      this.#waitingCount++
    }
    return undefined
  }

  #mayStart(task: Task): boolean {
    const isWanted = this.#options.afterFailure === 'continue' || task.index < this.#lowestFailedIndex
    if (!isWanted || this.#isEnded) return false
    if (this.#deadline.hasTime()) return true
    this.#isCutShort = true
    return false
  }

  *#readTasks(): Generator<Task, undefined, undefined> {
    const ahead = new DigestsAhead(this.#records)
    for (const [index, source] of this.#records.entries()) {
      this.#pending[index] = 1
      ahead.turnTo(index)
      try {
        for (const record of userRecordsOf(source, this.#deaggregation, ahead)) {
          this.#pending[index]!++
          yield { record, index }
        }
        this.#pending[index]!--
      } catch (error) {
        this.#fail(index, error, undefined)
      }
    }
  }

  #fail(index: number, error: unknown, record: LambdaUserRecord | undefined): void {
    this.#lowestFailedIndex = Math.min(this.#lowestFailedIndex, index)
    this.#failures.tell(error, record, this.#records[index])
  }

  #tellTimeUp(): void {
    const running = [...this.#running].filter(task => !task.isDone)
    for (const { record } of running) {
      this.#failures.tell(this.#deadline.timeUp('while the user record was in work'), record, record.source)
    }
    const isUntold = this.#isCutShort || this.#failures.first === undefined
    if (isUntold && running.length === 0) {
      this.#failures.tell(this.#deadline.timeUp('before every user record started'), undefined, undefined)
    }
  }

  #answer(lowest: number): LambdaBatchResponse {
    if (lowest < 0) return { batchItemFailures: [] }
    const itemIdentifier = this.#sequenceNumbers[lowest]
    // The answer cannot name a record without a sequence number, and Lambda would take an answer without it for success.
    const isWhole = this.#options.reportBatchItemFailures === false || itemIdentifier === undefined
    if (isWhole) throw this.#failures.first?.error
    return { batchItemFailures: [{ itemIdentifier }] }
  }
}

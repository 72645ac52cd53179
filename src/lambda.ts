/**
 * './lambda': a handler for Lambda's Kinesis events that works on user records and answers which of them failed.
 * Invariant: the answer names the lowest Kinesis record of which not every user record is known to be done, so nothing
 * that was not done is checkpointed; and of two user records of one key the later never starts before the earlier is
 * done. Facts on Lambda: developer guide, "Using Lambda with Kinesis", partial batch responses, read 2026-11.
 */
import { type ConsumedRecord, type DeaggregateOptions, deaggregate, type LambdaKinesisRecord } from './deaggregate.ts'

/** One of a Kinesis event's `Records`; `KinesisStreamRecord` of @types/aws-lambda is one. */
export interface LambdaStreamRecord extends LambdaKinesisRecord {
  /** `shardId-000000000006:` and the sequence number. */
  readonly eventID?: string | undefined
  readonly eventSourceARN?: string | undefined
}

/** A Kinesis event; `KinesisStreamEvent` of @types/aws-lambda is one. */
export interface LambdaStreamEvent<Source extends LambdaStreamRecord = LambdaStreamRecord> {
  readonly Records: readonly Source[]
}

/** What is used of Lambda's context. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number
}

/** What Lambda expects when the event source mapping has ReportBatchItemFailures. */
export interface LambdaBatchResponse {
  batchItemFailures: { itemIdentifier: string }[]
}

/** A user record of a Lambda event. */
export interface LambdaUserRecord<Source extends LambdaStreamRecord = LambdaStreamRecord> extends ConsumedRecord {
  /** The same for every delivery of this user record: event id (or sequence number) `:` sub-sequence number. */
  readonly id: string
  /** The event's record it came in, not copied. */
  readonly source: Source
}

/** User records that are done already, by `LambdaUserRecord.id`. A `Set<string>` is one; a table with expiry is better. */
export interface SeenRecords {
  /** Whether the user record was done in an earlier delivery: it is then skipped. */
  has(id: string, record: LambdaUserRecord): boolean | Promise<boolean>
  /** Called once the handler has done the user record, before that counts. */
  add(id: string, record: LambdaUserRecord): unknown
}

export type UserRecordHandler<Context> = (
  record: LambdaUserRecord,
  context: Context,
  /** Fires when the time is up; what is not done by then is delivered again. */
  signal: AbortSignal
) => unknown

export interface KinesisHandlerOptions extends Pick<DeaggregateOptions, 'onCorrupt' | 'maxUserRecords' | 'copy'> {
  /** User records of different keys that may be worked on at once. Default: 10. */
  readonly concurrency?: number | undefined
  /**
   * Whether to go on behind a failed user record. `'stop'`, the default: no, as Lambda delivers all of it again;
   * `'continue'`: with other keys yes, which pays off with `seen`.
   */
  readonly afterFailure?: 'stop' | 'continue' | undefined
  readonly seen?: SeenRecords | undefined
  /** The answer is given when this much of the invocation's time is left, in milliseconds. Default: 1,000. */
  readonly reserveMs?: number | undefined
  /** False when the event source mapping lacks ReportBatchItemFailures: then a failure fails the whole batch. */
  readonly reportBatchItemFailures?: boolean | undefined
  /** Told of every failure; `record` is absent when the Kinesis record itself is corrupt. Default: a process warning. */
  readonly onError?: ((error: unknown, record: LambdaUserRecord | undefined) => void) | undefined
  /** Makes the signal that fires after so many milliseconds. Default: `AbortSignal.timeout`. */
  readonly timeoutSignal?: ((ms: number) => AbortSignal) | undefined
}

const DEFAULT_CONCURRENCY = 10
const DEFAULT_RESERVE_MS = 1000
/** User records read while another of their key is worked on; with so many, no further ones are read. */
const MAX_WAITING_COUNT = 10_000
/** The longest that a timer of Node.js takes. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Returns a Lambda handler that gives each user record of an event to `handle`: in order for each partition key, up to
 * `concurrency` keys at once. A record whose `handle` throws or rejects is delivered again, with all that follows it
 * and its siblings in the same aggregate. Throws a RangeError for a `concurrency` that is not a whole number from 1.
 *
 *   export const handler = kinesisHandler(async record => save(JSON.parse(Buffer.from(record.data).toString())))
 */
export function kinesisHandler<Context extends LambdaContext = LambdaContext>(
  handle: UserRecordHandler<Context>,
  options: KinesisHandlerOptions = {}
): (event: LambdaStreamEvent, context: Context) => Promise<LambdaBatchResponse> {
  const { concurrency = DEFAULT_CONCURRENCY } = options
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new RangeError(`concurrency must be a whole number from 1, got ${concurrency}`)
  }
  return (event, context) => new Batch(event, context, handle, options).run()
}

/**
 * Yields the user records of an event in order, for a loop of one's own.
 * Throws KPL_ERR_MALFORMED_ENVELOPE at the record in question, if `onCorrupt` says so.
 */
export function* userRecords<Source extends LambdaStreamRecord>(
  event: LambdaStreamEvent<Source>,
  options?: DeaggregateOptions
): Generator<LambdaUserRecord<Source>, void, undefined> {
  for (const source of event.Records) yield* userRecordsOf(source, options)
}

function* userRecordsOf<Source extends LambdaStreamRecord>(
  source: Source,
  options: DeaggregateOptions | undefined
): Generator<LambdaUserRecord<Source>, void, undefined> {
  const id = source.eventID ?? source.kinesis.sequenceNumber
  for (const record of deaggregate(source, options)) {
    yield { ...record, id: `${id}:${record.subSequenceNumber}`, source }
  }
}

/** A user record on its way; those of one key form a chain. */
interface Task {
  readonly record: LambdaUserRecord
  /** Which of the event's records it came in. */
  readonly index: number
  next?: Task
  /** It failed: nothing of its key starts any more. */
  isClosed?: boolean
}

/**
 * One invocation. Tasks start in the event's order, except those whose key is being worked on: they wait in its chain.
 * What is read ahead of its turn is bounded, for one record can hold a million user records of one key.
 */
class Batch<Context extends LambdaContext> {
  readonly #event: LambdaStreamEvent
  readonly #context: Context
  readonly #handle: UserRecordHandler<Context>
  readonly #options: KinesisHandlerOptions
  readonly #concurrency: number
  readonly #reserveMs: number
  readonly #signal: AbortSignal
  readonly #tasks: Iterator<Task>
  /** For each Kinesis record reached so far, its user records not done; 1 more until all of them are read. */
  readonly #pending: number[] = []
  /** The last task of each key that has one running, or the one that failed, so that nothing of its key starts. */
  readonly #lastOfKey = new Map<string, Task>()
  #runningCount = 0
  #waitingCount = 0
  #lowestFailedIndex = Number.POSITIVE_INFINITY
  #firstError: unknown
  #stop = () => {}
  #giveUp: (error: unknown) => void = () => {}

  constructor(
    event: LambdaStreamEvent,
    context: Context,
    handle: UserRecordHandler<Context>,
    options: KinesisHandlerOptions
  ) {
    const { reserveMs = DEFAULT_RESERVE_MS, timeoutSignal = (ms: number) => AbortSignal.timeout(ms) } = options
    this.#event = event
    this.#context = context
    this.#handle = handle
    this.#options = options
    this.#concurrency = options.concurrency ?? DEFAULT_CONCURRENCY
    this.#reserveMs = reserveMs
    const timeMs = Math.floor(context.getRemainingTimeInMillis() - reserveMs)
    this.#signal = timeoutSignal(Math.min(Math.max(0, timeMs), MAX_TIMER_MS))
    this.#tasks = this.#readTasks()
  }

  async run(): Promise<LambdaBatchResponse> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#stop = () => resolve()
      this.#giveUp = reject
    })
    this.#signal.addEventListener('abort', this.#stop)
    try {
      this.#fill()
      await ended
    } finally {
      // The signal outlives the invocation: a listener left on it would keep the event in memory.
      this.#signal.removeEventListener('abort', this.#stop)
    }
    return this.#answer()
  }

  /** Starts whatever may run now. */
  #fill(): void {
    while (this.#runningCount < this.#concurrency) {
      const task = this.#nextTask()
      if (task === undefined) break
      this.#start(task)
    }
    if (this.#runningCount === 0) this.#stop()
  }

  #start(task: Task): void {
    this.#runningCount++
    // Rejects only when `onError` throws: then the whole invocation fails, and Lambda delivers the batch again.
    this.#perform(task)
      .then(isDone => this.#leave(task, isDone))
      .catch(this.#giveUp)
  }

  async #perform({ record, index }: Task): Promise<boolean> {
    const { seen } = this.#options
    try {
      if (!(await seen?.has(record.id, record))) {
        await this.#handle(record, this.#context, this.#signal)
        await seen?.add(record.id, record)
      }
    } catch (error) {
      this.#fail(index, error, record)
      return false
    }
    this.#pending[index]!--
    return true
  }

  /** The key of a task that is done goes on first, for what waits there is the oldest. */
  #leave(task: Task, isDone: boolean): void {
    const { next, record } = task
    this.#runningCount--
    if (!isDone) this.#closeKey(task)
    else if (next === undefined) this.#lastOfKey.delete(record.partitionKey)
    else if (this.#mayStart(next)) {
      this.#waitingCount--
      this.#start(next)
    }
    this.#fill()
  }

  /** What waits behind a task that failed never starts; let go of, it leaves room for other keys. */
  #closeKey(failed: Task): void {
    for (let task = failed.next; task !== undefined; task = task.next) this.#waitingCount--
    failed.isClosed = true
    this.#lastOfKey.set(failed.record.partitionKey, failed)
  }

  /** The next task whose key is free; those before it get in line. */
  #nextTask(): Task | undefined {
    while (this.#waitingCount < MAX_WAITING_COUNT && this.#hasTime()) {
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
    return this.#hasTime() && (this.#options.afterFailure === 'continue' || task.index < this.#lowestFailedIndex)
  }

  #hasTime(): boolean {
    return !this.#signal.aborted && this.#context.getRemainingTimeInMillis() > this.#reserveMs
  }

  *#readTasks(): Generator<Task, undefined, undefined> {
    for (const [index, source] of this.#event.Records.entries()) {
      this.#pending[index] = 1
      try {
        for (const record of userRecordsOf(source, this.#options)) {
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
    this.#firstError ??= error
    this.#lowestFailedIndex = Math.min(this.#lowestFailedIndex, index)
    if (this.#options.onError) this.#options.onError(error, record)
    else process.emitWarning(error instanceof Error ? error : String(error))
  }

  #answer(): LambdaBatchResponse {
    const { Records } = this.#event
    const lowest = Records.find((_, index) => this.#pending[index] !== 0)
    if (lowest === undefined) return { batchItemFailures: [] }
    if (this.#options.reportBatchItemFailures === false) {
      throw this.#firstError ?? new Error('the time was up before every user record was done')
    }
    return { batchItemFailures: [{ itemIdentifier: lowest.kinesis.sequenceNumber }] }
  }
}

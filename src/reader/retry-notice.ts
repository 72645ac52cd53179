/**
 * Reports a call of the reader that failed and is repeated.
 * Invariant: called last, when the next try is planned; nothing that `onRetry` throws or rejects with gets out: it is a process
 * warning. Without an `onRetry` there is one warning a spell, which lasts from the third failure in a row until nothing fails.
 */
import { errorText } from '../model/errors.ts'

/** A call that failed, and is made again. */
export interface ReadRetry {
  /** The failure. */
  readonly error: unknown
  /** The operation that failed. */
  readonly operation: 'GetRecords' | 'GetShardIterator' | 'ListShards'
  /** The shard; undefined for the listing that the reading begins with. */
  readonly shardId: string | undefined
  /** Failures in a row, this one included. After the eleventh the reading ends with KPL_ERR_READ_FAILED instead. */
  readonly failureCount: number
  /** The time until the next try. */
  readonly pauseMs: number
}

export type OnRetry = (retry: ReadRetry) => unknown

/** A throttled read, or two, is everyday. */
const WARN_FROM_FAILURES = 3

export class RetryNotice {
  readonly #streamName: string
  readonly #onRetry: OnRetry | undefined
  /** Shards that count as failing; `''` is the listing. */
  readonly #failing = new Set<string>()

  constructor(streamName: string, onRetry: OnRetry | undefined) {
    this.#streamName = streamName
    this.#onRetry = onRetry
  }

  tell(retry: ReadRetry): void {
    if (this.#onRetry === undefined) this.#warnOnce(retry)
    else this.#call(this.#onRetry, retry)
  }

  /** The shard's call, or without one the listing, was answered. */
  worked(shardId: string = ''): void {
    this.#failing.delete(shardId)
  }

  #warnOnce({ error, operation, shardId, failureCount }: ReadRetry): void {
    if (failureCount < WARN_FROM_FAILURES) return
    const isNew = this.#failing.size === 0
    this.#failing.add(shardId ?? '')
    if (!isNew) return
    const where = shardId === undefined ? `stream ${this.#streamName}` : `stream ${this.#streamName}, shard ${shardId}`
    const fact = `${where}: ${operation} failed ${failureCount} times in a row, the last time with ${errorText(error)}`
    warn(
      'KPL_WARN_READ_RETRY',
      `${fact}; the reader repeats it, ten times in all (the option onRetry gets each failure)`
    )
  }

  #call(onRetry: OnRetry, retry: ReadRetry): void {
    try {
      const told = onRetry(retry)
      if (told !== undefined) void new Promise(resolve => resolve(told)).catch(threw)
    } catch (error) {
      threw(error)
    }
  }
}

function threw(error: unknown): void {
  warn('KPL_WARN_CALLBACK_THREW', `onRetry threw: ${errorText(error)}`)
}

/** Not `emitWarning` of system.ts, which prints each code once for the life of the process. */
function warn(code: string, message: string): void {
  process.emitWarning(message, { type: 'KinesisProducerWarning', code })
}

/**
 * The lines for the user's logger: each message is one of a table, and its fields have a type.
 * Example: 'breaker opened' with { streamName, errorCode, error, endpoint, failedRequests }.
 * Invariant: this is the only list of what spells say; docs/errors.md has a row for each message of `LogEvents`.
 */
import type { Logger } from '../model/ports.ts'

/** Every message of a spell, with its level. */
export const LOG_LEVELS = {
  'breaker opened': 'error',
  'breaker closed': 'info',
  'shard throttled': 'warn',
  'shard no longer throttled': 'info',
  'records failed': 'error',
  'records taken back': 'info',
  'ListShards failed': 'warn',
  'ListShards works again': 'info',
  'DescribeStreamSummary failed': 'warn',
  'DescribeStreamSummary works again': 'info'
} as const satisfies Readonly<Partial<Record<keyof LogEvents, keyof Logger>>>

/** One line of a spell. Its fields never hold data or a partition key. */
export type LogLine = {
  [Message in keyof typeof LOG_LEVELS]: { readonly message: Message; readonly fields: LogEvents[Message] }
}[keyof typeof LOG_LEVELS]

/**
 * The messages to the option `logger`, each with the type of its fields; warnings have `{ code }` instead. A line after lines that
 * were left out has `suppressed`, their number, as well.
 *
 * @example
 * const logger: Logger = {
 *   ...console,
 *   error(message, fields) {
 *     if (message !== 'breaker opened') return
 *     const { streamName, errorCode } = fields as LogEvents['breaker opened']
 *     console.error(`${streamName} is out of reach: ${errorCode}`)
 *   }
 * }
 */
export interface LogEvents {
  /** Level error: the producer holds the requests of the stream back, except one at a time that tries again. */
  readonly 'breaker opened': {
    /** The name or the ARN of the stream, as it was given. */
    readonly streamName: string
    /** The code of the newest failure. */
    readonly errorCode: string
    /** The text of the newest failure. */
    readonly error: string
    /** Host and port of the requests, if the transport says them. */
    readonly endpoint: string | undefined
    /** Requests that failed in a row until now. */
    readonly failedRequests: number
  }
  /** Level info: Kinesis answered a request, and all records flow again. */
  readonly 'breaker closed': {
    /** The name or the ARN of the stream, as it was given. */
    readonly streamName: string
    /** The time that the breaker was open. */
    readonly openMs: number
    /** Requests that failed in the whole series. */
    readonly failedRequests: number
  }
  /** Level warn: the first throttle of a shard for ten seconds. */
  readonly 'shard throttled': {
    /** The name or the ARN of the stream, as it was given. */
    readonly streamName: string
    /** The shard; undefined while there is no shard map. */
    readonly shardId: string | undefined
    /** Kinesis records that the answer throttled. */
    readonly kinesisRecords: number
  }
  /** Level info: ten seconds without a throttle. */
  readonly 'shard no longer throttled': {
    /** The name or the ARN of the stream, as it was given. */
    readonly streamName: string
    /** The shard; undefined while there is no shard map. */
    readonly shardId: string | undefined
    /** The time from the first throttle to the last. */
    readonly throttledMs: number
    /** Kinesis records that were throttled. */
    readonly kinesisRecords: number
    /** Answers with throttled records. */
    readonly answers: number
  }
  /** Level error: user records failed. The first failure appears at once; later ones are summed for ten seconds. */
  readonly 'records failed': FailedRecords
  /** Level info: user records were taken back by their AbortSignal. */
  readonly 'records taken back': FailedRecords
  /** Level warn: ListShards failed, or its answer has a fault. The last good shard map stays in use. */
  readonly 'ListShards failed': FailedCall
  /** Level info: ListShards works again. */
  readonly 'ListShards works again': EndedCallSpell
  /** Level warn: DescribeStreamSummary failed. */
  readonly 'DescribeStreamSummary failed': FailedCall
  /** Level info: DescribeStreamSummary works again. */
  readonly 'DescribeStreamSummary works again': EndedCallSpell
  /** Level error: a callback of `tryPut` threw. Its record had settled before. */
  readonly 'a settle callback threw': Thrown
  /** Level warn: a `Transport` threw in `close`. Every record had settled before. */
  readonly 'closing the transport failed': Thrown
  /** Level warn, of `CloudWatchMetrics`: an upload failed. The next one has its values. */
  readonly 'metrics upload failed, will go again': Thrown
}

type FailedRecords = {
  /** The name or the ARN of the stream, as it was given. */
  readonly streamName: string
  /** The `code` of their RecordFailedError; `_OTHER` for the rest of very many kinds. */
  readonly code: string
  /** The `serviceCode` of their RecordFailedError. */
  readonly serviceCode: string | undefined
  /** User records. */
  readonly userRecords: number
  /** The number of them that may be stored. */
  readonly maybePersisted: number
  /** The message of the first one. */
  readonly error: string
}

type FailedCall = {
  /** The name or the ARN of the stream, as it was given. */
  readonly streamName: string
  /** The name and the text of the failure. */
  readonly error: string
}

type EndedCallSpell = {
  /** The name or the ARN of the stream, as it was given. */
  readonly streamName: string
  /** The time from the first failure to the answer. */
  readonly failingMs: number
  /** Calls that failed. */
  readonly failedCalls: number
}

type Thrown = {
  /** The name and the text of the error. */
  readonly error: string
}

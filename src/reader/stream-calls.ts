/**
 * The calls that a stream reader makes: each is bounded, and settles once.
 * Invariant: a call settles within `requestTimeoutMs`, or at once when the reader stops, also on a client that ignores its
 * AbortSignal; it resolves with an answer of the API's shape and nothing else. Nothing is called after the reader has stopped.
 */
import { setMaxListeners } from 'node:events'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  type ListShardsCommandInput
} from '@aws-sdk/client-kinesis'
import { protocolFailure } from '../aws/classify-failure.ts'
import { armDeadline } from '../aws/deadline.ts'
import { isError, OptionsError, TransportError } from '../model/errors.ts'
import { MAX_LIST_SHARDS_PAGES } from '../model/limits.ts'
import type { Clock, Random } from '../model/ports.ts'
import { streamRef } from '../model/records.ts'
import { classifyRequestError } from '../model/service-errors.ts'
import {
  ALL_HASH_KEYS,
  isCovered,
  type KnownShard,
  type RecordsAnswer,
  readIterator,
  readListing,
  readRecords
} from './answers.ts'
import type { ShardCursor } from './shard-tree.ts'

export interface StreamCallsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly requestTimeoutMs: number
  readonly maxRecordsPerRead: number | undefined
}

const FIRST_PAUSE_MS = 200
const MAX_PAUSE_MS = 5000

export class StreamCalls {
  readonly #client: Pick<KinesisClient, 'send'>
  readonly #stream: { StreamName: string } | { StreamARN: string }
  readonly #options: StreamCallsOptions
  readonly #stop = new AbortController()

  constructor(client: Pick<KinesisClient, 'send'>, streamName: string, options: StreamCallsOptions) {
    const ref = streamRef(streamName)
    this.#client = client
    this.#stream = ref.streamArn === undefined ? { StreamName: streamName } : { StreamARN: streamName }
    this.#options = options
    // A call for each shard, and a few that wait.
    setMaxListeners(0, this.#stop.signal)
  }

  get isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  /** Ends every call and every pause. */
  stop(): void {
    this.#stop.abort()
  }

  /**
   * All shards, closed ones too. A stream has an open shard for every hash key at any time; a listing without one has lost
   * shards, and a reader that believed it would end, or miss their records, without an error.
   */
  async listShards(): Promise<readonly KnownShard[]> {
    const shards: KnownShard[] = []
    let input: ListShardsCommandInput = this.#stream
    for (let page = 0; page < MAX_LIST_SHARDS_PAGES; page++) {
      const command = new ListShardsCommand(input)
      const answer = readListing(await this.#bounded(options => this.#client.send(command, options)))
      shards.push(...answer.shards)
      if (answer.nextToken === undefined) {
        const open = shards.filter(shard => shard.endsAt === undefined)
        if (isCovered(ALL_HASH_KEYS, open)) return shards
        throw protocolFailure('ListingGap', 'ListShards named no open shard for some of the hash keys.')
      }
      input = { NextToken: answer.nextToken }
    }
    throw protocolFailure('TooManyPages', `ListShards did not end within ${MAX_LIST_SHARDS_PAGES} pages.`)
  }

  /** Where the shard is read from: from here on nothing is missed. */
  async iteratorOf(cursor: ShardCursor): Promise<string> {
    const input = { ...this.#stream, ShardId: cursor.shardId, ...cursor.iteratorRequest() }
    const command = new GetShardIteratorCommand(input)
    return readIterator(await this.#bounded(options => this.#client.send(command, options)))
  }

  async recordsAt(iterator: string): Promise<RecordsAnswer> {
    const { maxRecordsPerRead } = this.#options
    const address = 'StreamARN' in this.#stream ? this.#stream : {}
    const limit = maxRecordsPerRead === undefined ? {} : { Limit: maxRecordsPerRead }
    const command = new GetRecordsCommand({ ...address, ...limit, ShardIterator: iterator })
    return readRecords(await this.#bounded(options => this.#client.send(command, options)))
  }

  /** How long to wait after so many failures in a row: doubles up to MAX_PAUSE_MS, half to all of it at random. */
  pauseMs(failureCount: number): number {
    const ceilingMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failureCount - 1))
    return ceilingMs * (0.5 + this.#options.random() / 2)
  }

  /** Resolves at that time of the clock, when `woken` does, or when the reader stops. */
  sleepUntil(atMs: number, woken?: Promise<void>): Promise<void> {
    const { signal } = this.#stop
    if (signal.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const wake = () => {
        timer?.cancel()
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const timer = atMs < Number.POSITIVE_INFINITY ? this.#options.clock.schedule(atMs, wake) : undefined
      signal.addEventListener('abort', wake)
      woken?.then(wake)
    })
  }

  #bounded<Answer>(call: (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>): Promise<Answer> {
    const { clock, requestTimeoutMs } = this.#options
    const stop = this.#stop.signal
    const aborter = new AbortController()
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        deadline.cancel()
        stop.removeEventListener('abort', onStop)
        settle()
      }
      const giveUp = (errorCode: string, message: string) => {
        end(() => reject(new TransportError({ errorCode, message, persisted: 'no' })))
        aborter.abort()
      }
      const onStop = () => giveUp('AbortError', 'The reader has stopped.')
      const deadline = armDeadline(clock, clock.nowMs() + requestTimeoutMs, () =>
        giveUp('TimeoutError', `No answer came within ${requestTimeoutMs} ms.`)
      )
      stop.addEventListener('abort', onStop)
      if (stop.aborted) onStop()
      else {
        const answered = async () => call({ abortSignal: aborter.signal })
        answered().then(
          answer => end(() => resolve(answer)),
          (error: unknown) => end(() => reject(error))
        )
      }
    })
  }
}

/** Whether the same call may succeed later. Nothing is written, so nothing is ambiguous. */
export function isPassing(error: unknown): boolean {
  // The user's value is just as wrong the next time.
  if (error instanceof OptionsError) return false
  const verdict = classifyRequestError({ errorCode: codeOf(error), statusCode: statusOf(error), persisted: 'no' })
  return verdict === 'throttled' || verdict === 'outage'
}

/** The service's code, Node.js's, or ours. */
export function codeOf(error: unknown): string {
  if (error instanceof TransportError) return error.errorCode
  return isError(error) ? error.name : ''
}

function statusOf(error: unknown): number | undefined {
  const metadata = isError(error) && '$metadata' in error ? error.$metadata : undefined
  const isMetadata = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
  return isMetadata && typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/**
 * The calls that a stream reader makes, with its pauses.
 * Invariant: a call that fails in a way that may pass is made again, at most MAX_FAILURES times in a row; nothing is
 * called and nothing sleeps once the signal has fired.
 */
import {
  type ChildShard,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  type ListShardsCommandInput,
  type Shard
} from '@aws-sdk/client-kinesis'
import type { SdkKinesisRecord } from '../deaggregate.ts'
import type { Clock, Random } from '../model/ports.ts'
import { streamRef } from '../model/records.ts'
import { classifyRequestError } from '../model/service-errors.ts'
import type { ShardCursor } from './shard-tree.ts'

/** What one read of a shard gave. */
export interface ShardAnswer {
  readonly records: readonly SdkKinesisRecord[]
  /** Undefined when the shard is closed and read to its end. */
  readonly nextIterator: string | undefined
  /** At the end: the shards that go on, as far as the service says. */
  readonly children: readonly ChildShard[] | undefined
  /** Whether there is nothing to read at present. An answer with records never says so: more may have come. */
  readonly isAtTip: boolean
}

export interface StreamCallsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal | undefined
  readonly maxRecordsPerRead: number | undefined
}

const MAX_FAILURES = 10
const FIRST_PAUSE_MS = 200
const MAX_PAUSE_MS = 5000

export class StreamCalls {
  readonly #client: Pick<KinesisClient, 'send'>
  readonly #stream: { StreamName: string } | { StreamARN: string }
  readonly #options: StreamCallsOptions

  constructor(client: Pick<KinesisClient, 'send'>, streamName: string, options: StreamCallsOptions) {
    const ref = streamRef(streamName)
    this.#client = client
    this.#stream = ref.streamArn === undefined ? { StreamName: streamName } : { StreamARN: streamName }
    this.#options = options
  }

  /** All shards, closed ones too. */
  async listShards(): Promise<Shard[]> {
    const shards: Shard[] = []
    let input: ListShardsCommandInput = this.#stream
    for (;;) {
      const { Shards, NextToken } = await this.#persist(() =>
        this.#client.send(new ListShardsCommand(input), this.#httpOptions)
      )
      shards.push(...(Shards ?? []))
      if (NextToken === undefined) return shards
      input = { NextToken }
    }
  }

  /** Fixes where the shard is read from: from here on nothing is missed. */
  async open(cursor: ShardCursor): Promise<void> {
    cursor.iterator ??= await this.#persist(() => this.#iterator(cursor))
  }

  /** Reads on; undefined when that failed and `cursor.nextReadMs` says when to try again. */
  async read(cursor: ShardCursor): Promise<ShardAnswer | undefined> {
    try {
      cursor.iterator ??= await this.#iterator(cursor)
      const address = 'StreamARN' in this.#stream ? this.#stream : {}
      const limit = this.#options.maxRecordsPerRead === undefined ? {} : { Limit: this.#options.maxRecordsPerRead }
      const command = new GetRecordsCommand({ ...address, ...limit, ShardIterator: cursor.iterator })
      const { Records, NextShardIterator, MillisBehindLatest, ChildShards } = await this.#client.send(
        command,
        this.#httpOptions
      )
      cursor.failures = 0
      return {
        records: Records ?? [],
        nextIterator: NextShardIterator ?? undefined,
        children: ChildShards,
        isAtTip: !Records?.length && !MillisBehindLatest
      }
    } catch (error) {
      const isExpired = nameOf(error) === 'ExpiredIteratorException' && !cursor.isAdrift
      if (isExpired) cursor.iterator = undefined
      else if (!isPassing(error)) throw error
      if (++cursor.failures > MAX_FAILURES) throw error
      cursor.nextReadMs = this.#options.clock.nowMs() + this.#pauseMs(cursor.failures)
      return undefined
    }
  }

  /** Resolves at that time of the clock, or when the signal fires. */
  sleepUntil(atMs: number): Promise<void> {
    const { clock, signal } = this.#options
    return new Promise(resolve => {
      const wake = () => {
        timer.cancel()
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const timer = clock.schedule(atMs, wake)
      signal?.addEventListener('abort', wake)
    })
  }

  async #iterator(cursor: ShardCursor): Promise<string | undefined> {
    const input = { ...this.#stream, ShardId: cursor.shardId, ...cursor.iteratorRequest() }
    const { ShardIterator } = await this.#client.send(new GetShardIteratorCommand(input), this.#httpOptions)
    return ShardIterator
  }

  async #persist<T>(call: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        return await call()
      } catch (error) {
        const isFinal = failures > MAX_FAILURES || !isPassing(error) || this.#options.signal?.aborted
        if (isFinal) throw error
        await this.sleepUntil(this.#options.clock.nowMs() + this.#pauseMs(failures))
      }
    }
  }

  /** Doubles from FIRST_PAUSE_MS to MAX_PAUSE_MS, between half of it and all of it at random. */
  #pauseMs(failures: number): number {
    const ceilingMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
    return ceilingMs * (0.5 + this.#options.random() / 2)
  }

  get #httpOptions(): { abortSignal?: AbortSignal } {
    return this.#options.signal === undefined ? {} : { abortSignal: this.#options.signal }
  }
}

/** Whether the same call may succeed later. Nothing is written, so nothing is ambiguous. */
function isPassing(error: unknown): boolean {
  const verdict = classifyRequestError({ errorCode: nameOf(error), statusCode: statusOf(error), persisted: 'no' })
  return verdict === 'throttled' || verdict === 'outage'
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

function statusOf(error: unknown): number | undefined {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined
  const isMetadata = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
  return isMetadata && typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/**
 * The `Transport` over the AWS SDK: PutRecords, ListShards, DescribeStreamSummary.
 * Invariant: every method rejects with a `TransportError` and nothing else; PutRecords is tried once, the two others
 * at most `CONTROL_TRIES` times; a body buffer goes back to the pool only when its request was written and answered, or
 * its connection is gone.
 */
import {
  DescribeStreamSummaryCommand,
  ListShardsCommand,
  type ListShardsCommandInput,
  PutRecordsCommand,
  type PutRecordsCommandInput
} from '@aws-sdk/client-kinesis'
import pRetry from 'p-retry'
import { TransportError } from '../model/errors.ts'
import { LIST_SHARDS_PAGE, MAX_LIST_SHARDS_PAGES } from '../model/limits.ts'
import type {
  Clock,
  PutRecordsEntry,
  PutRecordsRequest,
  PutRecordsResponse,
  ShardHashRange,
  StreamSummary,
  Timer,
  Transport
} from '../model/ports.ts'
import { arnFault, type StreamRef } from '../model/records.ts'
import { classifyRequestError, OTHER_REGION, type RequestVerdict } from '../model/service-errors.ts'
import { readPutRecords, readShardPage, readSummary } from './answers.ts'
import { classifyFailure, givenUp, notSent, protocolFailure } from './classify-failure.ts'
import { type Command, exchange } from './exchange.ts'
import { type AwsTransportOptions, openSender, type Sender } from './kinesis-client.ts'
import { NOT_PREPARED } from './prepared-calls.ts'
import type { PreparedRequest } from './prepared-request.ts'

export type { AwsTransportOptions } from './kinesis-client.ts'

const CONTROL_TRIES = 3
const CONTROL_BASE_MS = 200
const EXPIRED_TOKEN = 'ExpiredNextTokenException'
const LASTING: ReadonlySet<RequestVerdict> = new Set<RequestVerdict>(['rejected', 'refused', 'local'])

/**
 * Returns a transport to Kinesis. No request is made and no credentials are fetched before the first call.
 * `data` of entries is not copied and must not change until the call settles.
 * The options must have been checked: see `resolveOptions`.
 *
 * @example
 * const transport = createAwsTransport({ ...resolveOptions({ region: 'eu-west-1' }), warn: () => {} })
 */
export function createAwsTransport(options: AwsTransportOptions): Transport {
  const clock = options.clock ?? spanClock
  return new AwsTransport(openSender(options, clock), clock, options.requestTimeoutMs)
}

/** For a transport without a clock: time that stands still, and wake-ups that still come. */
const spanClock: Clock = {
  nowMs: () => 0,
  schedule(delayMs, wake): Timer {
    const signal = AbortSignal.timeout(Math.ceil(delayMs))
    signal.addEventListener('abort', wake)
    return { cancel: () => signal.removeEventListener('abort', wake) }
  }
}

interface SendOptions<Answer> {
  readonly read: (output: unknown) => Answer
  readonly signal?: AbortSignal | undefined
  readonly assertStream?: () => Promise<void>
  readonly keys?: () => readonly string[]
  readonly onBodyFree?: () => void
  readonly onStandIn?: () => void
  /** Told the signed request. */
  readonly onSent?: (request: object) => void
  readonly timeoutMs?: number
}

/** The parts of a request that both ways of sending share. */
type PutCall = Pick<Required<SendOptions<PutRecordsResponse>>, 'read' | 'keys' | 'onBodyFree'> & {
  readonly signal: AbortSignal | undefined
}

class AwsTransport implements Transport {
  /** Bodies are written before anything is sent; a client of another make may keep its input. */
  readonly readsUntilAnswered: boolean
  #endpoint: string | undefined
  readonly #sender: Sender
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #closing = new AbortController()

  constructor(sender: Sender, clock: Clock, timeoutMs: number) {
    this.readsUntilAnswered = sender.bodyWriter !== undefined
    this.#sender = sender
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  get endpoint(): string | undefined {
    return this.#endpoint
  }

  async putRecords({ stream, entries, signal }: PutRecordsRequest): Promise<PutRecordsResponse> {
    const { bodyWriter, prepared } = this.#sender
    const Records = entries.map(requestEntry)
    const input = { ...addressOf(stream), Records }
    const key = stream.streamArn ?? stream.streamName ?? ''
    const call: PutCall = {
      signal,
      read: output => readPutRecords(output, entries),
      keys: () => entries.map(({ partitionKey }) => partitionKey),
      onBodyFree: () => bodyWriter?.release(Records)
    }
    bodyWriter?.announce(Records)
    const startMs = this.#clock.nowMs()
    const form = prepared?.find(key)
    const answer = form === undefined ? NOT_PREPARED : await this.#sendPrepared(key, form, input, call)
    if (answer !== NOT_PREPARED) return answer
    let sent: object | undefined
    const response = await this.#send(new PutRecordsCommand(input), {
      ...call,
      // The credentials' own time-out comes before this one only when both begin together.
      timeoutMs: form === undefined ? this.#timeoutMs : this.#timeoutMs - (this.#clock.nowMs() - startMs),
      assertStream: () => this.#assertRegion(stream),
      onSent: request => {
        sent = request
      },
      // A stub on the SDK's client shows what it was given when a test asks, and these bytes are used again by then.
      onStandIn: () => Records.forEach(copyData)
    })
    void prepared?.learn(key, sent)
    return response
  }

  listShards(stream: StreamRef): Promise<readonly ShardHashRange[]> {
    return this.#withRetries(() => this.#listAllPages(stream))
  }

  describeStream(stream: StreamRef): Promise<StreamSummary> {
    return this.#withRetries(() =>
      this.#send(new DescribeStreamSummaryCommand(addressOf(stream)), { read: readSummary })
    )
  }

  close(): void {
    this.#closing.abort()
    this.#sender.close()
  }

  async #listAllPages(stream: StreamRef): Promise<readonly ShardHashRange[]> {
    const closedIds = new Set<string>()
    const shards: ShardHashRange[] = []
    // A token stands for the whole first request: the service refuses one that comes with anything of it.
    let input: ListShardsCommandInput = {
      ...addressOf(stream),
      ShardFilter: { Type: 'AT_LATEST' },
      MaxResults: LIST_SHARDS_PAGE
    }
    for (let page = 0; page < MAX_LIST_SHARDS_PAGES; page++) {
      const {
        shards: more,
        parentIds,
        nextToken
      } = await this.#send(new ListShardsCommand(input), {
        read: readShardPage
      })
      for (const shard of more) shards.push(shard)
      for (const parentId of parentIds) closedIds.add(parentId)
      if (nextToken === undefined) return shards.filter(({ shardId }) => !closedIds.has(shardId))
      input = { NextToken: nextToken }
    }
    const message = `ListShards did not end within ${MAX_LIST_SHARDS_PAGES} pages.`
    throw protocolFailure('TooManyPages', message)
  }

  /** An ARN goes to the region of the client, which the environment may have named, and not to its own. */
  async #assertRegion({ streamArn }: StreamRef): Promise<void> {
    if (streamArn === undefined) return
    const fault = arnFault(streamArn, await this.#sender.region?.())
    if (fault !== undefined) throw notSent(OTHER_REGION, `the stream ${fault}; nothing was sent.`)
  }

  #sendPrepared(key: string, form: PreparedRequest, input: PutRecordsCommandInput, { signal, keys, ...rest }: PutCall) {
    const { prepared } = this.#sender
    const own = { clock: this.#clock, timeoutMs: this.#timeoutMs, signals: this.#signals(signal) }
    this.#endpoint = form.destination
    return this.#guarded(() => prepared!.send(key, form, input, { ...own, ...rest, partitionKeys: keys }))
  }

  #send<Answer>(command: Command, options: SendOptions<Answer>): Promise<Answer> {
    const { signal, keys, onSent, timeoutMs = this.#timeoutMs, ...rest } = options
    const { send, assertDestination, track } = this.#sender
    const own = { clock: this.#clock, timeoutMs, signals: this.#signals(signal) }
    const noteDestination = (endpoint: string): void => {
      this.#endpoint = endpoint
    }
    const follow: Sender['track'] =
      track &&
      ((request, passage) => {
        onSent?.(request)
        track(request, passage)
      })
    const call = { ...own, ...rest, assertDestination, noteDestination, track: follow, partitionKeys: keys }
    return this.#guarded(() => exchange(send, command, call))
  }

  #signals(signal: AbortSignal | undefined): readonly AbortSignal[] {
    const closing = this.#closing.signal
    return signal === undefined ? [closing] : [closing, signal]
  }

  /** A refusal of the credentials has them renewed. */
  async #guarded<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    const { credentials } = this.#sender
    const generation = credentials?.generation ?? 0
    try {
      return await call()
    } catch (error) {
      if (error instanceof TransportError) credentials?.refused(error.errorCode, generation)
      throw error
    }
  }

  /** Each try starts from the beginning, so an expired token costs one of them. */
  async #withRetries<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await pRetry(run, {
        retries: CONTROL_TRIES - 1,
        minTimeout: CONTROL_BASE_MS,
        randomize: true,
        signal: this.#closing.signal,
        shouldRetry: ({ error }) => error instanceof TransportError && isWorthAnotherTry(error)
      })
    } catch (error) {
      if (this.#closing.signal.aborted && !(error instanceof TransportError)) throw givenUp('AbortError', false)
      throw classifyFailure(error, { mayHaveLeft: undefined })
    }
  }
}

/** Nothing is written by these calls, so an unclear answer is as good a reason as an outage. */
function isWorthAnotherTry(error: TransportError): boolean {
  if (error.errorCode === EXPIRED_TOKEN) return true
  if (error.code === 'KPL_ERR_PROTOCOL') return false
  const verdict = classifyRequestError(error)
  const isUnknownRefusal = error.statusCode !== undefined && error.statusCode < 500 && verdict === 'outage'
  return !isUnknownRefusal && !LASTING.has(verdict)
}

function addressOf({ streamName, streamArn }: StreamRef): { StreamName?: string; StreamARN?: string } {
  if (streamArn !== undefined) return { StreamARN: streamArn }
  return streamName === undefined ? {} : { StreamName: streamName }
}

function requestEntry({ data, partitionKey, explicitHashKey }: PutRecordsEntry): RequestEntry {
  return { Data: data, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey }
}

function copyData(entry: RequestEntry): void {
  entry.Data = entry.Data?.slice()
}

type RequestEntry = NonNullable<PutRecordsCommandInput['Records']>[number]

/**
 * A `Transport` straight into a `FakeKinesis`: no socket, no HTTP, every wait on the given clock.
 * Invariant: a promise settles once, from a wake-up of the clock; it rejects with `TransportError` and nothing else.
 */
import type { OptionRules } from '../consumer/deaggregate/given-options.ts'
import { assertNever, TransportError } from '../model/errors.ts'
import type {
  Clock,
  PutRecordsAnswer,
  PutRecordsRequest,
  PutRecordsResponse,
  ShardHashRange,
  StreamSummary,
  Timer,
  Transport
} from '../model/ports.ts'
import type { StreamRef } from '../model/records.ts'
import type { ListShardsOutput, PutRecordsOutput, Shard, StreamAddress } from './api-shapes.ts'
import type { FakeKinesis } from './fake-kinesis.ts'
import { type CallEffects, FakeService, type OperationStats } from './fake-service.ts'
import type { FaultEnding, FaultPlan } from './fault-plan.ts'
import { assertGiven, CLOCK, DURATION, FAULTS, FUNCTION, KINESIS } from './given.ts'
import type { FakeServiceError } from './service-error.ts'
import { streamNameOfArn } from './stream-registry.ts'

/** The options of `InMemoryTransport`. */
export interface InMemoryTransportOptions {
  /** The streams that it talks to. */
  readonly kinesis: FakeKinesis
  /** The clock that gives `kinesis` its time. */
  readonly clock: Clock
  /** Faults of requests. Default: none. */
  readonly faults?: FaultPlan | undefined
  /** One way, drawn for the request and again for the answer. Default 0: answered at the next step of the clock. */
  readonly latencyMs?: number | (() => number) | undefined
  /** How long an answer is waited for; then `TimeoutError`. Default 6,000, `Infinity` allowed. */
  readonly requestTimeoutMs?: number | undefined
}

/** One call: its input, and the conversion of its output into the core's view. */
interface MemoryCall<Output> {
  readonly operation: string
  readonly stream: StreamRef
  readonly entryCount: number
  readonly signal?: AbortSignal | undefined
  readonly run: (kinesis: FakeKinesis, effects: CallEffects) => Output
}

type Settle<Output> = (error: TransportError | undefined, output: Output | undefined) => void

const DEFAULT_REQUEST_TIMEOUT_MS = 6_000

const RULES: OptionRules<InMemoryTransportOptions> = {
  kinesis: KINESIS,
  clock: CLOCK,
  faults: FAULTS,
  latencyMs: {
    must: `${DURATION.must}, or a function that returns one`,
    isMet: value => DURATION.isMet(value) || FUNCTION.isMet(value)
  },
  requestTimeoutMs: DURATION
}

/**
 * For tests and simulations on a virtual clock. Errors: the service's own code with `persisted: 'no'` (status below
 * 500) or `'maybe'`; `ECONNRESET`, `TimeoutError`, `AbortError` with `'maybe'`; KPL_ERR_PROTOCOL for a raw answer.
 *
 * @example
 * const clock = new VirtualClock()
 * const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs() })
 * const transport = new InMemoryTransport({ kinesis, clock, latencyMs: 5 })
 * const producer = new KinesisProducer({ streamName: 'orders' }, { transport, clock })
 */
export class InMemoryTransport implements Transport {
  readonly #options: InMemoryTransportOptions
  readonly #service: FakeService
  /** Requests without an answer, and how to end them. */
  readonly #pending: Set<(error: TransportError) => void> = new Set()

  /** Give the producer the same clock. Throws OptionsError. */
  constructor(options: InMemoryTransportOptions) {
    assertGiven('InMemoryTransport', options, RULES, ['kinesis', 'clock'])
    this.#options = options
    this.#service = new FakeService(options.kinesis, options.faults, () => options.clock.nowMs())
  }

  /**
   * Copies the data, because a request may be applied after its caller got an error.
   *
   * @example
   * const entries = [{ data: Buffer.from('hello'), partitionKey: 'user-1' }]
   * const { records } = await transport.putRecords({ stream: { streamName: 'orders' }, entries })
   * records.length // => 1
   */
  putRecords(request: PutRecordsRequest): Promise<PutRecordsResponse> {
    const Records = request.entries.map(entry => ({
      Data: new Uint8Array(entry.data),
      PartitionKey: entry.partitionKey,
      ExplicitHashKey: entry.explicitHashKey
    }))
    const input = { ...addressOf(request.stream), Records }
    return new Promise((resolve, reject) => {
      const call: MemoryCall<PutRecordsOutput> = {
        operation: 'PutRecords',
        stream: request.stream,
        entryCount: Records.length,
        signal: request.signal,
        run: (kinesis, effects) => kinesis.putRecords(input, effects)
      }
      this.#send(call, (error, output) => (output === undefined ? reject(error) : resolve(asResponse(output))))
    })
  }

  /**
   * Returns the open shards of the stream.
   *
   * @example
   * const shards = await transport.listShards({ streamName: 'orders' })
   * shards.length // => 1
   */
  listShards(stream: StreamRef): Promise<readonly ShardHashRange[]> {
    return new Promise((resolve, reject) => {
      const ranges: ShardHashRange[] = []
      const nextPage = (token: string | undefined): void => {
        const input =
          token === undefined ? { ...addressOf(stream), ShardFilter: { Type: 'AT_LATEST' } } : { NextToken: token }
        const run = (kinesis: FakeKinesis, effects: CallEffects) => kinesis.listShards(input, effects.shardsAgoMs)
        const call: MemoryCall<ListShardsOutput> = { operation: 'ListShards', stream, entryCount: 0, run }
        this.#send(call, (error, output) => {
          if (output === undefined) return reject(error)
          ranges.push(...output.Shards.map(asHashRange))
          if (output.NextToken === undefined) resolve(ranges)
          else nextPage(output.NextToken)
        })
      }
      nextPage(undefined)
    })
  }

  /**
   * Returns the summary of the stream.
   *
   * @example
   * const summary = await transport.describeStream({ streamName: 'orders' })
   * summary.status // => 'ACTIVE'
   */
  describeStream(stream: StreamRef): Promise<StreamSummary> {
    const run = (kinesis: FakeKinesis) => kinesis.describeStreamSummary(addressOf(stream)).StreamDescriptionSummary
    return new Promise((resolve, reject) => {
      this.#send({ operation: 'DescribeStreamSummary', stream, entryCount: 0, run }, (error, summary) => {
        if (summary === undefined) return reject(error)
        resolve({
          status: summary.StreamStatus,
          recordDistribution: summary.RecordDistributionStrategy ?? 'USER_PARTITION_KEY',
          maxRecordBytes: summary.MaxRecordSizeInKiB * 1_024
        })
      })
    })
  }

  /**
   * Ends every request in flight with `AbortError`. Requests on their way may still be applied, as over a network.
   *
   * @example
   * transport.close()
   */
  close(): void {
    const error = transportError('AbortError', 'the transport was closed before the answer came')
    for (const end of [...this.#pending]) end(error)
  }

  /** Requests without an answer yet. */
  get pendingCount(): number {
    return this.#pending.size
  }

  /**
   * Counters by operation.
   *
   * @example
   * await producer.put({ partitionKey: 'user-1', data: 'hello' })
   * transport.stats()['PutRecords']?.requestCount // => 1
   */
  stats(): Readonly<Record<string, OperationStats>> {
    return this.#service.stats()
  }

  #send<Output extends object>(call: MemoryCall<Output>, settle: Settle<Output>): void {
    const { clock } = this.#options
    const { operation, entryCount, run } = call
    const streamName = call.stream.streamName ?? streamNameOfArn(call.stream.streamArn ?? '')
    const exchange = this.#service.plan({ operation, streamName, entryCount, run })
    const end = this.#track(call.signal, settle)
    clock.schedule(clock.nowMs() + this.#latencyMs() + exchange.requestDelayMs, () => {
      const answer = exchange.apply()
      clock.schedule(clock.nowMs() + this.#latencyMs() + exchange.answerDelayMs, () => {
        if (answer.kind === 'silence') return
        if (answer.kind === 'output') end(undefined, answer.output)
        else end(errorOf(answer), undefined)
      })
    })
  }

  /** Arms the time-out and the signal; returns the function that settles. Only its first call counts. */
  #track<Output>(signal: AbortSignal | undefined, settle: Settle<Output>): Settle<Output> {
    const { clock, requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS } = this.#options
    const end: Settle<Output> = (error, output) => {
      if (!this.#pending.delete(fail)) return
      timer.cancel()
      signal?.removeEventListener('abort', abort)
      settle(error, output)
    }
    const fail = (error: TransportError): void => end(error, undefined)
    const abort = (): void => fail(transportError('AbortError', 'the request was aborted'))
    const timer: Timer = clock.schedule(clock.nowMs() + requestTimeoutMs, () =>
      fail(transportError('TimeoutError', `no answer within ${requestTimeoutMs} ms`))
    )
    this.#pending.add(fail)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort)
    return end
  }

  #latencyMs(): number {
    const { latencyMs = 0 } = this.#options
    return typeof latencyMs === 'number' ? latencyMs : latencyMs()
  }
}

function addressOf(stream: StreamRef): StreamAddress {
  return { StreamName: stream.streamName, StreamARN: stream.streamArn }
}

function asResponse(output: PutRecordsOutput): PutRecordsResponse {
  const records = output.Records.map(
    (record): PutRecordsAnswer => ({
      shardId: record.ShardId,
      sequenceNumber: record.SequenceNumber,
      errorCode: record.ErrorCode,
      errorMessage: record.ErrorMessage
    })
  )
  return { records }
}

function asHashRange(shard: Shard): ShardHashRange {
  const { StartingHashKey, EndingHashKey } = shard.HashKeyRange
  return { shardId: shard.ShardId, startingHashKey: StartingHashKey, endingHashKey: EndingHashKey }
}

function errorOf(answer: Exclude<FaultEnding, { kind: 'silence' }>): TransportError {
  switch (answer.kind) {
    case 'error':
      return serviceError(answer.error)
    case 'reset':
      return transportError('ECONNRESET', 'the connection was reset')
    case 'raw': {
      const { statusCode, contentType } = answer
      const message = `the answer is not of the API: status ${statusCode}, content type ${contentType}`
      return new TransportError(
        { errorCode: 'MalformedAnswer', message, statusCode, persisted: 'maybe' },
        'KPL_ERR_PROTOCOL'
      )
    }
    default:
      return assertNever(answer)
  }
}

function serviceError(error: FakeServiceError): TransportError {
  const { code, message, statusCode } = error
  return new TransportError({ errorCode: code, message, statusCode, persisted: statusCode < 500 ? 'no' : 'maybe' })
}

function transportError(errorCode: string, message: string): TransportError {
  return new TransportError({ errorCode, message, persisted: 'maybe' })
}

/**
 * The simulated network and service edge: batches and listings go in, outcomes come back later, or never.
 * Invariant: every request is answered, at the latest by its time-out, and now and then a second time; a request is applied at most once,
 * perhaps long after its time-out (a zombie); a definite error means that nothing was or will be applied.
 */

import type { Flight as CoreFlight } from '../../src/core/core-host.ts'
import type { Stream } from '../../src/core/stream.ts'
import type { TransportError } from '../../src/model/errors.ts'
import type { AnsweredRequest, FailedRequest, Outcome, RequestTimes } from '../../src/model/exchange.ts'
import type { Batch } from '../../src/model/kinesis-record.ts'
import type { PutRecordsAnswer, ShardHashRange, StreamSummary, Timer } from '../../src/model/ports.ts'
import { type FakeKinesis, FakeServiceError, type SeededRandom, type VirtualClock } from '../../src/testing/index.ts'
import { type Ending, errorOf, type Faults } from './faults.ts'
import { malformed } from './malformed-listing.ts'
import type { Incarnation, ShardBook } from './shard-book.ts'

/** One request under way, as the client sees it. */
export interface Flight {
  readonly coreFlight: CoreFlight
  readonly stream: Stream
  readonly batch: Batch
  readonly startMs: number
  /** The data as it left: the client may use its memory again once it was answered. */
  readonly sentData: readonly Uint8Array[]
  /** The life of the stream that took it, once it was applied. */
  incarnation: Incarnation | undefined
  /** Whether the service refused it because the stream was still being created. */
  wasTooEarly: boolean
  isOver: boolean
}

export interface NetworkPorts {
  /** `isAgain`: the same answer came a second time. */
  landed(flight: Flight, outcome: Outcome, isAgain: boolean): void
  /** undefined: the listing failed. */
  listed(stream: Stream, listing: readonly ShardHashRange[] | undefined, isMalformed: boolean): void
  described(stream: Stream, summary: StreamSummary | undefined, errorCode?: string): void
  isPoison(recordNumber: number): boolean
  /** The service refused a request for breaking a limit of its own. */
  brokeLimit(message: string): void
}

export interface NetworkOptions {
  readonly clock: VirtualClock
  readonly kinesis: FakeKinesis
  readonly book: ShardBook
  readonly faults: Faults
  readonly jitter: SeededRandom
  /** Which answers come twice, and how much later. */
  readonly repeats: SeededRandom
  /** Which requests never get an answer, nor a time-out, if any: a stream of its own, so that other events stay as they are. */
  readonly mutes: SeededRandom | undefined
  readonly latencyMs: number
  readonly requestTimeoutMs: number
  readonly shuffles: boolean
}

const REPEATED = 0.02
/** The part of runs whose transport forgets requests, and of requests that it forgets. */
const MUTE_RUNS = 0.2
const MUTED = 0.03

export class Network {
  requestCount = 0
  /** Requests that never got an answer. */
  muteCount = 0
  appliedCount = 0
  readonly flights = new Set<Flight>()
  readonly #options: NetworkOptions
  readonly #ports: NetworkPorts

  readonly #muted: number

  constructor(options: NetworkOptions, ports: NetworkPorts) {
    this.#options = options
    this.#ports = ports
    this.#muted = (options.mutes?.() ?? 1) < MUTE_RUNS ? MUTED : 0
  }

  send(coreFlight: CoreFlight): Flight {
    const { stream, batch } = coreFlight
    const { clock, faults, requestTimeoutMs } = this.#options
    const nowMs = clock.nowMs()
    const sentData = batch.entries.map(({ data }) => Uint8Array.from(data))
    const fateless = { incarnation: undefined, wasTooEarly: false, isOver: false }
    const flight: Flight = { coreFlight, stream, batch, startMs: nowMs, sentData, ...fateless }
    const fate = faults.requestFate(nowMs)
    this.requestCount++
    this.flights.add(flight)
    const isDue = (this.#options.mutes?.() ?? 1) < this.#muted && !faults.isCalm
    const isMute = isDue && coreFlight.giveUpMs < Number.POSITIVE_INFINITY
    if (isMute) this.muteCount++
    const timeout = isMute
      ? undefined
      : clock.schedule(nowMs + requestTimeoutMs, () => this.#end(flight, errorOf('TimeoutError', undefined)))
    clock.schedule(nowMs + this.#latencyMs() + fate.requestDelayMs, () => {
      const ending = fate.before ?? this.#apply(flight, fate.after, fate.countDifference)
      if (ending === 'silence' || isMute) return
      clock.schedule(clock.nowMs() + this.#latencyMs() + fate.answerDelayMs, () => this.#end(flight, ending, timeout))
    })
    return flight
  }

  /** Ends the requests that the core gives up at this time, and returns them: whatever comes of them is not heard. */
  takeGivenUp(nowMs: number): Flight[] {
    const late = [...this.flights].filter(({ coreFlight }) => coreFlight.giveUpMs <= nowMs)
    for (const flight of late) {
      flight.isOver = true
      this.flights.delete(flight)
    }
    return late
  }

  fetchShards(stream: Stream): void {
    const { clock, faults } = this.#options
    const nowMs = clock.nowMs()
    const StreamName = stream.streamName
    const fate = faults.listingFate(nowMs)
    clock.schedule(nowMs + this.#latencyMs() + fate.delayMs, () => {
      const listing = fate.isFailed ? undefined : this.#list(StreamName, fate.agoMs)
      const isMalformed = fate.isMalformed && listing !== undefined
      const told = isMalformed ? malformed(listing, faults.draw('malformed')) : listing
      this.#ports.listed(stream, told, isMalformed)
    })
  }

  fetchSummary(stream: Stream): void {
    const { clock, faults } = this.#options
    const nowMs = clock.nowMs()
    const failure = faults.describeFailure(nowMs)
    clock.schedule(nowMs + this.#latencyMs(), () => {
      const summary = failure ?? this.#describe(stream.streamName)
      if ('status' in summary) this.#ports.described(stream, summary)
      else this.#ports.described(stream, undefined, summary.errorCode)
    })
  }

  #list(StreamName: string, agoMs: number): ShardHashRange[] | undefined {
    return orUndefined(() =>
      this.#options.kinesis
        .listShards({ StreamName, ShardFilter: { Type: 'AT_LATEST' } }, agoMs)
        .Shards.map(({ ShardId, HashKeyRange: { StartingHashKey, EndingHashKey } }) => ({
          shardId: ShardId,
          startingHashKey: StartingHashKey,
          endingHashKey: EndingHashKey
        }))
    )
  }

  #describe(StreamName: string): StreamSummary | TransportError {
    try {
      const { StreamDescriptionSummary: summary } = this.#options.kinesis.describeStreamSummary({ StreamName })
      return {
        status: summary.StreamStatus,
        recordDistribution: summary.RecordDistributionStrategy ?? 'USER_PARTITION_KEY'
      }
    } catch (error) {
      if (!(error instanceof FakeServiceError)) throw error
      return errorOf(error.code, error.statusCode)
    }
  }

  #end(flight: Flight, result: TransportError | readonly PutRecordsAnswer[], timeout?: Timer): void {
    timeout?.cancel()
    if (flight.isOver) return
    flight.isOver = true
    this.flights.delete(flight)
    const times = { startMs: flight.startMs, endMs: this.#options.clock.nowMs() }
    const outcome = { ...times, ...answerOf(result, flight.batch.entries.length) }
    this.#repeat(flight, outcome)
    this.#ports.landed(flight, outcome, false)
  }

  #repeat(flight: Flight, outcome: Outcome): void {
    const { clock, repeats, latencyMs } = this.#options
    if (repeats() >= REPEATED) return
    clock.schedule(clock.nowMs() + repeats() * 2 * latencyMs, () => this.#ports.landed(flight, outcome, true))
  }

  /** The service takes the request, or refuses it. */
  #apply(flight: Flight, after: Ending | undefined, countDifference: number): Ending | PutRecordsAnswer[] {
    const { batch, stream, sentData } = flight
    const { kinesis, book } = this.#options
    const isPoisoned = batch.entries.some(({ members }) => members.numbers.some(n => this.#ports.isPoison(n)))
    if (isPoisoned) return errorOf('ValidationException', 400)
    try {
      const output = kinesis.putRecords(
        {
          StreamName: stream.streamName,
          Records: batch.entries.map(({ partitionKey, explicitHashKey }, i) => ({
            Data: sentData[i]!,
            PartitionKey: partitionKey,
            ExplicitHashKey: explicitHashKey
          }))
        },
        {
          recordError: (_index, shardId) => this.#options.faults.entryFault(shardId, this.#options.clock.nowMs()),
          storeOrder: this.#options.shuffles ? count => this.#shuffled(count) : undefined
        }
      )
      this.appliedCount++
      flight.incarnation = book.currentOf(stream.streamName)
      return after ?? this.#answers(output.Records, countDifference)
    } catch (error) {
      if (!(error instanceof FakeServiceError)) throw error
      if (error.code !== 'ResourceNotFoundException') this.#ports.brokeLimit(error.message)
      const summary = this.#describe(stream.streamName)
      flight.wasTooEarly = 'status' in summary && summary.status === 'CREATING'
      return errorOf(error.code, error.statusCode)
    }
  }

  #answers(
    records: readonly { ShardId?: string; SequenceNumber?: string; ErrorCode?: string }[],
    countDifference: number
  ): PutRecordsAnswer[] {
    const { faults } = this.#options
    const answers = records.map(({ ShardId, SequenceNumber, ErrorCode }): PutRecordsAnswer => {
      if (faults.happens('entryNeither')) return {}
      const errorCode = faults.happens('entryBoth') ? (ErrorCode ?? 'InternalFailure') : ErrorCode
      return { shardId: ShardId, sequenceNumber: SequenceNumber, errorCode }
    })
    if (countDifference < 0) answers.pop()
    if (countDifference > 0) answers.push(answers[0]!)
    return answers
  }

  #shuffled(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i)
    for (let i = count - 1; i > 0; i--) {
      const other = Math.floor(this.#options.jitter() * (i + 1))
      const moved = order[i]!
      order[i] = order[other]!
      order[other] = moved
    }
    return order
  }

  #latencyMs(): number {
    return this.#options.latencyMs * (0.25 + this.#options.jitter())
  }
}

function orUndefined<Value>(call: () => Value): Value | undefined {
  try {
    return call()
  } catch (error) {
    // The service's refusal is what the caller is told: that there is no answer.
    if (error instanceof FakeServiceError) return undefined
    throw error
  }
}

function answerOf(
  result: TransportError | readonly PutRecordsAnswer[],
  entryCount: number
): Omit<AnsweredRequest, keyof RequestTimes> | Omit<FailedRequest, keyof RequestTimes> {
  if ('errorCode' in result) return { kind: 'failed', error: result }
  if (result.length === entryCount) return { kind: 'answered', records: result }
  return { kind: 'failed', error: errorOf('RecordCountMismatch', 200) }
}

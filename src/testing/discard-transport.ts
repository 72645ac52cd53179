/**
 * A `Transport` that acknowledges and forgets, to measure the code in front of it.
 * Invariant: every entry of well-formed requests is acknowledged for the shard that owns its key, with increasing
 * sequence numbers. Nothing is checked, copied or kept.
 */
import type { OptionRules } from '../consumer/deaggregate/given-options.ts'
import type {
  Clock,
  PutRecordsAnswer,
  PutRecordsRequest,
  PutRecordsResponse,
  ShardHashRange,
  StreamSummary,
  Transport
} from '../model/ports.ts'
import { MAX_HASH_KEY } from '../wire/hash-key.ts'
import { assertGiven, CLOCK, DURATION } from './given.ts'
import { uniformStarts } from './resharding.ts'
import { sequenceNumberText } from './sequence-number.ts'
import { ShardRouter } from './shard-router.ts'

/** The options of `DiscardTransport`. */
export interface DiscardTransportOptions {
  /** A number of equal shards, or the ranges themselves, sorted and complete. The same for every stream. Default 1. */
  readonly shards?: number | readonly ShardHashRange[] | undefined
  /** With a clock, answers come `latencyMs` later on it; without, as soon as the caller has returned. */
  readonly clock?: Clock | undefined
  /** The time from a request to its answer; needs `clock`. Default: 0. */
  readonly latencyMs?: number | undefined
}

const RULES: OptionRules<DiscardTransportOptions> = {
  shards: {
    must: 'a whole number from 1, or a list of ranges',
    isMet: value => (Number.isInteger(value) && Number(value) >= 1) || (Array.isArray(value) && value.length > 0)
  },
  clock: CLOCK,
  latencyMs: DURATION
}

/**
 * A `Transport` that acknowledges every record and keeps none, to measure the code in front of it.
 *
 * @example
 * const transport = new DiscardTransport({ shards: 100 })
 * await using producer = new KinesisProducer({ streamName: 'orders' }, { transport })
 * await producer.put({ partitionKey: 'user-1', data: 'hello' })
 */
export class DiscardTransport implements Transport {
  /** True: nothing of a request is kept after its answer. */
  readonly readsUntilAnswered: boolean = true
  readonly #options: DiscardTransportOptions
  readonly #ranges: readonly ShardHashRange[]
  readonly #router: ShardRouter<{ readonly start: bigint; readonly range: ShardHashRange }>
  #requestCount = 0
  #recordCount = 0
  #dataBytes = 0

  /** Without options: one shard, and answers at once. Throws OptionsError. */
  constructor(options: DiscardTransportOptions = {}) {
    assertGiven('DiscardTransport', options, RULES)
    this.#options = options
    const { shards = 1 } = options
    this.#ranges = typeof shards === 'number' ? uniformRanges(shards) : shards
    this.#router = new ShardRouter(this.#ranges.map(range => ({ start: BigInt(range.startingHashKey), range })))
  }

  /**
   * Cost: O(entries), and O(log shards) for each when there is more than one.
   *
   * @example
   * const transport = new DiscardTransport({ shards: 2 })
   * const entries = [{ data: Buffer.from('hello'), partitionKey: 'user-1' }]
   * const { records } = await transport.putRecords({ stream: { streamName: 'orders' }, entries })
   * records.length // => 1
   */
  putRecords(request: PutRecordsRequest): Promise<PutRecordsResponse> {
    this.#requestCount++
    return this.#answer({ records: request.entries.map(entry => this.#acknowledge(entry)) })
  }

  /**
   * Returns the open shards of the stream.
   *
   * @example
   * const transport = new DiscardTransport({ shards: 2 })
   * const shards = await transport.listShards()
   * shards.length // => 2
   */
  listShards(): Promise<readonly ShardHashRange[]> {
    return this.#answer(this.#ranges)
  }

  /**
   * Returns the summary of the stream.
   *
   * @example
   * const transport = new DiscardTransport()
   * const summary = await transport.describeStream()
   * summary.status // => 'ACTIVE'
   */
  describeStream(): Promise<StreamSummary> {
    return this.#answer({ status: 'ACTIVE', recordDistribution: 'USER_PARTITION_KEY' })
  }

  /**
   * Does nothing.
   *
   * @example
   * const transport = new DiscardTransport({ shards: 2 })
   * transport.close()
   */
  close(): void {}

  /**
   * Requests, Kinesis records and bytes of data (keys not counted) acknowledged so far.
   *
   * @example
   * const transport = new DiscardTransport()
   * transport.stats() // => { requestCount: 0, recordCount: 0, dataBytes: 0 }
   */
  stats(): {
    /** PutRecords requests. */
    readonly requestCount: number
    /** Kinesis records. */
    readonly recordCount: number
    /** Bytes of their data; keys do not count. */
    readonly dataBytes: number
  } {
    return { requestCount: this.#requestCount, recordCount: this.#recordCount, dataBytes: this.#dataBytes }
  }

  #acknowledge(entry: PutRecordsRequest['entries'][number]): PutRecordsAnswer {
    this.#recordCount++
    this.#dataBytes += entry.data.length
    const { range } = this.#router.ownerOf(entry.partitionKey, entry.explicitHashKey)
    return { shardId: range.shardId, sequenceNumber: sequenceNumberText(this.#recordCount) }
  }

  #answer<Answer>(answer: Answer): Promise<Answer> {
    const { clock, latencyMs = 0 } = this.#options
    if (clock === undefined) return Promise.resolve(answer)
    return new Promise(resolve => {
      clock.schedule(clock.nowMs() + latencyMs, () => resolve(answer))
    })
  }
}

const SHARD_NUMBER_DIGITS = 12

function uniformRanges(shardCount: number): ShardHashRange[] {
  const starts = uniformStarts(shardCount)
  return starts.map((start, i) => ({
    shardId: `shardId-${String(i).padStart(SHARD_NUMBER_DIGITS, '0')}`,
    startingHashKey: start.toString(),
    endingHashKey: ((starts[i + 1] ?? MAX_HASH_KEY + 1n) - 1n).toString()
  }))
}

/**
 * Many producers on one stream, on a virtual clock: each puts at its own rate and knows only itself; what they and the service
 * counted leaves.
 * Example: eight members join with 0.16 of the stream's capacity each -> the stream is asked for 1.3 of it -> `read` tells
 * what it took.
 * Invariant: nothing happens in real time, so the same calls give the same figures; `verify` throws unless every record put is
 * accounted for and the service stored as many Kinesis records as were acknowledged.
 */
import { KinesisProducer, type ProducerOptions } from '../../src/index.ts'
import { FakeKinesis, InMemoryTransport, seededRandom, VirtualClock } from '../../src/testing/index.ts'

const STREAM = 'orders'
const SHARD_BYTES_PER_SECOND = 1_048_576
const MS_PER_SECOND = 1000
/** One way: an answer comes after twice this. */
const LATENCY_MS = 7.5
/** More than `recordTtlMs`. */
const MAX_DRAIN_SECONDS = 150
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

export interface FleetOptions {
  readonly shardCount: number
  readonly recordBytes: number
  readonly producer?: ProducerOptions
  readonly seed?: number
}

export interface FleetMember {
  readonly producer: KinesisProducer
  /** Its load, as a part of the stream's capacity. */
  load: number
  putCount: number
  deliveredCount: number
}

/** The counts of a span of time. */
export interface FleetReading {
  /** Stored bytes as a part of the capacity. */
  readonly goodput: number
  /** Jain's index of what each member of the whole span had delivered: 1 when all had the same, 1/n when one had all. */
  readonly fairness: number
  /** Throttled Kinesis records as a part of those that were sent. */
  readonly throttledPart: number
  /** From put to acknowledgement, of the records that were acknowledged. */
  readonly latenciesMs: readonly number[]
  /** User records delivered, by member. */
  readonly delivered: readonly number[]
}

interface Marks {
  readonly atMs: number
  readonly storedBytes: number
  readonly storedCount: number
  readonly throttledCount: number
  readonly delivered: readonly number[]
}

export class Fleet {
  readonly members: FleetMember[] = []
  readonly #options: FleetOptions
  readonly #clock = new VirtualClock(1_000_000)
  readonly #kinesis: FakeKinesis
  readonly #random
  readonly #data: Uint8Array
  #latenciesMs: number[] = []
  #nextKey = 0
  #hasAnswers = true
  #hasDropped = false
  #last: Marks

  constructor(options: FleetOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed ?? 1)
    this.#data = new Uint8Array(options.recordBytes)
    this.#kinesis = new FakeKinesis({ nowMs: () => this.#clock.nowMs(), storage: 'discard' })
    this.#kinesis.createStream({ StreamName: STREAM, ShardCount: options.shardCount })
    this.#last = this.#marks()
  }

  get nowMs(): number {
    return this.#clock.nowMs()
  }

  /** Of all members. */
  get bufferedRecords(): number {
    return this.members.reduce((sum, { producer }) => sum + producer.stats().bufferedRecords, 0)
  }

  /** A new producer begins to put `load` of the stream's capacity, at random moments. */
  join(load: number): FleetMember {
    const random = this.#random.split(`producer ${this.members.length}`)
    const clock = this.#clock
    const transport = new InMemoryTransport({ kinesis: this.#kinesis, clock, latencyMs: LATENCY_MS })
    const producer = new KinesisProducer(
      { streamName: STREAM, logger: SILENT, ...this.#options.producer },
      { transport, clock, random: random.split('producer') }
    )
    const member = { producer, load, putCount: 0, deliveredCount: 0 }
    this.members.push(member)
    this.#putNext(member, random.split('load'))
    return member
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms
    await turn()
    while ((this.#clock.nextAtMs ?? Number.POSITIVE_INFINITY) <= untilMs) {
      this.#hasAnswers = true
      this.#clock.runNext()
      // A put makes no promise.
      if (this.#hasAnswers) await turn()
    }
    this.#clock.advanceTo(untilMs)
  }

  /** Returns the counts since the last reading. */
  read(): FleetReading {
    const { shardCount } = this.#options
    const [from, to] = [this.#last, this.#marks()]
    const seconds = (to.atMs - from.atMs) / MS_PER_SECOND
    const delivered = to.delivered.map((count, i) => count - (from.delivered[i] ?? 0))
    const storedCount = to.storedCount - from.storedCount
    const throttledCount = to.throttledCount - from.throttledCount
    const latenciesMs = this.#latenciesMs
    this.#last = to
    this.#latenciesMs = []
    return {
      goodput: (to.storedBytes - from.storedBytes) / (seconds * shardCount * SHARD_BYTES_PER_SECOND),
      fairness: jain(delivered.slice(0, from.delivered.length)),
      throttledPart: throttledCount === 0 ? 0 : throttledCount / (storedCount + throttledCount),
      latenciesMs,
      delivered
    }
  }

  /** A producer stops, and drops what it holds. */
  async leave(member: FleetMember): Promise<void> {
    member.load = 0
    this.#hasDropped = true
    const closing = member.producer.close({ timeoutMs: 0 })
    await this.pass(0)
    await closing
  }

  /** Ends the load, waits for every answer, and throws unless the books of every producer and the service's agree. */
  async verify(): Promise<void> {
    for (const member of this.members) member.load = 0
    for (let i = 0; i < MAX_DRAIN_SECONDS && this.bufferedRecords > 0; i++) await this.pass(MS_PER_SECOND)
    if (this.bufferedRecords > 0) throw new Error(`${this.bufferedRecords} records are still buffered`)
    let acknowledgedCount = 0
    for (const { producer, putCount, deliveredCount } of this.members) {
      const { delivered, failed, streams } = producer.stats()
      if (delivered + failed !== putCount) throw new Error(`${putCount} put, not all accounted for`)
      if (delivered !== deliveredCount) throw new Error(`${delivered} delivered, ${deliveredCount} called back`)
      acknowledgedCount += streams[STREAM]?.kinesisRecordsPut ?? 0
    }
    const { storedCount } = this.#marks()
    // The bench gets no result of a request that was under way when its producer left.
    const isRight = this.#hasDropped ? storedCount >= acknowledgedCount : storedCount === acknowledgedCount
    if (!isRight) throw new Error(`${storedCount} stored, ${acknowledgedCount} acknowledged`)
  }

  /** Ends every producer, whatever it still holds. */
  async close(): Promise<void> {
    for (const member of this.members) await this.leave(member)
  }

  #putNext(member: FleetMember, random: () => number): void {
    const perMs =
      (member.load * this.#options.shardCount * SHARD_BYTES_PER_SECOND) / this.#options.recordBytes / MS_PER_SECOND
    if (perMs === 0) return
    const gapMs = -Math.log(1 - random()) / perMs
    this.#clock.schedule(this.nowMs + gapMs, () => {
      this.#put(member)
      this.#putNext(member, random)
      this.#hasAnswers = false
    })
  }

  #put(member: FleetMember): void {
    if (member.load === 0) return
    const putMs = this.nowMs
    const record = { partitionKey: `${this.#nextKey++}`, data: this.#data }
    const isTaken = member.producer.tryPut(record, error => {
      if (error !== undefined) return
      member.deliveredCount++
      this.#latenciesMs.push(this.nowMs - putMs)
    })
    if (isTaken) member.putCount++
  }

  #marks(): Marks {
    const { shards } = this.#kinesis.stats()[STREAM]!
    const sum = (count: (shard: (typeof shards)[number]) => number) =>
      shards.reduce((all, shard) => all + count(shard), 0)
    return {
      atMs: this.nowMs,
      storedBytes: sum(({ storedBytes }) => storedBytes),
      storedCount: sum(({ recordCount }) => recordCount),
      throttledCount: sum(({ throttledCount }) => throttledCount),
      delivered: this.members.map(({ deliveredCount }) => deliveredCount)
    }
  }
}

function jain(shares: readonly number[]): number {
  const sum = shares.reduce((all, share) => all + share, 0)
  const squares = shares.reduce((all, share) => all + share * share, 0)
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares)
}

/** Lets every promise that can run, run. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

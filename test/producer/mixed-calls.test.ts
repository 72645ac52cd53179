/**
 * One producer, every call of it in turn, under faults, splits, aborts and closes at random: each record is told of once.
 * The simulation drives the core with callbacks; here the calls around it share lanes and Kinesis records.
 */
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { UserRecord } from '../../src/index.ts'
import type { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { type FaultAction, seededRandom } from '../../src/testing/index.ts'
import { Harness, type HarnessOptions, STREAM } from '../support/harness.ts'

const SEEDS = Number(process.env['SEEDS'] ?? 150)
const STEPS = 60

type Whole = (below: number) => number

test('a producer that is called in every way tells of each record once, in its order and with its own context', async () => {
  const faults: string[] = []

  for (let seed = 1; seed <= SEEDS && faults.length === 0; seed++) {
    for (const fault of await new Mixture(seed).run()) faults.push(`seed ${seed}: ${fault}`)
  }

  expect(faults).toEqual([])
})

class Mixture {
  readonly #random: () => number
  readonly #harness: Harness
  readonly #options: HarnessOptions & { readonly shardCount: number }
  readonly #faults: string[] = []
  /** How often each record was told of, by its number. */
  readonly #told: number[] = []
  readonly #waiting: Promise<unknown>[] = []

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#options = optionsOf(seed, this.#below, this.#random)
    this.#harness = new Harness(this.#options)
    for (let i = 0; i < 3; i++) this.#addFault()
  }

  async run(): Promise<readonly string[]> {
    const harness = this.#harness
    const calls = [
      this.#tryPut,
      this.#tryPut,
      this.#tryPutThrowing,
      this.#put,
      this.#putMany,
      this.#putAll,
      this.#writable,
      () => harness.pass(this.#below(120)),
      this.#splitOrFlush
    ]
    for (let step = 0; step < STEPS; step++) await calls[this.#below(calls.length)]!(harness.producer)
    await harness.settle(this.#end())
    await harness.settle(Promise.all(this.#waiting))
    for (const [number, count] of this.#told.entries())
      if (count !== 1) this.#faults.push(`record ${number} is told ${count} times`)
    const { bufferedRecords, bufferedBytes, inFlightRequests } = harness.producer.stats()
    if (bufferedRecords + bufferedBytes + inFlightRequests > 0) this.#faults.push('something is left in the buffer')
    return this.#faults
  }

  readonly #below: Whole = below => Math.floor(this.#random() * below)

  /** Numbers of records that are put now. */
  #take(count: number): number[] {
    return Array.from({ length: count }, () => this.#told.push(0) - 1)
  }

  #recordOf(number: number): UserRecord {
    return { partitionKey: `key-${this.#below(8)}`, data: `${number}${'x'.repeat(this.#below(40))}` }
  }

  readonly #tell = (number: number): void => {
    this.#told[number]!++
  }

  readonly #tryPut = (producer: KinesisProducer): void => {
    const [number] = this.#take(1) as [number]
    const told = (_error: unknown, _result: unknown, context: { readonly number: number }) => this.#tell(context.number)
    // A record that is not taken is told of at once: by the return value.
    if (!producer.tryPut(this.#recordOf(number), told, { number })) this.#tell(number)
  }

  readonly #tryPutThrowing = (producer: KinesisProducer): void => {
    const [number] = this.#take(1) as [number]
    const told = () => {
      this.#tell(number)
      if (this.#random() < 0.1) throw new Error('of the callback')
    }
    if (!producer.tryPut(this.#recordOf(number), told)) this.#tell(number)
  }

  readonly #put = (producer: KinesisProducer): void => {
    const [number] = this.#take(1) as [number]
    const aborter = new AbortController()
    const put = producer.put(this.#recordOf(number), this.#random() < 0.4 ? { signal: aborter.signal } : undefined)
    const told = () => this.#tell(number)
    this.#waiting.push(put.then(told, told))
    const { clock } = this.#harness
    if (this.#random() < 0.3) clock.schedule(clock.nowMs() + this.#below(50), () => aborter.abort())
  }

  readonly #putMany = (producer: KinesisProducer): void => {
    const numbers = this.#take(1 + this.#below(30))
    const tellAll = ({ results }: Awaited<ReturnType<typeof producer.putMany>>) => {
      if (results.length !== numbers.length) this.#faults.push(`${results.length} results of ${numbers.length}`)
      for (const number of numbers) this.#tell(number)
    }
    this.#waiting.push(producer.putMany(numbers.map(number => this.#recordOf(number))).then(tellAll))
  }

  readonly #putAll = (producer: KinesisProducer): void => {
    const numbers = this.#take(1 + this.#below(20))
    const records = numbers.map(number => this.#recordOf(number))
    const reading = async () => {
      let next = 0
      for await (const { record } of producer.putAll(records)) {
        if (record !== records[next]) this.#faults.push('putAll gives outcomes in another order')
        this.#tell(numbers[next++]!)
      }
    }
    this.#waiting.push(reading())
  }

  /** A stream tells of failed records only; its end tells of the others. */
  readonly #writable = (producer: KinesisProducer): void => {
    const numbers = this.#take(1 + this.#below(20))
    const numberOf = new Map(numbers.map(number => [this.#recordOf(number), number]))
    const failed = new Set<number>()
    const onFailure = (_error: unknown, record: UserRecord) => {
      const number = numberOf.get(record)
      if (number === undefined) this.#faults.push('onFailure gets a record that was not written')
      else failed.add(number).size
    }
    const ended = new Promise<void>(resolve => {
      const stream = producer.writable({ onFailure })
      stream.on('error', () => {})
      stream.on('close', resolve)
      Readable.from(numberOf.keys()).pipe(stream)
    })
    this.#waiting.push(ended.then(() => numbers.forEach(this.#tell)))
  }

  readonly #splitOrFlush = (producer: KinesisProducer): void => {
    const { shardCount } = this.#options
    if (this.#random() < 0.5) {
      void producer.flush()
      return
    }
    const shard = this.#below(shardCount)
    const NewStartingHashKey = `${(2n ** 128n / BigInt(shardCount)) * BigInt(shard) + 12_345n}`
    try {
      this.#harness.kinesis.splitShard({ StreamName: STREAM, ShardToSplit: shardIdOf(shard), NewStartingHashKey })
    } catch {
      // The shard is split already.
    }
  }

  #addFault(): void {
    const match = { operation: 'PutRecords' }
    const times = 1 + this.#below(4)
    const shardIds = [shardIdOf(this.#below(this.#options.shardCount))]
    const errorCode = 'InternalFailure'
    const actions: readonly FaultAction[] = [
      { kind: 'throttle', shardIds },
      { kind: 'failRequest', errorCode },
      { kind: 'failRecords', errorCode },
      { kind: 'failRecords', errorCode: 'ValidationException', records: { everyNth: 3 } },
      { kind: 'reset', isApplied: true },
      { kind: 'recordCount', difference: -1 }
    ]
    const action = actions[this.#below(actions.length + 1)]
    if (action !== undefined) this.#harness.faults.add({ match, action, times })
  }

  async #end(): Promise<void> {
    const { producer } = this.#harness
    if (this.#random() < 0.3) await producer.close({ timeoutMs: this.#below(500) })
    else await producer.flush().then(() => producer.close())
  }
}

function optionsOf(seed: number, below: Whole, random: () => number) {
  const aggregationEnabled = random() < 0.85
  return {
    seed,
    shardCount: 1 + below(6),
    latencyMs: 1 + below(40),
    ordering: random() < 0.3 ? 'key' : 'none',
    aggregationEnabled,
    dedupeTags: aggregationEnabled && random() < 0.3,
    recordMaxBufferedTimeMs: [0, 10, 100, 1000][below(4)]!,
    recordTtlMs: random() < 0.4 ? 1500 : 120_000,
    bufferMaxRecords: random() < 0.3 ? 50 : 100_000,
    maxInFlightRequests: 1 + below(4)
  } as const
}

function shardIdOf(index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`
}

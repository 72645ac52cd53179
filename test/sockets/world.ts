/**
 * A fake Kinesis, a chaos proxy before it, and a producer that talks through it; and the whole outcome of a run.
 * Invariant: records are told apart by their data; what was stored is read from the fake, not from the producer.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { LookupFunction } from 'node:net'
import { deaggregateAll } from '../../src/consumer/deaggregate.ts'
import type { RecordFailedError } from '../../src/model/errors.ts'
import type { ProducerOptions } from '../../src/model/options.ts'
import type { Attempt, PutResult } from '../../src/model/results.ts'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { FakeKinesis, type FakeKinesisServer, startFakeKinesisServer } from '../../src/testing/index.ts'
import { SILENT } from '../support/silent.ts'
import { ChaosProxy, type ChaosProxyOptions, type Toxic } from './chaos-proxy.ts'
import { SteppedClock } from './stepped-clock.ts'
import { Stillness } from './stillness.ts'

export const STREAM = 'orders'
/** What is said of an attempt that stored the record. */
const STORED = 'stored'
const WARM_DATA = 'warm'
const CLOSE_GRACE_MS = 250
/** Only a leak waits this long. */
const LEAK_PATIENCE_MS = 10_000
/** Codes of attempts that certainly stored nothing. */
const DEFINITE = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CERT_HAS_EXPIRED|\w+_CERT|ERR_TLS_\w+|Http4\d\d)$/

export interface WorldOptions extends ProducerOptions {
  /** Clients speak TLS to the proxy, with this certificate. */
  readonly tls?: ChaosProxyOptions['tls']
  /** Whom the producer trusts beside the usual authorities; makes the world give it an agent. */
  readonly ca?: Buffer
  /** Resolves host names for the producer; makes the world give it an agent. */
  readonly lookup?: LookupFunction
  /** The host in the producer's endpoint; default 127.0.0.1. */
  readonly host?: string
  readonly shardCount?: number
  /**
   * Time for the producer and the proxy goes on only when their sockets are still, so that no load of the machine decides who
   * is first. Not for toxics that never rest, nor for a name service that hangs.
   */
  readonly isStepped?: boolean
}

/** All that is to be said about a run. */
export interface Outcome {
  readonly acknowledged: number
  /** Code and `persisted` of failed records, each pair once. */
  readonly failures: readonly string[]
  /** Codes of all attempts of a record, equal neighbours once; each history once. */
  readonly histories: readonly string[]
  /** In how many copies a record is stored; each number once, ascending. */
  readonly copies: readonly number[]
  /** PutRecords requests whose head reached the proxy, since it was told what to spoil. */
  readonly requests: number
  /** Each a promise that was broken. */
  readonly violations: readonly string[]
  readonly buffered: { readonly records: number; readonly bytes: number; readonly inFlight: number }
  readonly closed: 'in time' | 'late' | 'not yet'
  /** Connections that were open a while after `close`. */
  readonly connections: number
}

interface Put {
  readonly data: string
  settled: { readonly error?: RecordFailedError | undefined; readonly result?: PutResult | undefined } | undefined
}

export class World {
  readonly kinesis: FakeKinesis
  readonly proxy: ChaosProxy
  readonly producer: KinesisProducer
  readonly #server: FakeKinesisServer
  readonly #agent: HttpAgent | undefined
  readonly #stepped: SteppedClock | undefined
  readonly #stillness: Stillness
  readonly #puts: Put[] = []
  #closed: Outcome['closed'] = 'not yet'
  #requestCount = 0

  private constructor(server: FakeKinesisServer, proxy: ChaosProxy, options: WorldOptions, stepped?: SteppedClock) {
    const { tls, ca, lookup, host = '127.0.0.1', shardCount: _, isStepped: __, ...producerOptions } = options
    this.kinesis = server.kinesis
    this.proxy = proxy
    this.#server = server
    this.#stepped = stepped
    this.#stillness = new Stillness(proxy)
    const hasAgent = ca !== undefined || lookup !== undefined
    const agentOptions = { keepAlive: true, ...(ca && { ca }), ...(lookup && { lookup }) }
    this.#agent = hasAgent ? new (tls === undefined ? HttpAgent : HttpsAgent)(agentOptions) : undefined
    const settings = {
      streamName: STREAM,
      region: 'us-east-1',
      endpoint: `${tls === undefined ? 'http' : 'https'}://${host}:${proxy.port}`,
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      connectTimeoutMs: 300,
      requestTimeoutMs: 1_000,
      retryBaseMs: 2,
      retryCapMs: 10,
      recordMaxBufferedTimeMs: 20,
      logger: SILENT,
      ...(this.#agent && { requestHandler: { httpAgent: this.#agent, httpsAgent: this.#agent } }),
      ...producerOptions
    }
    this.producer = new KinesisProducer(settings, stepped === undefined ? {} : { clock: stepped })
  }

  /** Starts it all; the stream has one shard unless told otherwise. */
  static async open(options: WorldOptions = {}): Promise<World> {
    const kinesis = new FakeKinesis({ nowMs: () => performance.now(), throughputLimits: false })
    kinesis.createStream({ StreamName: STREAM, ShardCount: options.shardCount ?? 1, MaxRecordSizeInKiB: 10_240 })
    const server = await startFakeKinesisServer({ kinesis })
    const stepped = options.isStepped === true ? new SteppedClock() : undefined
    const proxy = new ChaosProxy({ targetPort: server.port, tls: options.tls, clock: stepped })
    await proxy.start()
    return new World(server, proxy, options, stepped)
  }

  /** Brings the shard map and a connection about. */
  async warm(): Promise<void> {
    this.producer.tryPut({ partitionKey: WARM_DATA, data: WARM_DATA })
    // The SDK reads its settings from files first, which takes a time that no clock of ours knows.
    if (this.#stepped !== undefined) await this.#pass(() => this.proxy.requests.length >= 2, this.#stepped.nowMs())
    await this.flush()
  }

  flush(): Promise<void> {
    return this.#settle(this.producer.flush())
  }

  /** Lets time pass until this is so. */
  until(isSo: () => boolean): Promise<void> {
    return this.#pass(isSo, Number.POSITIVE_INFINITY)
  }

  /** The process stands still for a while. */
  standStill(durationMs: number): void {
    if (this.#stepped === undefined) throw new Error('only stepped time can be stood still')
    this.#stepped.jumpBy(durationMs)
  }

  /** From here on the n-th PutRecords meets the n-th toxic; those beyond meet `forever`. */
  spoil(toxics: readonly (Toxic | undefined)[], forever?: Toxic): void {
    this.#requestCount = 0
    this.proxy.toxicFor = operation =>
      operation === 'PutRecords' ? (toxics[this.#requestCount++] ?? forever) : undefined
  }

  /** Puts records of different keys and data, each of `sizeBytes`. */
  put(count: number, sizeBytes = 20): void {
    for (let i = 0; i < count; i++) {
      const number = this.#puts.length
      const put: Put = { data: `${number}:`.padEnd(sizeBytes, `${number}`), settled: undefined }
      this.#puts.push(put)
      const isTaken = this.producer.tryPut({ partitionKey: `key-${number}`, data: put.data }, (error, result) => {
        if (put.settled !== undefined) throw new Error('settled twice')
        put.settled = { error, result }
      })
      if (!isTaken) throw new Error('the buffer is full')
    }
  }

  /** All attempts of all records that have settled, by record. */
  get attempts(): (readonly Attempt[])[] {
    return this.#puts.map(({ settled }) => (settled?.result ?? settled?.error)?.attempts ?? [])
  }

  /** User records in the stream, copies included. */
  get storedCount(): number {
    return [...this.#storedPlaces().values()].flat().length
  }

  /** How often requests failed with this code. */
  errorCount(errorCode: string): number {
    return this.producer.stats().streams[STREAM]?.errorsByCode[errorCode] ?? 0
  }

  /** Closes the producer and notes whether it was in time. A stall of this process delays both sides of the race. */
  async close(timeoutMs = 2_000): Promise<void> {
    if (this.#stepped !== undefined) {
      const deadlineMs = this.#stepped.nowMs() + timeoutMs
      await this.#settle(this.producer.close({ timeoutMs }))
      this.#closed = this.#stepped.nowMs() <= deadlineMs ? 'in time' : 'late'
      return
    }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), timeoutMs + CLOSE_GRACE_MS)
    })
    const closing = this.producer.close({ timeoutMs })
    this.#closed = await Promise.race([closing.then(() => 'in time' as const), late])
    clearTimeout(timer)
    await closing
  }

  /** Closes the producer if it is not yet, and tells what became of everything. */
  async outcome(): Promise<Outcome> {
    if (this.#closed === 'not yet') await this.close()
    this.#agent?.destroy()
    const connections = await this.#leftConnections()
    const { bufferedRecords, bufferedBytes, inFlightRequests } = this.producer.stats()
    return {
      ...this.#fates(),
      requests: this.#requestCount,
      buffered: { records: bufferedRecords, bytes: bufferedBytes, inFlight: inFlightRequests },
      closed: this.#closed,
      connections
    }
  }

  /** Frees everything, whatever state it is in. */
  async dispose(): Promise<void> {
    await this.#settle(this.producer.close({ timeoutMs: 0 }))
    this.#stillness.stop()
    this.#agent?.destroy()
    await Promise.all([this.proxy.close(), this.#server.close()])
  }

  /** Waits for a promise; stepped time passes meanwhile. */
  async #settle<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = this.#stepped === undefined
    const watch = (): void => void (isSettled = true)
    promise.then(watch, watch)
    await this.#pass(() => isSettled, Number.POSITIVE_INFINITY)
    return promise
  }

  /** Turns the event loop until `isOver`. Stepped time goes to its next wake-up, up to `untilMs`, when all is still. */
  async #pass(isOver: () => boolean, untilMs: number): Promise<void> {
    while (!isOver()) {
      await new Promise(resolve => setImmediate(resolve))
      const isDue = this.#stepped !== undefined && this.#stepped.nextAtMs <= untilMs
      const { inFlightRequests } = this.producer.stats()
      if (isDue && !isOver() && this.#stillness.isStill(inFlightRequests)) this.#stepped?.runNext()
    }
  }

  async #leftConnections(): Promise<number> {
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>(resolve => {
      timer = setTimeout(resolve, LEAK_PATIENCE_MS)
    })
    await Promise.race([this.proxy.quiet(), patience])
    clearTimeout(timer)
    return this.proxy.openCount
  }

  #fates(): Pick<Outcome, 'acknowledged' | 'failures' | 'histories' | 'copies' | 'violations'> {
    const places = this.#storedPlaces()
    const failures = this.#puts.flatMap(({ settled }) =>
      settled?.error === undefined ? [] : [`${settled.error.code} ${settled.error.persisted}`]
    )
    const copies = this.#puts.map(({ data }) => places.get(data)?.length ?? 0)
    return {
      acknowledged: this.#puts.filter(put => put.settled?.result !== undefined).length,
      failures: unique(failures),
      histories: unique(this.attempts.map(historyOf)),
      copies: unique(copies).sort((left, right) => left - right),
      violations: unique(this.#puts.flatMap(put => violationsOf(put, places.get(put.data) ?? [])))
    }
  }

  /** Where each user record lies, by its data. */
  #storedPlaces(): Map<string, string[]> {
    const places = new Map<string, string[]>()
    for (const { shardId, sequenceNumber, partitionKey, data } of this.kinesis.storedRecords(STREAM)) {
      const record = { Data: data, PartitionKey: partitionKey ?? '', SequenceNumber: sequenceNumber }
      for (const user of deaggregateAll([record])) {
        const text = new TextDecoder().decode(user.data)
        const place = placeOf({ shardId, sequenceNumber, subSequenceNumber: user.subSequenceNumber })
        places.set(text, [...(places.get(text) ?? []), place])
      }
    }
    return places
  }
}

function violationsOf({ settled }: Put, places: readonly string[]): string[] {
  if (settled === undefined) return ['never settled']
  const { result, error } = settled
  const violations: string[] = []
  if (result !== undefined && !places.includes(placeOf(result))) violations.push('acknowledged, but not stored there')
  if (error?.persisted === 'no' && places.length > 0) violations.push("failed with persisted 'no', but stored")
  const attempts = (result ?? error)?.attempts ?? []
  const storing = attempts.filter(({ errorCode }) => errorCode === undefined || !DEFINITE.test(errorCode))
  if (places.length > storing.length) violations.push('more copies than attempts explain')
  return violations
}

function placeOf(place: { shardId: string; sequenceNumber: string; subSequenceNumber?: number | undefined }): string {
  return `${place.shardId} ${place.sequenceNumber} ${place.subSequenceNumber ?? 0}`
}

function historyOf(attempts: readonly Attempt[]): string {
  const codes = attempts.map(({ errorCode }) => errorCode ?? STORED)
  return codes.filter((code, i) => code !== codes[i - 1]).join(', ')
}

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)]
}

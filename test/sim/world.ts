/**
 * One run's world: clock, service, network and the producer's core, driven as `KinesisProducer` drives it, but without
 * a promise.
 * Invariant: every event is followed by callbacks and by a timer armed no later than the core's next deadline; whatever
 * the core throws is a violation (I20).
 */

import { Core } from '../../src/core/core.ts'
import type { Stream } from '../../src/core/stream.ts'
import { type StreamOptions, streamOptions } from '../../src/core/stream-options.ts'
import { ProducerError, type RecordFailedError, TransportError } from '../../src/model/errors.ts'
import type { Destination, Settler } from '../../src/model/kinesis-record.ts'
import type { Timer } from '../../src/model/ports.ts'
import type { UserRecord } from '../../src/model/records.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'
import type { CloseResult, PutResult } from '../../src/model/results.ts'
import { FakeKinesis, type SeededRandom, seededRandom, VirtualClock } from '../../src/testing/index.ts'
import { Faults } from './faults.ts'
import { JoinedCallers } from './joined-callers.ts'
import { Ledger, type Put } from './ledger.ts'
import { Network, type NetworkPorts } from './network.ts'
import { hashKeyOf, type SimRecord } from './records.ts'
import { ShardBook } from './shard-book.ts'
import type { SwarmConfig } from './swarm.ts'
import { Trace } from './trace.ts'
import { Watchers } from './watchers.ts'

export interface PutExtras {
  readonly isProbe?: boolean
  readonly isAbortable?: boolean
  /** Called from the record's callback, inside the core's settlement run. */
  readonly onSettled?: (put: Put) => void
}

interface PendingFlush {
  readonly mark: number
  isDone: boolean
}

const START_MS = 1_000_000
const MAX_STALL_MS = 300
/** Puts whose callers share an answer. */
const JOINED_PART = 1 / 2
const RECORD_OVERHEAD_BYTES = 256
const SCRATCH = Buffer.alloc(1_100_000)

export class World {
  readonly clock = new VirtualClock(START_MS)
  readonly config: SwarmConfig
  readonly options: StreamOptions
  readonly random: SeededRandom
  readonly kinesis: FakeKinesis
  readonly book: ShardBook
  readonly faults: Faults
  readonly network: Network
  readonly ledger = new Ledger()
  readonly trace: Trace
  readonly watchers: Watchers
  readonly core: Core
  /** When `close` began and ended. */
  closingMs: number | undefined
  closedMs: number | undefined
  thrownCount = 0
  expectedThrows = 0
  refusalCount = 0
  /** Callers that wait for room and got no answer yet. */
  roomWaits = 0
  #flushes: PendingFlush[] = []
  #timer: Timer | undefined
  readonly #joins: () => number
  readonly #joined = new JoinedCallers(() => {
    this.thrownCount++
  })

  constructor(seed: string, config: SwarmConfig, isVerbose: boolean) {
    const nowMs = () => this.clock.nowMs()
    this.config = config
    this.random = seededRandom(seed)
    this.#joins = this.random.split('joins')
    this.trace = new Trace(nowMs, isVerbose)
    this.options = { ...streamOptions(resolveOptions(config.options)), bufferMaxBytes: config.bufferMaxBytes }
    this.faults = new Faults(config, this.random.split('faults'), START_MS)
    const { throughputLimits, latencyMs, requestTimeoutMs, shuffles, creatingMs } = config
    this.kinesis = new FakeKinesis({ nowMs, random: this.random.split('service'), throughputLimits, creatingMs })
    this.book = new ShardBook(this.kinesis)
    this.createStreams()
    const { options, ledger, trace, book, clock, faults, kinesis } = this
    this.watchers = new Watchers({ options, ledger, trace, book, hasRecreates: config.recreates.length > 0, nowMs })
    const jitter = this.random.split('jitter')
    const repeats = this.random.split('repeats')
    const mutes = config.isIsolation ? undefined : this.random.split('mutes')
    this.network = new Network(
      { clock, kinesis, book, faults, jitter, repeats, mutes, latencyMs, requestTimeoutMs, shuffles },
      this.#networkPorts()
    )
    this.core = new Core(options, {
      random: this.random.split('core'),
      readsUntilAnswered: true,
      send: coreFlight => {
        const { batch } = coreFlight
        const flight = this.network.send(coreFlight)
        trace.event('s', batch.entries.length * 4096 + (batch.entries[0]?.members.numbers[0] ?? 0))
        trace.say(() => `send #${this.network.requestCount} ${describeBatch(flight.batch.entries)}`)
        this.watchers.sent(flight, this.core.inFlightRequests)
      },
      fetchShards: stream => {
        trace.event('f', 0)
        trace.say(() => `fetch shards of ${stream.streamName}`)
        this.watchers.listingStarted(stream.streamName)
        this.network.fetchShards(stream)
      },
      fetchSummary: stream => this.network.fetchSummary(stream),
      wakeAt: atMs => this.#wakeAt(atMs),
      warn: (code, message) => {
        trace.say(() => `warning ${code} ${message}`)
        if (code !== 'KPL_WARN_INTERNAL') return
        for (const { streamName } of config.streams) {
          if (message.includes(`stream ${streamName}:`)) this.watchers.startedAnew(streamName)
        }
      },
      callbackThrew: () => {
        this.thrownCount++
      }
    })
  }

  createStreams(): void {
    const mode = this.config.autoFlips.length > 0 ? 'ON_DEMAND' : 'PROVISIONED'
    for (const { streamName, shardCount } of this.config.streams) {
      this.kinesis.createStream({
        StreamName: streamName,
        ShardCount: shardCount,
        StreamModeDetails: { StreamMode: mode }
      })
    }
  }

  /** Runs something that happens at this moment, and looks at what came of it. */
  event(happen: () => void): void {
    try {
      happen()
    } catch (error) {
      this.trace.violated('I20', `the core threw ${error instanceof Error ? (error.stack ?? error.message) : error}`)
    }
    this.watchers.afterEvent(this.core)
    this.#checkFlushes()
  }

  at(atMs: number, happen: () => void): void {
    this.clock.schedule(atMs, () => this.event(happen))
  }

  /** Returns whether the record was taken. Its bytes are overwritten at once: the producer must have copied them. */
  put(record: SimRecord, { isProbe = false, isAbortable = false, onSettled }: PutExtras = {}): Put | undefined {
    const { partitionKey, explicitHashKey, streamName, data } = record
    if (this.closingMs !== undefined) {
      this.#putAfterClose(record)
      return undefined
    }
    const put: Put = {
      id: this.ledger.puts.length,
      streamName,
      partitionKey,
      explicitHashKey,
      data,
      hashKey: hashKeyOf(partitionKey, explicitHashKey),
      budgetBytes: data.length + Buffer.byteLength(partitionKey) + RECORD_OVERHEAD_BYTES,
      acceptedMs: this.clock.nowMs(),
      isPoison: this.faults.happens('poison'),
      isProbe,
      ticket: undefined,
      settledMs: undefined,
      settledCount: 0,
      error: undefined,
      result: undefined,
      sentCount: 0,
      inFlightCount: 0,
      told: [],
      wasGivenUp: false,
      wasRefused: false,
      wasBlind: false,
      wasAborted: false,
      wasThrown: false
    }
    // Every other one, so that a record with a context stands beside one without.
    const context = put.id % 2 === 0 ? put : undefined
    const settle = (error: RecordFailedError | undefined, result: PutResult | undefined, given?: unknown): void => {
      this.ledger.settled(put, error, result, this.clock.nowMs())
      put.wasRefused = this.refusalCount > 0
      this.trace.event(error === undefined ? 'd' : 'x', put.id)
      this.trace.say(() => `settle ${put.id} ${error === undefined ? 'ok' : `${error.code} ${error.persisted}`}`)
      if (error?.code === 'KPL_ERR_INTERNAL') this.#checkCause(put, error.cause)
      const isTooEarly = this.clock.nowMs() < (this.closingMs ?? 0) + this.config.closeTimeoutMs
      if (error?.code === 'KPL_ERR_CLOSE_TIMEOUT' && isTooEarly) {
        this.trace.violated('I15', `record ${put.id} is given up before close's time is over`)
      }
      if (settler === settle && put.ticket === undefined && given !== context) {
        this.trace.violated('I1', `record ${put.id} settles with the context of another`)
      }
      if (put.settledCount > 1) this.trace.violated('I1', `record ${put.id} settles ${put.settledCount} times`)
      onSettled?.(put)
      if (!this.faults.happens('callbackThrows')) return
      this.expectedThrows++
      throw new Error('a callback of the simulation')
    }
    if (isAbortable && this.#joins() >= JOINED_PART)
      put.ticket = { settle, streamName: '', members: undefined, index: 0 }
    const length = data.length
    SCRATCH.set(data)
    const given = record.isText ? Buffer.from(data).toString('utf8') : SCRATCH.subarray(0, length)
    // A put may be sent before it returns, so the books know it before.
    this.ledger.accepted(put)
    this.trace.event('p', put.id)
    this.trace.say(() => `put ${put.id} ${put.streamName} '${put.partitionKey.slice(0, 12)}' ${length} bytes`)
    const settler = this.#joins() < JOINED_PART ? this.#joined.of(settle) : settle
    const isTaken = this.#tryPut({ ...record, data: given }, put.ticket ?? settler, put, context)
    SCRATCH.fill(0xee, 0, length)
    if (!isTaken) {
      this.ledger.refused(put)
      return undefined
    }
    return put
  }

  /** A put that must be refused without a trace. */
  putInvalid(record: { partitionKey: string; data: Uint8Array | string; explicitHashKey?: string }): void {
    try {
      const isTaken = this.core.tryPut(
        record,
        () => this.trace.violated('I6', 'an invalid record settles'),
        this.clock.nowMs()
      )
      if (isTaken) this.trace.violated('I6', 'an invalid record was taken')
    } catch (error) {
      if (!(error instanceof ProducerError)) throw error
      this.ledger.invalidCount++
    }
  }

  abort(put: Put): void {
    if (put.ticket === undefined || put.settledMs !== undefined) return
    put.wasAborted = true
    this.trace.event('a', put.id)
    this.trace.say(() => `abort ${put.id}`)
    this.core.abort([put.ticket], this.clock.nowMs())
    // Its fate may be decided, and its callback on its way.
    const isLost = put.settledMs === undefined && put.ticket.members?.isDecided !== true
    if (isLost) this.trace.violated('I1', `record ${put.id} does not settle when aborted`)
  }

  flush(): void {
    const flush: PendingFlush = { mark: this.ledger.puts.length, isDone: false }
    this.#flushes.push(flush)
    this.trace.event('F', flush.mark)
    this.core.flush(this.clock.nowMs(), () => this.#flushed(flush))
  }

  close(timeoutMs: number): void {
    if (this.closingMs !== undefined) return
    this.closingMs = this.clock.nowMs()
    this.trace.event('c', timeoutMs)
    this.trace.say(() => `close within ${timeoutMs} ms`)
    const books = { delivered: this.core.delivered, failed: this.core.failed }
    this.core.close(this.closingMs, timeoutMs, result => this.#closed(result, books))
  }

  /** Requests under way go on; their answers must not be heard from now on. */
  #closed(result: CloseResult, books: CloseResult): void {
    const { delivered, failed } = this.core
    const isRight = result.delivered === delivered - books.delivered && result.failed === failed - books.failed
    if (!isRight) this.trace.violated('I15', `close counts ${result.delivered} delivered, ${result.failed} failed`)
    if (this.closedMs !== undefined) this.trace.violated('I15', 'close ends twice')
    for (const flight of this.network.flights) this.watchers.gaveUp(flight)
    this.closedMs = this.clock.nowMs()
    this.watchers.isClosed = true
  }

  #tryPut(record: UserRecord, settle: Settler, put: Put, context: Put | undefined): boolean {
    let isTaken = false
    try {
      isTaken = this.core.tryPut(record, settle, this.clock.nowMs(), context)
    } catch (error) {
      if (!this.#isOfOurs(error)) throw error
      put.wasThrown = true
    }
    if (!isTaken) this.ledger.fullCount++
    if (!isTaken && !put.wasThrown) this.#waitForRoom()
    return isTaken
  }

  #putAfterClose(record: SimRecord): void {
    try {
      this.core.tryPut(record, () => this.trace.violated('I15', 'a put after close settles'), this.clock.nowMs())
      this.trace.violated('I15', 'a put after close is taken or finds no room')
    } catch (error) {
      const isClosed = error instanceof ProducerError && error.code === 'KPL_ERR_CLOSED'
      if (!isClosed) throw error
    }
  }

  #waitForRoom(): void {
    this.roomWaits++
    this.core.whenRoom(this.clock.nowMs(), refusal => {
      this.roomWaits--
      if (refusal !== undefined && this.closingMs === undefined) this.trace.violated('I22', 'room is refused')
      if (refusal === undefined && !this.core.hasRoom) this.trace.violated('I22', 'room is told, and there is none')
    })
  }

  #checkCause({ id, wasThrown }: Put, cause: unknown): void {
    const isOurs = cause instanceof Error && cause.message.startsWith('the simulation throws')
    if (!isOurs) this.trace.violated('I21', `record ${id} fails without what threw`)
    if (wasThrown) this.trace.violated('I21', `record ${id} settles, and its put threw`)
  }

  /** Whether it is the error of a core that the simulation made throw. */
  #isOfOurs(error: unknown): boolean {
    const isThrowing = this.config.coreThrows < Number.POSITIVE_INFINITY
    return isThrowing && error instanceof ProducerError && error.code === 'KPL_ERR_INTERNAL'
  }

  /** One timer, late now and then, as `KinesisProducer` has it. */
  #wakeAt(atMs: number): void {
    this.#timer?.cancel()
    if (atMs === Number.POSITIVE_INFINITY) return
    const lateMs = this.faults.happens('stall') ? this.faults.draw('delay') * MAX_STALL_MS : 0
    this.#timer = this.clock.schedule(Math.max(atMs, this.clock.nowMs()) + lateMs, () =>
      this.event(() => {
        if (this.closedMs !== undefined) this.trace.violated('I15', 'a wake-up after close')
        this.#giveUp()
        this.core.wake(this.clock.nowMs())
      })
    )
  }

  /** The core stops waiting for requests that the network has forgotten: they may be stored, and are not out any more. */
  #giveUp(): void {
    const endMs = this.clock.nowMs()
    for (const flight of this.network.takeGivenUp(endMs)) {
      const error = new TransportError({ errorCode: 'Unanswered', message: 'forgotten', persisted: 'maybe' })
      this.watchers.landed(flight, { kind: 'failed', startMs: flight.startMs, endMs, error })
    }
  }

  #flushed(flush: PendingFlush): void {
    if (flush.isDone) this.trace.violated('I18', 'a flush resolves twice')
    flush.isDone = true
    if (!this.ledger.isSettledBelow(flush.mark))
      this.trace.violated('I18', 'a flush resolves before its records settle')
  }

  /** A flush whose records have all settled has resolved. */
  #checkFlushes(): void {
    if (this.#flushes.length === 0) return
    for (const flush of this.#flushes) {
      const isLate = !flush.isDone && this.ledger.isSettledBelow(flush.mark)
      if (isLate) this.trace.violated('I18', `a flush up to ${flush.mark} does not resolve`)
    }
    this.#flushes = this.#flushes.filter(flush => !flush.isDone && !this.ledger.isSettledBelow(flush.mark))
  }

  /** Whether the producer always knows that a stream is being created: then it waits for it, and nothing fails for it. */
  get #isStatusTold(): boolean {
    return this.config.rates.describeFail === 0 && this.config.spells.length === 0
  }

  #networkPorts(): NetworkPorts {
    return {
      landed: (flight, outcome, isAgain) =>
        this.event(() => {
          if (isAgain || this.closedMs !== undefined) {
            this.core.landed(flight.coreFlight, outcome)
            return
          }
          this.trace.event('l', flight.batch.entries.length)
          this.trace.say(
            () => `land ${outcome.kind === 'failed' ? outcome.error.errorCode : JSON.stringify(outcome.records)}`
          )
          const error = outcome.kind === 'failed' ? outcome.error : undefined
          const isRefusal = error?.persisted === 'no' && error.errorCode !== 'ValidationException'
          if (isRefusal && !(flight.wasTooEarly && this.#isStatusTold)) this.refusalCount++
          this.watchers.landed(flight, outcome)
          this.core.landed(flight.coreFlight, outcome)
        }),
      listed: (stream, listing, isMalformed) => this.event(() => this.#listed(stream, listing, isMalformed)),
      described: (stream, summary, errorCode) =>
        this.event(() => {
          this.trace.say(() => `described ${summary?.status ?? errorCode}`)
          const failure = errorCode === undefined ? undefined : { errorCode, text: errorCode }
          this.core.described(stream, summary, this.clock.nowMs(), failure)
        }),
      isPoison: number => this.ledger.puts[number]?.isPoison === true,
      brokeLimit: message => this.trace.violated('I10', `the service refuses a request: ${message}`)
    }
  }

  #listed(stream: Stream, listing: Parameters<Stream['shardsListed']>[0] | undefined, isMalformed: boolean): void {
    const nowMs = this.clock.nowMs()
    if (this.closedMs !== undefined) {
      this.core.listed(stream, listing, nowMs)
      return
    }
    this.watchers.listingEnded(stream.streamName)
    this.trace.event('m', listing?.length ?? -1)
    this.trace.say(() => `listed ${listing?.length ?? 'nothing'}${isMalformed ? ', malformed' : ''}`)
    if (listing === undefined) {
      this.core.listed(stream, undefined, nowMs)
      return
    }
    if (!isMalformed && !stream.isReplaced) this.watchers.mapTaken(stream.streamName, listing)
    const refusal = this.core.listed(stream, listing, nowMs)
    // An empty listing of a stream that may be being created counts as one that failed.
    const isBelieved = refusal === undefined && !stream.isReplaced && listing.length > 0
    if (isBelieved && isMalformed) this.trace.violated('I11', 'a malformed listing is believed')
    if (refusal !== undefined && !isMalformed) this.trace.violated('I11', 'a good listing is not believed')
  }
}

function describeBatch(entries: readonly { members: { numbers: readonly number[] }; lane: Destination }[]): string {
  return entries.map(({ members, lane }) => `[${members.numbers}]>${lane.shardId?.slice(-3) ?? ''}`).join(' ')
}

/**
 * The soak's story: streams take turns at being written to; each is read back, judged, deleted and made anew.
 * Invariant: every generation that was started is judged before the end; whatever happens, producer and server are closed.
 */
import { setTimeout } from 'node:timers/promises'
import { KinesisProducer } from '../../src/index.ts'
import { seededRandom } from '../../src/testing/index.ts'
import type { SoakArguments } from './arguments.ts'
import { type Rotation, rotatingCredentials } from './credentials.ts'
import { Health } from './health.ts'
import { Ledger, type Verdict } from './ledger.ts'
import type { ReadBack } from './messages.ts'
import { statusLine, type Totals } from './report.ts'
import { ServerProcess } from './server-process.ts'
import { PROBE_KEY } from './stream-reader.ts'
import { Workload } from './workload.ts'

const STREAMS = ['soak-a', 'soak-b', 'soak-c']
const REQUEST_TIMEOUT_MS = 2000
const RECORD_TTL_MS = 90_000
/** Requests that the producer gave up may still be applied so long after its records were settled. */
const LATE_MS = 4000
const STATUS_MS = 5000
const LOOK_MS = 250
/** A snapshot of the producer's counters takes a few milliseconds. */
const SAMPLE_MS = 1000
/** Room in a ledger beyond what the rate needs. */
const SPARE_PART = 1.1
const GONE_WAIT_MS = 30_000

export interface SoakResult extends Totals {
  readonly health: Health
  readonly rotation: Rotation
  readonly seconds: number
}

export async function runSoak(
  args: SoakArguments,
  say: (line: string) => void,
  signal: AbortSignal
): Promise<SoakResult> {
  const server = new ServerProcess(args.seed)
  const endpoint = await server.start()
  const rotation = rotatingCredentials(seededRandom(args.seed).split('credentials'))
  const producer = new KinesisProducer({
    region: 'us-east-1',
    endpoint,
    credentials: rotation.provider,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    recordTtlMs: RECORD_TTL_MS,
    logger: { debug() {}, info() {}, warn: () => {}, error: message => say(`logged: ${message}`) }
  })
  const soak = new Soak(args, server, producer, say)
  try {
    return { ...(await soak.run(signal)), rotation }
  } finally {
    await producer.close({ timeoutMs: LATE_MS })
    await server.stop()
  }
}

class Soak {
  readonly #args: SoakArguments
  readonly #server: ServerProcess
  readonly #producer: KinesisProducer
  readonly #say: (line: string) => void
  readonly #workload: Workload
  readonly #health = new Health()
  readonly #ledgers: Ledger[]
  readonly #totals: { verdict: Verdict; kinesisRecords: number; dropped: number; foreign: number; generations: number }
  #startMs = 0
  #failure: unknown

  constructor(args: SoakArguments, server: ServerProcess, producer: KinesisProducer, say: (line: string) => void) {
    this.#args = args
    this.#server = server
    this.#producer = producer
    this.#say = say
    this.#workload = new Workload(producer, args.recordsPerSecond)
    const capacity = Math.ceil(args.recordsPerSecond * args.periodSeconds * SPARE_PART)
    this.#ledgers = STREAMS.map(stream => new Ledger(stream, capacity))
    const verdict = {
      put: 0,
      acknowledged: 0,
      failed: 0,
      readBack: 0,
      lost: 0,
      duplicates: 0,
      unexplained: 0,
      denied: 0
    }
    this.#totals = { verdict, kinesisRecords: 0, dropped: 0, foreign: 0, generations: 0 }
  }

  async run(signal: AbortSignal): Promise<Omit<SoakResult, 'rotation'>> {
    for (const stream of STREAMS) await this.#server.create(stream)
    this.#startMs = performance.now()
    this.#health.start()
    const timers = [setInterval(() => this.#look(), SAMPLE_MS), setInterval(() => this.#say(this.#status()), STATUS_MS)]
    try {
      await this.#produce(signal)
    } finally {
      for (const timer of timers) clearInterval(timer)
    }
    return { ...this.#snapshot(), health: this.#health, seconds: this.#elapsedMs / 1000 }
  }

  /** Writes generation after generation; a stream's ledger is used again when its last generation was judged. */
  async #produce(signal: AbortSignal): Promise<void> {
    const judging = new Map<Ledger, Promise<void>>()
    const endMs = this.#args.minutes * 60_000
    for (let generation = 1; this.#elapsedMs < endMs && !signal.aborted; generation++) {
      const ledger = this.#ledgers[generation % this.#ledgers.length]!
      await judging.get(ledger)
      if (this.#failure !== undefined) throw this.#failure
      ledger.start(generation)
      await this.#workload.run(ledger, Math.min(this.#args.periodSeconds * 1000, endMs - this.#elapsedMs), signal)
      judging.set(
        ledger,
        this.#judge(ledger).catch((error: unknown) => {
          this.#failure = error
        })
      )
    }
    this.#say('The time is over: no more faults, and what is left is read back.')
    await this.#server.calm()
    await this.#producer.flush()
    await Promise.all(judging.values())
    if (this.#failure !== undefined) throw this.#failure
  }

  async #judge(ledger: Ledger): Promise<void> {
    while (!ledger.isSettled) await setTimeout(LOOK_MS)
    await setTimeout(LATE_MS)
    this.#server.onCopies = copies =>
      this.#ledgers.find(each => each.generation === copies.generation)?.noteCopies(copies)
    const read = await this.#server.read(ledger.stream, ledger.generation)
    this.#add(ledger.verdict(), read)
    await this.#renew(ledger.stream)
  }

  /** Deletes the stream and creates it again, but not before the producer has seen that it is gone. */
  async #renew(stream: string): Promise<void> {
    const refusals = () => this.#producer.stats().streams[stream]?.errorsByCode['ResourceNotFoundException'] ?? 0
    const before = refusals()
    await this.#server.delete(stream)
    this.#producer.tryPut({ streamName: stream, partitionKey: PROBE_KEY, data: PROBE_KEY })
    const untilMs = performance.now() + GONE_WAIT_MS
    while (refusals() === before && performance.now() < untilMs) await setTimeout(LOOK_MS)
    await this.#server.create(stream)
  }

  #add(verdict: Verdict, read: ReadBack): void {
    const totals = this.#totals
    const names = Object.keys(verdict) as (keyof Verdict)[]
    totals.verdict = Object.fromEntries(
      names.map(name => [name, totals.verdict[name] + verdict[name]])
    ) as unknown as Verdict
    totals.kinesisRecords += read.kinesisRecords
    totals.dropped += read.droppedAggregates
    totals.foreign += read.foreignRecords
    totals.generations++
    const isBad = verdict.lost + verdict.unexplained + verdict.denied + read.foreignRecords > 0
    if (isBad) this.#say(`BAD generation ${read.generation}: ${JSON.stringify({ ...verdict, ...read })}`)
  }

  #look(): void {
    this.#health.look(this.#producer.stats().bufferedBytes)
  }

  #snapshot(): Totals {
    return {
      ...this.#totals,
      producer: this.#producer.stats(),
      fullCount: this.#workload.fullCount,
      server: this.#server.status
    }
  }

  #status(): string {
    return statusLine(this.#elapsedMs / 1000, this.#snapshot(), this.#health)
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startMs
  }
}

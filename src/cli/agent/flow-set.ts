/**
 * The flows that run: for each its sink, over a producer that flows with the same settings share.
 * Invariant: a flow whose settings are as before keeps its sink and its producer, so reading the config again disturbs nobody else. A flow that is no
 * longer used is closed after its last record has settled.
 */
import { hostname } from 'node:os'
import type { KinesisProducer, ProducerOptions } from '../../index.ts'
import { producerFor, producerOptions } from '../connection.ts'
import { CliError } from '../errors.ts'
import type { FlowSettings } from '../follow/flow-settings.ts'
import { keySelector, randomKeys } from '../input/key-selector.ts'
import { type Totals, totalsOf } from '../put/totals.ts'
import type { Session } from '../session.ts'
import type { AgentConfig, AgentFlow } from './config.ts'
import { DeadLetterFile } from './dead-letter-file.ts'
import { type Fault, ProducerSink } from './flow-sink.ts'
import { InstanceMetadata } from './process/instance-metadata.ts'
import { needsInstance, type ProcessStep, processSteps } from './process/process-steps.ts'

export interface RunningFlow {
  readonly settings: FlowSettings
  readonly sink: ProducerSink
}

interface Entry extends RunningFlow {
  /** Everything that the flow was made from, as text. */
  readonly made: string
  readonly producerKey: string
  readonly deadLetter: string | undefined
}

const COUNTS = ['records', 'bytes', 'delivered', 'skipped', 'deadLettered', 'failed', 'openCount'] as const
export type SinkCounts = Readonly<Record<(typeof COUNTS)[number], number>>

export class FlowSet {
  readonly #session: Session
  readonly #instance: InstanceMetadata
  readonly #producers = new Map<string, KinesisProducer>()
  readonly #deadLetters = new Map<string, DeadLetterFile>()
  #entries: readonly Entry[] = []
  /** Of flows that are gone. */
  #former: ProducerSink[] = []

  constructor(session: Session) {
    this.#session = session
    this.#instance = new InstanceMetadata({ fetch, wallMs: session.host.wallMs })
  }

  get flows(): readonly RunningFlow[] {
    return this.#entries
  }

  /** The counts of all sinks, former flows included. */
  get counts(): SinkCounts {
    const sinks = this.#sinks()
    const sum = (name: keyof SinkCounts) => sinks.reduce((total, sink) => total + sink[name], 0)
    return {
      records: sum('records'),
      bytes: sum('bytes'),
      delivered: sum('delivered'),
      skipped: sum('skipped'),
      deadLettered: sum('deadLettered'),
      failed: sum('failed'),
      openCount: sum('openCount')
    }
  }

  get totals(): Totals {
    const all = [...this.#producers.values()].map(producer => totalsOf(producer.stats()))
    const sum = (name: keyof Totals) => all.reduce((total, totals) => total + totals[name], 0)
    return {
      kinesisRecords: sum('kinesisRecords'),
      requests: sum('requests'),
      retries: sum('retries'),
      throttled: sum('throttled')
    }
  }

  /** Why the service takes nothing of a flow. */
  get refusal(): Fault | undefined {
    return this.#sinks().find(({ refusal }) => refusal !== undefined)?.refusal
  }

  /** The error of a dead letter file. */
  get fault(): unknown {
    return this.#sinks().find(({ fault }) => fault !== undefined)?.fault
  }

  /** Makes the flows of a config, before anything is changed: a config that will not do throws, and the flows stay as they are. */
  async replace(config: AgentConfig): Promise<readonly RunningFlow[]> {
    const made: Entry[] = []
    for (const [place, flow] of config.flows.entries()) {
      made.push(await this.#entryOf(flow, config, `${config.path}: flows[${place}]`))
    }
    const kept = new Set(made.map(({ sink }) => sink))
    this.#former.push(...this.#entries.map(({ sink }) => sink).filter(sink => !kept.has(sink)))
    this.#entries = made
    return made
  }

  /** Closes what no flow uses any more; its records are settled. */
  async closeUnused(): Promise<void> {
    const producers = new Set(this.#entries.map(({ producerKey }) => producerKey))
    for (const [key, producer] of [...this.#producers]) {
      if (producers.has(key)) continue
      this.#producers.delete(key)
      await producer.close()
    }
    const files = new Set(this.#entries.map(({ deadLetter }) => deadLetter))
    for (const [path, file] of [...this.#deadLetters]) {
      if (files.has(path)) continue
      this.#deadLetters.delete(path)
      await file.close()
    }
  }

  /** Ends everything; records that are not acknowledged yet fail, and the next start sends them again. */
  async close(): Promise<void> {
    await Promise.all([...this.#producers.values()].map(producer => producer.close({ timeoutMs: 0 })))
    for (const file of this.#deadLetters.values()) await file.close()
  }

  async #entryOf(flow: AgentFlow, config: AgentConfig, path: string): Promise<Entry> {
    const made = textOf({ flow, region: config.region, endpoint: config.endpoint })
    const before = this.#entries.find(entry => entry.made === made)
    if (before !== undefined) return before
    const { host, errors } = this.#session
    const { settings, stream, process: steps } = flow
    const { framing, onFailure } = settings
    const options = optionsOf(this.#session, flow, config, path)
    const step = await this.#stepOf(steps, `${path}.process`)
    const select = keySelector(flow.key, host.random)
    const producerKey = textOf(options)
    const producer = this.#producers.get(producerKey) ?? producerFor(this.#session, options)
    this.#producers.set(producerKey, producer)
    const sink = new ProducerSink({
      producer,
      stream,
      onFailure,
      step,
      select,
      badKey: flow.badKey,
      randomKey: randomKeys(host.random),
      maxRecord: framing.maxRecord,
      maxRecordBytes: framing.maxRecordBytes,
      terminator: Buffer.from(framing.truncatedTerminator),
      deadLetter: await this.#deadLetterOf(flow.deadLetter),
      tell: (code, message) => errors.tell(code, message)
    })
    return { settings, sink, made, producerKey, deadLetter: flow.deadLetter }
  }

  async #stepOf(steps: readonly unknown[], path: string): Promise<ProcessStep | undefined> {
    if (steps.length === 0) return undefined
    const { wallMs } = this.#session.host
    const context = { hostName: hostname(), wallMs }
    const plain = processSteps(steps, path, { ...context, instance: this.#instance })
    if (!needsInstance(steps)) return plain
    await this.#instance.ready()
    return plain
  }

  async #deadLetterOf(path: string | undefined): Promise<DeadLetterFile | undefined> {
    if (path === undefined) return undefined
    const file = this.#deadLetters.get(path) ?? (await DeadLetterFile.open(path))
    this.#deadLetters.set(path, file)
    return file
  }

  #sinks(): readonly ProducerSink[] {
    return [...this.#former, ...this.#entries.map(({ sink }) => sink)]
  }
}

/**
 * Waiting records are in the files, so memory need not hold them. Lines of 200 bytes take about 2 KiB each until they are acknowledged: with this the process
 * stays below 200 MB while the service is away.
 */
const BUFFER_MAX_BYTES = 20 * 1024 * 1024

/** With `retry` a record never expires: only what can never be sent fails. */
function optionsOf(session: Session, flow: AgentFlow, config: AgentConfig, path: string): ProducerOptions {
  const { region, endpoint } = config
  const given = producerOptions(session, {
    ...(region === undefined ? undefined : { region }),
    ...(endpoint === undefined ? undefined : { endpoint }),
    producer: { ...flow.producer }
  })
  const options = { bufferMaxBytes: BUFFER_MAX_BYTES, ...given }
  if (flow.settings.onFailure !== 'retry') return options
  const { recordTtlMs = Number.POSITIVE_INFINITY } = options
  if (recordTtlMs === Number.POSITIVE_INFINITY) return { ...options, recordTtlMs }
  throw new CliError('CLI_ERR_CONFIG', `${path}: onFailure retry tries for ever, and recordTtlMs is set`, {
    fix: 'leave recordTtlMs out, or choose onFailure dead-letter, skip or stop'
  })
}

/** Regular expressions are no JSON, nor is Infinity; a logger is one for all. */
function textOf(value: object): string {
  return JSON.stringify(value, (name, each: unknown) =>
    name === 'logger' ? undefined : each instanceof RegExp || each === Number.POSITIVE_INFINITY ? String(each) : each
  )
}

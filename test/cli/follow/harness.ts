/**
 * A follower on a model: files in memory, a virtual clock, a sink that answers as a test says, a state directory that survives.
 * The oracle: each line is `<file>:<seq>`, arrives at least once, in order for each file, and once when nothing crashed.
 */
import { setImmediate as nextLoop } from 'node:timers/promises'
import { DEFAULT_FLOW, type FlowSettings } from '../../../src/cli/follow/flow-settings.ts'
import { Follower, type FollowOptions, type FollowResult } from '../../../src/cli/follow/follower.ts'
import type { FlowSink, FollowedRecord, RecordEnd } from '../../../src/cli/follow/ports.ts'
import { StateStore } from '../../../src/cli/follow/state-store.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { ModelDirectory } from './model-directory.ts'
import { ModelFiles } from './model-files.ts'
import { ModelProcess } from './model-process.ts'
import { randomOf } from './random-of.ts'

const START_MS = 1_700_000_000_000

/** Takes records while fewer than `capacity` wait; each is answered after `latencyMs`. */
export class ModelSink implements FlowSink {
  readonly #clock: VirtualClock
  readonly delivered: { readonly text: string; readonly path: string; readonly offset: number }[] = []
  capacity = Number.POSITIVE_INFINITY
  latencyMs = 0
  isBlocked = false
  isDead = false
  /** Answers of these records are kept back, or fail. */
  endOf: (text: string) => RecordEnd | 'later' = () => ({ kind: 'delivered' })
  readonly #waiting = new Set<() => void>()
  readonly #flushing = new Set<() => void>()
  readonly #later: (() => void)[] = []
  onDelivered: (text: string) => void = () => {}
  inFlight = 0
  refusals = 0

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  tryPut(record: FollowedRecord): boolean {
    const isFull = this.isBlocked || this.inFlight >= this.capacity
    if (isFull) {
      this.refusals++
      return false
    }
    const { path, startOffset: offset, data, owner, ticket } = record
    const text = Buffer.from(data).toString()
    this.inFlight++
    const settle = (end: RecordEnd) => {
      if (this.isDead) return
      this.inFlight--
      if (end.kind === 'delivered') {
        this.delivered.push({ text, path, offset })
        this.onDelivered(text)
      }
      owner.settle(ticket, end)
      this.#release()
    }
    const end = this.endOf(text)
    if (end === 'later') this.#later.push(() => settle({ kind: 'delivered' }))
    else if (this.latencyMs === 0) settle(end)
    else this.#clock.schedule(this.#clock.nowMs() + this.latencyMs, () => settle(end))
    return true
  }

  ready(): Promise<void> {
    return new Promise(resolve => this.#waiting.add(resolve))
  }

  flush(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve()
    return new Promise(resolve => this.#flushing.add(resolve))
  }

  unblock(): void {
    this.isBlocked = false
    this.#release()
  }

  /** Answers what was kept back, in the order of `pick`. */
  answerLater(order: (settles: readonly (() => void)[]) => readonly (() => void)[] = settles => settles): void {
    for (const settle of order(this.#later.splice(0))) settle()
  }

  #release(): void {
    if (this.isBlocked) return
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
    if (this.inFlight > 0) return
    for (const done of this.#flushing) done()
    this.#flushing.clear()
  }
}

export interface StartOptions extends Partial<FollowOptions> {
  /** The process dies at the call after so many. */
  readonly callsLeft?: number
  readonly diesAfterCall?: boolean
}

export class Harness {
  readonly clock = new VirtualClock(START_MS)
  readonly files = new ModelFiles(this.clock)
  directory = new ModelDirectory()
  sink = new ModelSink(this.clock)
  /** Of all runs, in order. */
  readonly sinks: ModelSink[] = []
  readonly warnings: string[] = []
  settings: FlowSettings
  process = new ModelProcess()
  store: StateStore | undefined
  follower: Follower | undefined
  wallOffsetMs = 0
  diedAtMs = 0
  random: () => number
  #stop = new AbortController()
  #result: Promise<FollowResult> | undefined

  constructor(settings: Partial<FlowSettings> = {}, seed = 1) {
    this.settings = { ...DEFAULT_FLOW, id: 'f', files: ['/logs/*'], from: 'start', ...settings }
    this.random = randomOf(seed)
  }

  get delivered(): readonly string[] {
    return this.sinks.flatMap(sink => sink.delivered.map(({ text }) => text))
  }

  async start(options: StartOptions = {}): Promise<void> {
    await this.startWith(new ModelSink(this.clock), options)
  }

  async startWith(
    sink: ModelSink,
    { callsLeft = Number.POSITIVE_INFINITY, diesAfterCall = false, ...options }: StartOptions = {}
  ): Promise<void> {
    this.sink = sink
    this.sinks.push(sink)
    this.#stop = new AbortController()
    const process = new ModelProcess()
    process.callsLeft = callsLeft
    process.diesAfterCall = diesAfterCall
    process.onDeath = () => {
      sink.isDead = true
      this.diedAtMs = this.clock.nowMs()
      this.files.closeAll()
    }
    this.process = process
    const opened = StateStore.open(process.directoryOf(this.directory)).then(store =>
      this.#run(store, process, options)
    )
    opened.catch(() => {})
    await this.advance(0)
  }

  #run(store: StateStore, process: ModelProcess, options: Partial<FollowOptions>): void {
    this.store = store
    const { clock, random, sink } = this
    const files = process.filesOf(this.files)
    const wallMs = () => clock.nowMs() + this.wallOffsetMs
    const warn = (code: string, message: string) => void this.warnings.push(`${code} ${message}`)
    this.follower = new Follower(
      [{ settings: this.settings, sink }],
      { files, store, clock, wallMs, random, warn },
      { once: false, drainMs: 10_000, ...options }
    )
    this.#result = this.follower.run(this.#stop.signal)
    this.#result.catch(() => {})
  }

  async advance(ms: number): Promise<void> {
    const targetMs = this.clock.nowMs() + ms
    await nextLoop()
    for (let nextMs = this.clock.nextAtMs; nextMs !== undefined && nextMs <= targetMs; nextMs = this.clock.nextAtMs) {
      this.clock.runNext()
      await nextLoop()
    }
    this.clock.advanceTo(targetMs)
  }

  /** Lets time pass until the follower has ended. */
  async result(limitMs = 600_000): Promise<FollowResult> {
    const result = this.#result
    if (result === undefined) throw new Error('not started')
    let isDone = false
    const done = () => {
      isDone = true
    }
    result.then(done, done)
    const untilMs = this.clock.nowMs() + limitMs
    await nextLoop()
    while (!isDone && this.clock.nowMs() < untilMs) {
      if (!this.clock.runNext()) break
      await nextLoop()
    }
    if (!isDone) throw new Error('the follower does not end')
    return result
  }

  async stop(): Promise<FollowResult> {
    this.#stop.abort()
    return this.result()
  }

  /** The process is gone: nothing of it happens any more, and its files are closed. */
  async kill(): Promise<void> {
    this.process.die()
    await nextLoop()
  }

  /** As many lines, numbered from `first`. */
  static lines(name: string, first: number, count: number): string {
    return Array.from({ length: count }, (_, i) => `${name}:${first + i}\n`).join('')
  }
}

/** The texts that these lines are. */
export function tags(name: string, first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name}:${first + i}`)
}

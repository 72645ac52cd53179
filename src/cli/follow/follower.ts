/**
 * Follows files: one loop that scans, reads one quantum of each file in turn, and saves what is acknowledged.
 * Data flow: paths and bytes come in from `Files`, records go out to the sinks, acknowledged offsets go to the state. It knows neither
 * streams nor keys.
 * Invariant: at any moment a crash repeats the lines that are not acknowledged or not saved yet, and loses none.
 */
import type { Clock, Random } from '../../index.ts'
import { Checkpoint } from './checkpoint.ts'
import type { FollowContext, FollowWarning } from './context.ts'
import { Descriptors } from './descriptors.ts'
import type { FlowSettings } from './flow-settings.ts'
import { FlowState } from './flow-state.ts'
import { gunzipFiles } from './gunzip-files.ts'
import type { Files, FlowSink, FollowFailure } from './ports.ts'
import type { StateStore } from './state-store.ts'
import { type FollowStatus, fileStatuses, heldDeletedBytesOf } from './status.ts'
import type { Tail } from './tail.ts'
import { Turns } from './turns.ts'
import { deleteDone } from './upkeep.ts'

export interface FollowPorts {
  readonly files: Files
  readonly store: StateStore
  readonly clock: Clock
  /** The time of day. */
  readonly wallMs: () => number
  readonly random: Random
  readonly warn: (code: FollowWarning, message: string) => void
}

export interface FollowOptions {
  /** Ends when every file was read to its end, and its last line too. */
  readonly once: boolean
  /** How long the answers are waited for after a stop. */
  readonly drainMs: number
  readonly checkpointEveryMs?: number
  readonly checkpointEveryBytes?: number
  readonly stateFailForMs?: number
  readonly maxDescriptors?: number
}

export interface Flow {
  readonly settings: FlowSettings
  readonly sink: FlowSink
}

/** `finished`: `once`, and all was read. `state`: the state cannot be saved. */
export interface FollowResult {
  readonly reason: 'stopped' | 'finished' | 'failed' | 'state'
  readonly failure: FollowFailure | undefined
  /** Records that were handed over and not acknowledged: the next run sends them again. */
  readonly unacknowledgedRecords: number
  /** Whether everything acknowledged is saved. */
  readonly isSaved: boolean
  readonly unreadable: readonly string[]
  /** Bytes that were there once and are gone without having been sent. */
  readonly unsentBytes: number
  readonly truncatedLost: number
}

export class Follower {
  readonly #ports: FollowPorts
  readonly #options: Required<FollowOptions>
  readonly #flows: FlowState[] = []
  readonly #files: Files
  readonly #descriptors: Descriptors
  readonly #checkpoint: Checkpoint
  readonly #turns: Turns
  readonly #context: FollowContext
  readonly #skipped = new Map<string, number>()
  #replacement: { readonly flows: readonly Flow[]; readonly done: () => void } | undefined
  #failure: FollowFailure | undefined
  #fault: unknown
  #isStateFailing = false
  #isStopped = false
  #isEnding = false
  #wake: (() => void) | undefined

  constructor(flows: readonly Flow[], ports: FollowPorts, options: FollowOptions) {
    this.#ports = ports
    this.#options = {
      checkpointEveryMs: 1_000,
      checkpointEveryBytes: 64 * 1024 * 1024,
      stateFailForMs: 60_000,
      maxDescriptors: 1_000,
      ...options
    }
    const { checkpointEveryMs: everyMs, checkpointEveryBytes: everyBytes, stateFailForMs: failForMs } = this.#options
    const { wallMs, warn } = ports
    this.#files = gunzipFiles(ports.files, {
      wallMs,
      warn: (path, code) => warn('CLI_WARN_UNREADABLE', `${JSON.stringify(path)} is damaged or ends too early: ${code}`)
    })
    this.#descriptors = new Descriptors(this.#files, this.#options.maxDescriptors)
    this.#checkpoint = new Checkpoint(ports.store, { everyMs, everyBytes, failForMs }, message =>
      ports.warn('CLI_WARN_STATE', message)
    )
    this.#context = this.#contextOf()
    this.#turns = new Turns(this.#context, ports.store, this.#checkpoint, () => this.#wake?.())
    for (const { settings, sink } of flows) this.#flows.push(new FlowState(settings, sink))
  }

  /** Ends at `stop`, at a record that fails, or, with `once`, at the end of all files. Acknowledged places are saved then. */
  async run(stop: AbortSignal): Promise<FollowResult> {
    const onStop = () => {
      this.#isStopped = true
      this.#isEnding = true
      this.#wake?.()
    }
    if (stop.aborted) onStop()
    stop.addEventListener('abort', onStop, { once: true })
    try {
      while (!this.#isEnding) {
        if (this.#replacement !== undefined) await this.#replace(this.#replacement)
        const hasWorked = await this.#turns.turn(this.#flows, () => this.#isEnding)
        this.#save()
        if (this.#options.once && this.#flows.every(flow => this.#turns.isFinished(flow))) break
        if (!hasWorked && !this.#isEnding) await this.#sleep()
      }
      return await this.#end(stop)
    } finally {
      stop.removeEventListener('abort', onStop)
      this.#replacement?.done()
      await this.#descriptors.closeAll()
    }
  }

  status(): FollowStatus {
    const files = fileStatuses(this.#flows)
    return {
      files,
      bytesBehind: files.reduce((sum, { bytesBehind }) => sum + bytesBehind, 0),
      unreadable: files.filter(({ state }) => state === 'UNREADABLE').length,
      heldDeletedBytes: heldDeletedBytesOf(this.#flows),
      truncatedLost: this.#flows.reduce((sum, { truncatedLost }) => sum + truncatedLost, 0),
      openDescriptors: this.#descriptors.count,
      skipped: Object.fromEntries(this.#skipped)
    }
  }

  /** Takes other flows. Those with the same settings and sink go on; the others are drained, and begin where they were. */
  replaceFlows(flows: readonly Flow[]): Promise<void> {
    this.#replacement?.done()
    return new Promise(done => {
      this.#replacement = { flows, done }
      this.#wake?.()
    })
  }

  #contextOf(): FollowContext {
    const { clock, wallMs, random, warn } = this.#ports
    const checkpoint = this.#checkpoint
    return {
      files: this.#files,
      clock,
      wallMs,
      random,
      warn,
      descriptors: this.#descriptors,
      once: this.#options.once,
      touch: tail => checkpoint.touch(tail),
      forget: id => checkpoint.forget(id),
      save: generation => checkpoint.put(generation),
      keep: (flow, tail) => this.#keep(flow, tail),
      listener: {
        onAcked: (tail, bytes) => {
          checkpoint.acked(tail, bytes)
          if (bytes > 0) this.#wake?.()
        },
        onSkipped: (_, reason) => this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1),
        onFailed: (_, failure) => {
          this.#failure ??= failure
          this.#isEnding = true
          this.#wake?.()
        }
      }
    }
  }

  #keep(flow: FlowState, tail: Tail): void {
    const generation = { ...tail.saved(), goneAtMs: this.#ports.wallMs() }
    flow.remove(tail)
    this.#checkpoint.drop(tail)
    flow.missing.set(tail.id, { generation, sinceMs: this.#ports.clock.nowMs(), wasRewritten: false })
    this.#checkpoint.put(generation)
  }

  #save(): void {
    const nowMs = this.#ports.clock.nowMs()
    this.#checkpoint.saveSoon(nowMs, error => {
      if (error !== undefined) {
        this.#fault = error
        this.#isEnding = true
      }
      this.#wake?.()
    })
    if (this.#checkpoint.isFailing(nowMs)) {
      this.#isStateFailing = true
      this.#isEnding = true
    }
  }

  /** Until something is due, or something happens. */
  #sleep(): Promise<void> {
    const { clock } = this.#ports
    const dueMs = Math.min(this.#checkpoint.dueAtMs, ...this.#flows.map(flow => this.#turns.dueAtMs(flow)))
    return new Promise(resolve => {
      const timer = clock.schedule(Math.max(dueMs, clock.nowMs()), () => this.#wake?.())
      this.#wake = () => {
        this.#wake = undefined
        timer.cancel()
        resolve()
      }
    })
  }

  async #replace({ flows, done }: { readonly flows: readonly Flow[]; readonly done: () => void }): Promise<void> {
    this.#replacement = undefined
    const isKept = (one: FlowState) => flows.some(flow => flow.settings === one.settings && flow.sink === one.sink)
    const leaving = this.#flows.filter(one => !isKept(one))
    const coming = flows.filter(
      flow => !this.#flows.some(one => flow.settings === one.settings && flow.sink === one.sink)
    )
    await this.#drain(leaving, this.#options.drainMs)
    const next = coming.map(({ settings, sink }) => new FlowState(settings, sink))
    for (const flow of leaving) {
      const heir = next.find(({ settings }) => settings.id === flow.settings.id)
      for (const tail of flow.tails) {
        this.#checkpoint.release(tail)
        if (heir === undefined || !heir.inherits(tail)) await this.#descriptors.close(tail)
      }
      this.#flows.splice(this.#flows.indexOf(flow), 1)
    }
    // A flow that comes back begins with what is saved.
    await this.#checkpoint.flush(this.#ports.clock.nowMs())
    this.#flows.push(...next)
    done()
  }

  async #end(stop: AbortSignal): Promise<FollowResult> {
    this.#isEnding = true
    const isFinished = !this.#isStopped && this.#failure === undefined && !this.#isStateFailing
    await this.#drain(this.#flows, isFinished ? undefined : this.#options.drainMs, stop)
    if (this.#context.once && isFinished) for (const flow of this.#flows) await this.#deleteDone(flow)
    const isSaved = await this.#checkpoint.close(this.#ports.clock.nowMs())
    if (this.#fault !== undefined) throw this.#fault
    const tails = this.#flows.flatMap(flow => [...flow.tails])
    const sum = (of: (flow: FlowState) => number) => this.#flows.reduce((total, flow) => total + of(flow), 0)
    return {
      reason: this.#reason(isSaved),
      failure: this.#failure,
      unacknowledgedRecords: tails.reduce((count, tail) => count + tail.handedOverCount, 0),
      isSaved,
      unreadable: tails.filter(tail => tail.retryAtMs !== undefined).map(tail => tail.path),
      unsentBytes: sum(flow => flow.unsentBytes),
      truncatedLost: sum(flow => flow.truncatedLost)
    }
  }

  async #deleteDone(flow: FlowState): Promise<void> {
    if (flow.settings.afterDone === 'delete') await deleteDone(this.#context, flow)
  }

  #reason(isSaved: boolean): FollowResult['reason'] {
    if (this.#failure !== undefined) return 'failed'
    if (this.#isStateFailing || !isSaved) return 'state'
    return this.#isStopped ? 'stopped' : 'finished'
  }

  /** Waits for the answers. Without a time, until a stop gives one. */
  #drain(flows: readonly FlowState[], timeoutMs: number | undefined, stop?: AbortSignal): Promise<void> {
    const { clock } = this.#ports
    if (flows.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      let timer: { cancel(): void } | undefined
      const limit = () => {
        timer = clock.schedule(clock.nowMs() + this.#options.drainMs, end)
      }
      const end = () => {
        timer?.cancel()
        stop?.removeEventListener('abort', limit)
        resolve()
      }
      if (timeoutMs !== undefined) limit()
      else stop?.addEventListener('abort', limit, { once: true })
      Promise.all(flows.map(({ sink }) => sink.flush())).then(end, reject)
    })
  }
}

/**
 * Saves what is acknowledged: a group of changes at most each second, or after so many bytes.
 * Invariant: only offsets that were acknowledged when the save began are in it. A failed save is tried again, and loses nothing but time:
 * after a crash more records repeat.
 */
import { codeOf } from './context.ts'
import type { Generation } from './identity.ts'
import type { Change, StartedFlow } from './state-format.ts'
import type { StateStore } from './state-store.ts'
import type { Tail } from './tail.ts'

export interface CheckpointOptions {
  readonly everyMs: number
  readonly everyBytes: number
  /** Saves that fail for longer end the following. */
  readonly failForMs: number
}

const RETRY_MS = 1_000

export class Checkpoint {
  readonly #store: StateStore
  readonly #options: CheckpointOptions
  readonly #warn: (message: string) => void
  readonly #dirty = new Set<Tail>()
  readonly #others: Change[] = []
  readonly #saved = new Map<string, Generation>()
  #ackedBytes = 0
  #dueMs = Number.NEGATIVE_INFINITY
  #failingSinceMs: number | undefined
  #running: Promise<void> | undefined

  constructor(store: StateStore, options: CheckpointOptions, warn: (message: string) => void) {
    this.#store = store
    this.#options = options
    this.#warn = warn
  }

  acked(tail: Tail, bytes: number): void {
    this.#dirty.add(tail)
    this.#ackedBytes += bytes
  }

  touch(tail: Tail): void {
    this.#dirty.add(tail)
  }

  /** Of a file that is no tail any more. */
  put(file: Generation): void {
    this.#others.push({ t: 'file', file })
  }

  forget(id: string): void {
    this.#saved.delete(id)
    for (const tail of this.#dirty) if (tail.id === id) this.#dirty.delete(tail)
    this.#others.push({ t: 'forget', id })
  }

  /** The tail takes no part any more: what is acknowledged is saved with the rest. */
  release(tail: Tail): void {
    if (this.#dirty.delete(tail) && tail.id !== '') this.#others.push({ t: 'file', file: tail.saved() })
  }

  drop(tail: Tail): void {
    this.#dirty.delete(tail)
  }

  /** When `save` has something to do. */
  get dueAtMs(): number {
    const hasWork = this.#dirty.size > 0 || this.#others.length > 0
    if (!hasWork || this.#running !== undefined) return Number.POSITIVE_INFINITY
    return this.#ackedBytes >= this.#options.everyBytes && this.#failingSinceMs === undefined
      ? Number.NEGATIVE_INFINITY
      : this.#dueMs
  }

  isFailing(nowMs: number): boolean {
    return this.#failingSinceMs !== undefined && nowMs - this.#failingSinceMs >= this.#options.failForMs
  }

  /** A flow begins: its first offsets are saved before this resolves. */
  async start(flow: StartedFlow, files: readonly Generation[]): Promise<void> {
    await this.#running
    await this.#store.start([flow], files)
  }

  /** Returns at once; one save runs at a time. `done` gets an error that is not a failure of the system. */
  saveSoon(nowMs: number, done: (error: unknown) => void): void {
    if (nowMs < this.dueAtMs) return
    this.#running = this.#save(nowMs)
      .then(
        () => undefined,
        error => error
      )
      .then(error => {
        this.#running = undefined
        done(error)
      })
  }

  /** Waits until everything that is acknowledged now is saved, or could not be. Returns whether it is. */
  async flush(nowMs: number): Promise<boolean> {
    await this.#running
    await this.#save(nowMs)
    return this.#failingSinceMs === undefined
  }

  /** As `flush`, and leaves one snapshot without a journal. */
  async close(nowMs: number): Promise<boolean> {
    if (!(await this.flush(nowMs))) return false
    try {
      await this.#store.compact()
      return true
    } catch (error) {
      // The journal has everything: the next start reads it.
      return codeOf(error) !== ''
    }
  }

  async #save(nowMs: number): Promise<void> {
    const tails = [...this.#dirty]
    const others = this.#others.splice(0)
    const files: Generation[] = []
    const changes: Change[] = []
    for (const tail of tails) {
      if (tail.id === '') continue
      const file = tail.saved()
      const change = this.#changeOf(file)
      if (change === undefined) continue
      files.push(file)
      changes.push(change)
    }
    this.#dirty.clear()
    this.#ackedBytes = 0
    this.#dueMs = nowMs + this.#options.everyMs
    try {
      await this.#store.commit([...changes, ...others])
      for (const file of files) this.#saved.set(file.id, file)
      this.#failingSinceMs = undefined
    } catch (error) {
      if (codeOf(error) === '') throw error
      if (this.#failingSinceMs === undefined) this.#warn(`the state cannot be saved: ${codeOf(error)}`)
      this.#failingSinceMs ??= nowMs
      this.#dueMs = nowMs + RETRY_MS
      for (const tail of tails) this.#dirty.add(tail)
      this.#others.unshift(...others)
    }
  }

  #changeOf(file: Generation): Change | undefined {
    const before = this.#saved.get(file.id)
    const isMoved =
      before === undefined ||
      before.path !== file.path ||
      before.inode !== file.inode ||
      before.device !== file.device ||
      before.prefix.length !== file.prefix.length ||
      before.isEnded !== file.isEnded
    if (isMoved) return { t: 'file', file }
    if (before.acked === file.acked) return undefined
    return { t: 'acked', id: file.id, acked: file.acked, anchor: file.anchor, size: file.size }
  }
}

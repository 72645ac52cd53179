/**
 * The state of one flow: its files by inode, those that are missing, and those that have something to do.
 * Invariant: a key leads to one tail, so two names of one file are read once. Every tail of the flow is in `tails`.
 */
import type { FlowSettings } from './flow-settings.ts'
import type { Generation } from './identity.ts'
import type { FileStat, FlowSink } from './ports.ts'
import { keyOf, Tail, type TailListener } from './tail.ts'

/** `app.log`, `app.log.1` and `app.log-20240101` are one family: their contents follow each other. */
const ROTATION_SUFFIX = /(?:[._-]\d+)+(?:\.(?:old|bak))?$/

/** A generation of an earlier run, or of a file that is gone. */
export interface Missing {
  readonly generation: Generation
  /** Of the follower's clock. */
  readonly sinceMs: number
  /** Other bytes are in its file: its own are searched for. */
  wasRewritten: boolean
}

export class FlowState {
  readonly settings: FlowSettings
  readonly sink: FlowSink
  readonly tails = new Set<Tail>()
  readonly byKey = new Map<string, Tail>()
  readonly missing = new Map<string, Missing>()
  /** Tails with something to read. */
  readonly active = new Set<Tail>()
  /** Tails that grew lately, or were renamed: they are looked at between the scans. */
  readonly hot = new Set<Tail>()
  /** Tails with a record that a time ends. */
  readonly timed = new Set<Tail>()
  readonly #families = new Map<string, Tail>()
  readonly warned = new Set<string>()
  /** Keys that the last scan found. */
  present: ReadonlySet<string> = new Set()
  isFirstRun = false
  hasBegun = false
  scanCount = 0
  truncatedLost = 0
  unsentBytes = 0
  isFull = false
  nextScanMs = Number.NEGATIVE_INFINITY
  searchUntilMs = Number.NEGATIVE_INFINITY

  constructor(settings: FlowSettings, sink: FlowSink) {
    this.settings = settings
    this.sink = sink
  }

  /** A file that was not known. The newest of its family is read before it. */
  discover(path: string, stat: FileStat, nowMs: number, listener: TailListener): Tail {
    const tail = new Tail(this.settings, path, stat, nowMs, listener)
    const family = path.replace(ROTATION_SUFFIX, '')
    const newest = this.#families.get(family)
    if (newest !== undefined && this.tails.has(newest)) tail.predecessor = newest
    this.#families.set(family, tail)
    tail.discoveredInScan = this.scanCount
    this.add(tail)
    return tail
  }

  /** The tail follows at once, beside the one whose file it took. */
  succeed(tail: Tail): void {
    this.#families.set(tail.path.replace(ROTATION_SUFFIX, ''), tail)
    tail.discoveredInScan = this.scanCount
    this.add(tail)
  }

  add(tail: Tail): void {
    this.tails.add(tail)
    this.byKey.set(tail.key, tail)
  }

  /** A renamed or deleted file has its descriptor only, so it goes on as it is; any other file starts again at its saved place. */
  inherits(tail: Tail): boolean {
    const isOnlyOpen = tail.place !== 'here' && tail.phase === 'following' && tail.file !== undefined
    if (!isOnlyOpen) return false
    this.add(tail)
    this.hot.add(tail)
    this.active.add(tail)
    return true
  }

  /** The tail is another file from now on. */
  rekey(tail: Tail, path: string, stat: { readonly device: string; readonly inode: string }): void {
    this.unkey(tail)
    tail.path = path
    tail.device = stat.device
    tail.inode = stat.inode
    this.byKey.set(keyOf(path, stat), tail)
  }

  unkey(tail: Tail): void {
    if (this.byKey.get(tail.key) === tail) this.byKey.delete(tail.key)
  }

  remove(tail: Tail): void {
    this.unkey(tail)
    this.tails.delete(tail)
    this.rest(tail)
  }

  /** Nothing is to be done for it before it is seen again. */
  rest(tail: Tail): void {
    this.active.delete(tail)
    this.hot.delete(tail)
    this.timed.delete(tail)
  }
}

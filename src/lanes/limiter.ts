/**
 * Holds sealed records until their shard takes more. A Kinesis record enters, and leaves when its lane has tokens and no back-off.
 * The limiter does not know envelopes or requests. Of an answer, it knows only "throttled", "failed" or "fine".
 * Invariant: the records of a lane leave in the order of `RecordQueue`. A lane that waits costs nothing before its wake-up, and never
 * delays another lane. Lanes that can send take turns, one record each.
 * Cost: O(log lanes) a record.
 */
import type { Lesson } from '../model/exchange.ts'
import type { Random } from '../model/ports.ts'
import { fullJitterMs } from './backoff.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import { Fifo } from './fifo.ts'
import { Lane, type LanePlace, type LaneRecord } from './lane.ts'
import { mergeOldestFirst } from './record-queue.ts'

export interface LimiterOptions {
  readonly rateLimitPercent: number
  readonly retryBaseMs: number
  readonly retryCapMs: number
  /** `'key'`: at most one record of a lane is out, from `release` to `answered`. None is out while a gone lane over its keys drains. */
  readonly ordering: 'none' | 'key'
  /** The part of the buffer that one lane may use when there are others. */
  readonly laneMaxBytes: number
}

/** The part of a record that `learn` needs. */
export type Tried = Pick<LaneRecord, 'lane' | 'requestBytes'>

/** The shortest wait. Timers are no finer. */
const MIN_WAIT_MS = 1
/** A full lane takes records again when it holds at most this part of its share. */
const REFILL_PART = 7 / 8
const NEVER_MS = Number.POSITIVE_INFINITY

export class Limiter {
  readonly #options: LimiterOptions
  readonly #random: Random
  readonly #lanes = new Set<Lane>()
  readonly #waiting = new DeadlineHeap<Lane>()
  readonly #ready = new Fifo<Lane>()
  /** Ordered mode: gone lanes with a record still out. */
  readonly #draining = new Set<Lane>()
  readonly #full = new Set<Lane>()
  /** Full lanes that refused a record and have had no room since. */
  readonly #crowded = new Set<Lane>()
  #count = 0
  /** No record here expires before this time. The bound is raised only when it is reached, so a search is rare. */
  #expirationBoundMs = NEVER_MS

  constructor(options: LimiterOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  get count(): number {
    return this.#count
  }

  /** Whether a lane holds more than its share of the buffer. */
  get hasFullLanes(): boolean {
    return this.#full.size > 0 && this.#lanes.size > 1
  }

  /** Whether the lane takes no more records, because it holds its share. If so, the limiter remembers the refusal. */
  refuses(lane: Lane): boolean {
    const isFull = this.hasFullLanes && this.#full.has(lane)
    if (isFull) this.#crowded.add(lane)
    return isFull
  }

  /** Whether a lane that refused a record is still full. */
  get isCrowded(): boolean {
    for (const lane of this.#crowded) {
      if (!this.hasFullLanes || !this.#full.has(lane)) this.#crowded.delete(lane)
    }
    return this.#crowded.size > 0
  }

  /**
   * Returns a new lane. In ordered mode, it waits for the records that are out of gone lanes over its hash keys. `former`: the lane
   * whose rate it keeps.
   */
  open(place: LanePlace, nowMs: number, former?: Lane): Lane {
    const lane = new Lane(place, this.#options.rateLimitPercent, nowMs, former)
    this.#lanes.add(lane)
    for (const drained of this.#draining) if (lane.overlaps(drained)) lane.blockers.add(drained)
    return lane
  }

  /** The next time at which `release` may have a record; 0 when it has one now. */
  get nextDeadlineMs(): number {
    return this.#ready.count > 0 ? 0 : this.#waiting.nearestMs
  }

  /** Takes a record, behind the records that were accepted before it. */
  add(record: LaneRecord, nowMs: number): void {
    record.lane.queue.insert(record)
    this.#added(record, nowMs)
  }

  /** Takes a record that was out, before all other records of its lane. */
  addFirst(record: LaneRecord, nowMs: number): void {
    record.lane.queue.unshift(record)
    this.#added(record, nowMs)
  }

  /**
   * Takes out the next record that may be sent, or a record whose time to live ended while it waited: the caller checks
   * `expirationMs`. Returns undefined when there is neither.
   */
  release(nowMs: number): LaneRecord | undefined {
    for (let lane = this.#waiting.popDue(nowMs); lane !== undefined; lane = this.#waiting.popDue(nowMs)) {
      this.#makeReady(lane)
    }
    for (let lane = this.#shiftReady(); lane !== undefined; lane = this.#shiftReady()) {
      const record = this.#takeFrom(lane, nowMs)
      this.#place(lane, nowMs)
      if (record !== undefined) return record
    }
    return undefined
  }

  get nextExpirationMs(): number {
    return this.#expirationBoundMs
  }

  /** Takes what `RecordQueue.takeExpired` takes, of every lane. It also works while no request has room, when nothing calls `release`. */
  takeExpired(nowMs: number): LaneRecord[] {
    const expired: LaneRecord[] = []
    if (this.#expirationBoundMs > nowMs) return expired
    this.#expirationBoundMs = NEVER_MS
    for (const lane of this.#lanes) {
      for (const record of lane.queue.takeExpired(nowMs)) {
        this.#count--
        this.#free(record)
        expired.push(record)
      }
      this.#expirationBoundMs = Math.min(this.#expirationBoundMs, lane.queue.nearestExpirationMs)
      this.#place(lane, nowMs)
    }
    return expired
  }

  /** The fate of a released record is decided. In ordered mode, its lane, or the lanes that wait for it, may send the next record. */
  answered(record: LaneRecord, nowMs: number): void {
    const { lane } = record
    if (!lane.out.delete(record)) return
    if (!lane.isGone) {
      this.#free(record)
      this.#place(lane, nowMs)
    } else if (lane.out.size === 0 && this.#draining.delete(lane)) this.#unblock(lane, nowMs)
  }

  /**
   * An attempt that began at `startMs` ended. A stored record ends the back-off. A failure starts or doubles it: exponential, with
   * full jitter. Sequence: requests A and B start -> A fails, and the back-off doubles -> B fails too. B began before that failure was
   * known, so it doubles nothing. Every throttled record cuts the rate, because their number says how much too high the rate was.
   */
  learn({ lane, requestBytes }: Tried, lesson: Lesson, startMs: number, nowMs: number): void {
    if (lesson === 'throttled') lane.bucket.throttle(requestBytes, nowMs)
    if (lesson === 'stored') lane.failures = 0
    if (lesson === 'stored' || lesson === 'nothing' || startMs < lane.lastFailureMs) return
    const { retryBaseMs, retryCapMs } = this.#options
    const waitMs = fullJitterMs({ baseMs: retryBaseMs, capMs: retryCapMs }, lane.failures, this.#random)
    lane.lastFailureMs = nowMs
    lane.failures++
    lane.blockedUntilMs = Math.max(lane.blockedUntilMs, nowMs + waitMs)
    this.#place(lane, nowMs)
  }

  /** Ends every back-off, because the outage that caused them is over. */
  forgive(nowMs: number): void {
    for (const lane of this.#lanes) {
      lane.failures = 0
      lane.blockedUntilMs = nowMs
      this.#place(lane, nowMs)
    }
  }

  /** Holds a lane back until `resumeAll`. Its shard has changed, and the new map is on its way. */
  hold(lane: Lane, nowMs: number): void {
    lane.isHeld = true
    this.#place(lane, nowMs)
  }

  resumeAll(nowMs: number): void {
    for (const lane of this.#lanes) {
      if (!lane.isHeld) continue
      lane.isHeld = false
      this.#place(lane, nowMs)
    }
  }

  /**
   * Forgets gone lanes and returns the records that waited in them, in the order of `mergeOldestFirst`. In ordered mode, the new
   * lanes over the same hash keys wait for the answers to the records that are out. Without that wait: record 1 goes to the parent
   * and times out -> the shard splits -> record 2 of its key is stored in the child -> record 1 is sent again, behind it.
   */
  retire(gone: readonly Lane[], nowMs: number): LaneRecord[] {
    const queues: LaneRecord[][] = []
    for (const lane of gone) {
      this.#count -= lane.queue.count
      queues.push(lane.queue.takeAll())
      this.#waiting.remove(lane)
      this.#full.delete(lane)
      this.#crowded.delete(lane)
      this.#lanes.delete(lane)
      if (this.#options.ordering === 'key' && lane.out.size > 0) this.#draining.add(lane)
    }
    for (const drained of this.#draining) this.#block(drained, nowMs)
    return mergeOldestFirst(queues)
  }

  /** Takes out all records that wait. The lanes stay. */
  takeAll(nowMs: number): LaneRecord[] {
    const taken: LaneRecord[] = []
    for (const lane of this.#lanes) {
      for (const record of lane.queue.takeAll()) {
        this.#free(record)
        taken.push(record)
      }
      this.#place(lane, nowMs)
    }
    this.#count = 0
    return taken
  }

  #added(record: LaneRecord, nowMs: number): void {
    const { lane } = record
    this.#count++
    lane.heldBytes += record.members.budgetBytes
    if (lane.heldBytes > this.#options.laneMaxBytes) this.#full.add(lane)
    this.#expirationBoundMs = Math.min(this.#expirationBoundMs, record.expirationMs)
    this.#place(lane, nowMs)
  }

  #takeFrom(lane: Lane, nowMs: number): LaneRecord | undefined {
    const first = lane.queue.first
    if (first === undefined) return undefined
    const isOver = first.expirationMs <= nowMs
    if (!isOver && !(this.#mayTry(lane, nowMs) && lane.bucket.tryTake(first.requestBytes, nowMs))) return undefined
    lane.queue.shift()
    lane.out.add(first)
    this.#count--
    if (this.#count === 0) this.#expirationBoundMs = NEVER_MS
    return first
  }

  #free({ lane, members }: LaneRecord): void {
    lane.heldBytes -= members.budgetBytes
    // Room is announced when a good part of the share is free, so that waiters do not wake for one record at a time.
    if (lane.heldBytes <= this.#options.laneMaxBytes * REFILL_PART) this.#full.delete(lane)
  }

  #mayTry(lane: Lane, nowMs: number): boolean {
    return !this.#isHeldBack(lane) && lane.blockedUntilMs <= nowMs
  }

  /** Whether no passing of time will let it send. */
  #isHeldBack(lane: Lane): boolean {
    const isOccupied = this.#options.ordering === 'key' && (lane.out.size > 0 || lane.blockers.size > 0)
    return lane.kind === 'waiting' || lane.isHeld || isOccupied
  }

  #block(drained: Lane, nowMs: number): void {
    for (const lane of this.#lanes) {
      if (!lane.overlaps(drained)) continue
      lane.blockers.add(drained)
      this.#place(lane, nowMs)
    }
  }

  #unblock(drained: Lane, nowMs: number): void {
    for (const lane of this.#lanes) if (lane.blockers.delete(drained)) this.#place(lane, nowMs)
  }

  /** Puts a lane where it belongs after any change: ready, waiting for a moment, or nowhere. */
  #place(lane: Lane, nowMs: number): void {
    const first = lane.queue.first
    if (first === undefined || lane.isReady) {
      this.#waiting.remove(lane)
      return
    }
    let readyMs = this.#isHeldBack(lane) ? NEVER_MS : lane.blockedUntilMs
    if (readyMs <= nowMs && !lane.bucket.canTake(first.requestBytes, nowMs)) {
      readyMs = Math.max(lane.bucket.nextTakeMs(first.requestBytes, nowMs), nowMs + MIN_WAIT_MS)
    }
    const wakeMs = Math.min(readyMs, first.expirationMs)
    if (wakeMs <= nowMs) this.#makeReady(lane)
    else if (wakeMs < NEVER_MS) this.#waiting.set(lane, wakeMs)
    else this.#waiting.remove(lane)
  }

  #makeReady(lane: Lane): void {
    this.#waiting.remove(lane)
    if (lane.isReady) return
    lane.isReady = true
    this.#ready.push(lane)
  }

  #shiftReady(): Lane | undefined {
    const lane = this.#ready.shift()
    if (lane !== undefined) lane.isReady = false
    return lane
  }
}

/**
 * Holds sealed records until their shard may be sent more: a Kinesis record enters, and leaves when its lane has tokens
 * and is not backing off. It never knows envelopes, requests or what an answer said beyond "throttled", "failed", "fine".
 * Invariant: within a lane records leave as `RecordQueue` has them; a lane that waits is never looked at before its wake-up, and never
 * delays another lane; lanes that can send take turns, one record each.
 * Cost: O(log lanes) a record.
 */
import type { Lesson } from '../model/exchange.ts'
import type { KinesisRecord } from '../model/kinesis-record.ts'
import type { Random } from '../model/ports.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import { Fifo } from './fifo.ts'
import { type Lane, type LimiterOptions, newLane } from './lane.ts'
import { mergeOldestFirst } from './record-queue.ts'

/** Finer than a timer can tell. */
const MIN_WAIT_MS = 1
const MAX_DOUBLINGS = 30
/** A full lane takes records again when it holds no more than this part of its share. */
const REFILL_PART = 7 / 8
const NEVER_MS = Number.POSITIVE_INFINITY

export class Limiter {
  readonly #options: LimiterOptions
  readonly #random: Random
  readonly #lanes = new Map<string, Lane>()
  readonly #waiting = new DeadlineHeap<Lane>()
  readonly #ready = new Fifo<Lane>()
  /** Ordered mode: lanes that are no more, with a record still out. */
  readonly #draining = new Set<Lane>()
  readonly #full = new Set<Lane>()
  #count = 0
  /** No record held expires before this; raised when it is reached, so that looking costs little over a time to live. */
  #expirationBoundMs = NEVER_MS

  constructor(options: LimiterOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  get count(): number {
    return this.#count
  }

  /** Whether some lane holds more than its share of the buffer. */
  get hasFullLanes(): boolean {
    return this.#full.size > 0 && this.#lanes.size > 1
  }

  isFull(laneId: string): boolean {
    const lane = this.#lanes.get(laneId)
    return lane !== undefined && this.hasFullLanes && this.#full.has(lane)
  }

  /** When `release` may have something that it has not now; 0 when it has something now. */
  get nextDeadlineMs(): number {
    return this.#ready.count > 0 ? 0 : this.#waiting.nearestMs
  }

  /** Takes a record: behind what was accepted before it. */
  add(record: KinesisRecord, nowMs: number): void {
    const lane = this.#lane(record.predictedShard, nowMs)
    lane.queue.insert(record)
    this.#added(lane, record, nowMs)
  }

  /** Takes a record that was out: before everything else of its lane. */
  addFirst(record: KinesisRecord, nowMs: number): void {
    const lane = this.#lane(record.predictedShard, nowMs)
    lane.queue.unshift(record)
    this.#added(lane, record, nowMs)
  }

  /**
   * Takes out the next record that may be sent, or one whose time to live has ended while it waited (the caller looks at
   * `expirationMs`); undefined when there is none now.
   */
  release(nowMs: number): KinesisRecord | undefined {
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

  /** What `RecordQueue.takeExpired` takes, also where `release` may not be asked because nobody has room. */
  takeExpired(nowMs: number): KinesisRecord[] {
    const expired: KinesisRecord[] = []
    if (this.#expirationBoundMs > nowMs) return expired
    this.#expirationBoundMs = NEVER_MS
    for (const lane of this.#lanes.values()) {
      for (const record of lane.queue.takeExpired(nowMs)) {
        this.#count--
        this.#free(lane, record)
        expired.push(record)
      }
      this.#expirationBoundMs = Math.min(this.#expirationBoundMs, lane.queue.nearestExpirationMs)
      this.#place(lane, nowMs)
    }
    return expired
  }

  /** The record's fate after its release is decided: in ordered mode its lane may send the next. */
  answered(record: KinesisRecord, nowMs: number): void {
    const lane = this.#lanes.get(record.predictedShard)
    if (lane?.out.delete(record) === true) {
      this.#free(lane, record)
      this.#place(lane, nowMs)
      return
    }
    for (const drained of this.#draining) {
      if (drained.out.delete(record) && drained.out.size === 0) this.#unblock(drained, nowMs)
    }
  }

  /** Ordered mode: the lanes that are no more and whose last record is still out. */
  get drainingIds(): string[] {
    return [...this.#draining].map(lane => lane.id)
  }

  /**
   * Ordered mode: keeps `laneId` back until the draining lane of that id is drained.
   * Sequence without it: record 1 goes to the parent and times out -> the shard splits -> record 2 of its key is stored in
   * the child -> record 1 is sent again, behind it.
   */
  blockOn(laneId: string, drainingId: string, nowMs: number): void {
    const lane = this.#lane(laneId, nowMs)
    for (const drained of this.#draining) {
      if (drained.id === drainingId) lane.blockers.add(drained)
    }
    this.#place(lane, nowMs)
  }

  /**
   * An attempt that began at `startMs` ended: what was stored ends the back-off; a failure begins or doubles it, exponentially
   * with full jitter. Sequence: requests A, B start -> A fails, back-off doubles -> B fails too: it began before that was
   * known, and doubles nothing.
   */
  learn(laneId: string, lesson: Lesson, startMs: number, nowMs: number): void {
    if (lesson === 'stored') this.#succeeded(laneId)
    else if (lesson !== 'nothing') this.#failed(this.#lane(laneId, nowMs), startMs, nowMs, lesson === 'throttled')
  }

  #succeeded(laneId: string): void {
    const lane = this.#lanes.get(laneId)
    if (lane !== undefined) lane.failures = 0
  }

  #failed(lane: Lane, startMs: number, nowMs: number, isThrottled: boolean): void {
    if (startMs < lane.lastFailureMs) return
    lane.lastFailureMs = nowMs
    if (isThrottled) lane.bucket.throttle(nowMs)
    const doublings = Math.min(lane.failures, MAX_DOUBLINGS)
    const ceilingMs = Math.min(this.#options.retryCapMs, this.#options.retryBaseMs * 2 ** doublings)
    lane.failures++
    lane.blockedUntilMs = Math.max(lane.blockedUntilMs, nowMs + this.#random() * ceilingMs)
    this.#place(lane, nowMs)
  }

  /** Ends every back-off: the outage that caused them is over. */
  forgive(nowMs: number): void {
    for (const lane of this.#lanes.values()) {
      lane.failures = 0
      lane.blockedUntilMs = nowMs
      this.#place(lane, nowMs)
    }
  }

  /** Keeps a lane back until `resumeAll`: its shard is known to have changed and the new map is on its way. */
  hold(laneId: string, nowMs: number): void {
    const lane = this.#lane(laneId, nowMs)
    lane.isHeld = true
    this.#place(lane, nowMs)
  }

  resumeAll(nowMs: number): void {
    for (const lane of this.#lanes.values()) {
      if (!lane.isHeld) continue
      lane.isHeld = false
      this.#place(lane, nowMs)
    }
  }

  /** Forgets the lanes that `isGone` says and returns what they held: see `mergeOldestFirst`. Cost: O(lanes), and a sort. */
  takeLanes(isGone: (laneId: string) => boolean): KinesisRecord[] {
    const queues: KinesisRecord[][] = []
    for (const lane of this.#lanes.values()) {
      if (!isGone(lane.id)) continue
      this.#count -= lane.queue.count
      queues.push(lane.queue.takeAll())
      this.#waiting.remove(lane)
      this.#full.delete(lane)
      this.#lanes.delete(lane.id)
      if (this.#options.ordering === 'key' && lane.out.size > 0) this.#draining.add(lane)
    }
    return mergeOldestFirst(queues)
  }

  /** Takes out all that waits; lanes stay. */
  takeAll(nowMs: number): KinesisRecord[] {
    const taken: KinesisRecord[] = []
    for (const lane of this.#lanes.values()) {
      for (const record of lane.queue.takeAll()) {
        this.#free(lane, record)
        taken.push(record)
      }
      this.#place(lane, nowMs)
    }
    this.#count = 0
    return taken
  }

  /** A lane's present rate as a part of its full rate; undefined: no such lane. */
  rateFactorOf(laneId: string): number | undefined {
    return this.#lanes.get(laneId)?.bucket.factor
  }

  #added(lane: Lane, record: KinesisRecord, nowMs: number): void {
    this.#count++
    lane.heldBytes += record.members.budgetBytes
    if (lane.heldBytes > this.#options.laneMaxBytes) this.#full.add(lane)
    this.#expirationBoundMs = Math.min(this.#expirationBoundMs, record.expirationMs)
    this.#place(lane, nowMs)
  }

  #takeFrom(lane: Lane, nowMs: number): KinesisRecord | undefined {
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

  #free(lane: Lane, record: KinesisRecord): void {
    lane.heldBytes -= record.members.budgetBytes
    // Room is announced when a good part of the share is free, so that waiters do not wake for one record at a time.
    if (lane.heldBytes <= this.#options.laneMaxBytes * REFILL_PART) this.#full.delete(lane)
  }

  #mayTry(lane: Lane, nowMs: number): boolean {
    return !lane.isHeld && !this.#isOccupied(lane) && lane.blockedUntilMs <= nowMs
  }

  #isOccupied(lane: Lane): boolean {
    return this.#options.ordering === 'key' && (lane.out.size > 0 || lane.blockers.size > 0)
  }

  #unblock(drained: Lane, nowMs: number): void {
    this.#draining.delete(drained)
    for (const lane of this.#lanes.values()) {
      if (lane.blockers.delete(drained)) this.#place(lane, nowMs)
    }
  }

  /** Puts a lane where it belongs after any change: ready, waiting for a moment, or nowhere. */
  #place(lane: Lane, nowMs: number): void {
    const first = lane.queue.first
    if (first === undefined || lane.isReady) {
      this.#waiting.remove(lane)
      return
    }
    let readyMs = lane.isHeld || this.#isOccupied(lane) ? NEVER_MS : lane.blockedUntilMs
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

  #lane(id: string, nowMs: number): Lane {
    const known = this.#lanes.get(id)
    if (known !== undefined) return known
    const lane = newLane(id, this.#options.rateLimitPercent, nowMs)
    this.#lanes.set(id, lane)
    return lane
  }
}

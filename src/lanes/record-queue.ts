/**
 * The sealed records of one lane, oldest first: retries come back before everything that was accepted after them.
 * Invariant: whatever `unshift` put in front leaves first; the rest leaves by the number of the oldest member, and so by the
 * end of the times to live.
 * Cost: O(1) amortised for records in their order, O(log n) for one that comes back; an insert among what `unshift` put in
 * front, which is little, is a search and a move.
 */
import type { KinesisRecord } from '../model/kinesis-record.ts'
import { Fifo } from './fifo.ts'
import { ageOf, RecordHeap } from './record-heap.ts'

export class RecordQueue<Queued extends KinesisRecord> {
  /** The records that `unshift` put in front, the next one last. */
  readonly #front: Queued[] = []
  readonly #inOrder = new Fifo<Queued>()
  /** The records that came out of order: older than the newest of `#inOrder` at that time. */
  readonly #returned = new RecordHeap<Queued>()

  get count(): number {
    return this.#front.length + this.#inOrder.count + this.#returned.count
  }

  get first(): Queued | undefined {
    return this.#front.at(-1) ?? this.#oldest
  }

  /** When the next record expires: the first by age, or one that `unshift` put in front of it. */
  get nearestExpirationMs(): number {
    let nearestMs = this.#oldest?.expirationMs ?? Number.POSITIVE_INFINITY
    for (const { expirationMs } of this.#front) nearestMs = Math.min(nearestMs, expirationMs)
    return nearestMs
  }

  /**
   * Takes out what has expired, and what `unshift` put before it: those of its members that have not expired come back to
   * the front, and must not overtake what stood there.
   */
  takeExpired(nowMs: number): Queued[] {
    const isExpired = (record: Queued | undefined): boolean => record !== undefined && record.expirationMs <= nowMs
    const last = isExpired(this.#oldest) ? 0 : this.#front.findIndex(isExpired)
    const taken = last < 0 ? [] : this.#front.splice(last).reverse()
    while (isExpired(this.#oldest)) taken.push(this.#shiftOldest()!)
    return taken
  }

  insert(record: Queued): void {
    const age = ageOf(record)
    const { last } = this.#inOrder
    const oldest = this.#oldest
    if ((oldest === undefined || age < ageOf(oldest)) && this.#goesAmongFront(record)) return
    if (last === undefined || ageOf(last) <= age) this.#inOrder.push(record)
    else this.#returned.push(record)
  }

  /** Puts a record before all others, whatever its number. */
  unshift(record: Queued): void {
    this.#front.push(record)
  }

  shift(): Queued | undefined {
    return this.#front.pop() ?? this.#shiftOldest()
  }

  /** Takes everything out, in the order in which it would have left. */
  takeAll(): Queued[] {
    const all = this.#front.splice(0).reverse()
    for (let next = this.#shiftOldest(); next !== undefined; next = this.#shiftOldest()) all.push(next)
    return all
  }

  get #oldest(): Queued | undefined {
    const next = this.#inOrder.first
    const returned = this.#returned.first
    if (next === undefined || returned === undefined) return next ?? returned
    return ageOf(next) < ageOf(returned) ? next : returned
  }

  #shiftOldest(): Queued | undefined {
    return this.#oldest === this.#inOrder.first ? this.#inOrder.shift() : this.#returned.pop()
  }

  /** Whether it was put among what is in front: before the youngest of those behind which all are younger than it. */
  #goesAmongFront(record: Queued): boolean {
    const front = this.#front
    let younger = 0
    while (younger < front.length && ageOf(front[younger]!) > ageOf(record)) younger++
    if (younger > 0) front.splice(younger, 0, record)
    return younger > 0
  }
}

/**
 * Joins what queues held: each stays in its order, because a later record of a key may stand behind an older one of another, and
 * among queues the oldest come first.
 */
export function mergeOldestFirst<Queued extends KinesisRecord>(queues: readonly (readonly Queued[])[]): Queued[] {
  const placed = queues.flatMap(queue => {
    let place = 0
    return queue.map(record => {
      place = Math.max(place, ageOf(record))
      return { record, place }
    })
  })
  return placed.sort((left, right) => left.place - right.place).map(({ record }) => record)
}

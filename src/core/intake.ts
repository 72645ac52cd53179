/**
 * From accepted record to sealed record: router and aggregator in their order. What was packed before the stream's
 * first map and summary came is kept here unrouted, and is never handed on as it is.
 * Invariant: a record that entered is in an open envelope, kept unrouted, or was handed on sealed, in a lane of
 * `Router`.
 */

import { Aggregator, type AggregatorOptions } from '../lanes/aggregator.ts'
import { type AcceptedRecord, type KinesisRecord, UNROUTED_LANE } from '../model/kinesis-record.ts'
import type { HashedKey } from './key-cache.ts'
import type { Router } from './router.ts'

/** Open envelopes while there is no map, one for each hash key; beyond it records go alone. */
const MAX_KEYED_LANES = 1024

export class Intake {
  readonly #aggregator: Aggregator
  readonly #router: Router
  #unrouted: KinesisRecord[] = []

  constructor(options: AggregatorOptions, router: Router, emit: (record: KinesisRecord) => void) {
    this.#router = router
    this.#aggregator = new Aggregator(options, record => {
      if (record.predictedShard === UNROUTED_LANE) this.#unrouted.push(record)
      else emit(record)
    })
  }

  get openEnvelopes(): number {
    return this.#aggregator.laneCount
  }

  get nextDeadlineMs(): number {
    return this.#aggregator.nextDeadlineMs
  }

  /** Takes a record; returns true when it quietly joined an open envelope. `alone`: not with others. */
  add(record: AcceptedRecord, key: HashedKey | undefined, alone: boolean): boolean {
    this.#router.route(record, key)
    const isFull = this.#router.isRoutedByKey && this.#aggregator.laneCount >= MAX_KEYED_LANES
    const { mayAggregate } = this.#router
    if (mayAggregate && !isFull && !alone) return this.#aggregator.add(record)
    this.#aggregator.addAlone(record, mayAggregate)
    return false
  }

  sealDue(nowMs: number): void {
    this.#aggregator.sealDue(nowMs)
  }

  sealAll(): void {
    this.#aggregator.sealAll()
  }

  /** Seals what is open in lanes that are no more, and returns what was kept unrouted if it can be routed now. */
  relane(): KinesisRecord[] {
    this.#aggregator.sealWhere(lane => !this.#router.isCurrent(lane))
    return this.#router.isAwaiting ? [] : this.takeUnrouted()
  }

  takeUnrouted(): KinesisRecord[] {
    const unrouted = this.#unrouted
    this.#unrouted = []
    return unrouted
  }
}

/** Lanes for tests of stages, and an aggregator that remembers what it sealed. */
import { expect } from 'vitest'
import { Aggregator, type AggregatorOptions } from '../../src/lanes/aggregator.ts'
import { Lane, type LaneRecord } from '../../src/lanes/lane.ts'
import type { Limiter } from '../../src/lanes/limiter.ts'
import type { AcceptedRecord } from '../../src/model/kinesis-record.ts'
import { writeDigests } from '../../src/wire/envelope-digest.ts'

const lanes = new Map<string, Lane>()

/** The lane of a shard: within one test always the same for the same id. `limiter`: whose lane it is, if any. */
export function laneOf(shardId: string, limiter?: Limiter): Lane {
  const name = `${expect.getState().currentTestName} ${shardId}`
  const place = { kind: 'shard', shardId } as const
  const lane = lanes.get(name) ?? limiter?.open(place, 0) ?? new Lane(place, 150, 0)
  lanes.set(name, lane)
  return lane
}

export const PACKING: AggregatorOptions = {
  aggregationEnabled: true,
  aggregationMaxCount: 1000,
  aggregationMaxBytes: 51_200,
  containerKey: 'a'
}

/** An aggregator, and what it has sealed so far. */
export class Packing {
  readonly sealed: LaneRecord[] = []
  readonly aggregator: Aggregator

  constructor(options: Partial<AggregatorOptions> = {}) {
    this.aggregator = new Aggregator({ ...PACKING, ...options })
  }

  /** Returns whether the record quietly joined an open envelope. */
  add(record: AcceptedRecord, lane: Lane = laneOf('shardId-0')): boolean {
    const sealed = this.aggregator.add(record, lane)
    this.#keep(sealed ?? [])
    return sealed === undefined
  }

  addAlone(record: AcceptedRecord, lane: Lane, mayWrap: boolean): void {
    this.#keep(this.aggregator.addAlone(record, lane, mayWrap))
  }

  sealAll(): void {
    this.#keep(this.aggregator.sealAll())
  }

  sealDue(nowMs: number): void {
    this.#keep(this.aggregator.sealDue(nowMs))
  }

  get nextDeadlineMs(): number {
    return this.aggregator.nextDeadlineMs
  }

  get openCount(): number {
    return this.aggregator.openCount
  }

  /** With their digests, as they leave for the service. */
  #keep(sealed: readonly LaneRecord[]): void {
    writeDigests(sealed.filter(({ isDigested }) => !isDigested).map(({ data }) => data))
    this.sealed.push(...sealed)
  }
}

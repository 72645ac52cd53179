/**
 * The collector against a twin that looks at all that waits each time, over every call in any order.
 * Invariant: the twin keeps records in plain arrays and computes everything from them; it has no counters.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Collector, type CollectorOptions } from '../../src/core/collector.ts'
import type { LaneBatch, LaneRecord } from '../../src/lanes/lane.ts'
import { Members } from '../../src/model/kinesis-record.ts'
import { laneOf } from '../support/lanes.ts'
import { check, shareOf, TIMEOUT_MS } from './cases.ts'

const anyOptions: fc.Arbitrary<CollectorOptions> = fc.record({
  collectionMaxCount: fc.constantFrom(1, 2, 3, 10, 500),
  collectionMaxBytes: fc.constantFrom(100, 1000, 52_224, 5_242_880),
  collectionMaxShardBytes: fc.constantFrom(100, 1024, 262_144, 10_485_760)
})
const anyBytes = fc.oneof(
  fc.constantFrom(1, 50, 99, 100, 101, 500, 1000, 1001, 262_143, 262_144, 5_242_880),
  fc.integer({ min: 1, max: 600 })
)
const drawnRecord = fc.record({
  requestBytes: anyBytes,
  shard: fc.nat({ max: 3 }),
  deadlineMs: fc.integer({ min: 0, max: 300 })
})
type DrawnRecord = typeof drawnRecord extends fc.Arbitrary<infer T> ? T : never

const anyStep = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('add' as const), record: drawnRecord }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('many' as const), record: drawnRecord }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('take' as const), isUrgent: fc.boolean(), waitedMs: fc.nat(40) })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('isolate' as const),
      records: fc.array(drawnRecord, { minLength: 1, maxLength: 3 })
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeAll' as const) }) }
)
const MANY = 60

class CollectorTwin {
  waiting: LaneRecord[] = []
  isolated: LaneRecord[][] = []
  readonly #options: CollectorOptions

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  get hasRoom(): boolean {
    const { collectionMaxCount, collectionMaxBytes } = this.#options
    return this.waiting.length < 2 * collectionMaxCount && bytesOf(this.waiting) < 2 * collectionMaxBytes
  }

  get isFull(): boolean {
    const { collectionMaxCount, collectionMaxBytes, collectionMaxShardBytes } = this.#options
    const shards = new Set(this.waiting.map(record => record.lane.shardId!))
    const bytesIn = (shard: string) => bytesOf(this.waiting.filter(record => record.lane.shardId! === shard))
    return (
      this.waiting.length >= collectionMaxCount ||
      bytesOf(this.waiting) >= collectionMaxBytes ||
      [...shards].some(shard => bytesIn(shard) >= collectionMaxShardBytes)
    )
  }

  get nextDeadlineMs(): number {
    return this.isolated.length > 0 || this.isFull ? 0 : Math.min(...this.waiting.map(record => record.deadlineMs))
  }

  take(nowMs: number, isUrgent: boolean): LaneBatch | undefined {
    const isolated = this.isolated.shift()
    if (isolated !== undefined) return { entries: isolated, requestBytes: bytesOf(isolated), isIsolated: true }
    const isDue = this.waiting.length > 0 && (isUrgent || this.nextDeadlineMs <= nowMs)
    if (!isDue) return undefined
    const { collectionMaxCount, collectionMaxBytes } = this.#options
    let count = 1
    while (
      count < Math.min(collectionMaxCount, this.waiting.length) &&
      bytesOf(this.waiting.slice(0, count + 1)) <= collectionMaxBytes
    )
      count++
    const entries = this.waiting.splice(0, count)
    return { entries, requestBytes: bytesOf(entries), isIsolated: false }
  }
}

test(`batches are the twin's, nothing is lost, order is kept (${shareOf(20)} runs)`, {
  timeout: TIMEOUT_MS
}, async () => {
  const checked = check(
    shareOf(20),
    fc.property(anyOptions, fc.array(anyStep, { maxLength: 60 }), (options, steps) => {
      const collector = new Collector(options)
      const twin = new CollectorTwin(options)
      const added: LaneRecord[] = []
      const left: LaneRecord[] = []
      let nowMs = 0
      const make = (drawn: DrawnRecord) => {
        const record = recordOf(drawn, nowMs)
        added.push(record)
        return record
      }

      for (const step of steps) {
        if (step.kind === 'add' || step.kind === 'many') {
          for (let i = step.kind === 'many' ? MANY : 1; i > 0; i--) {
            const record = make(step.record)
            collector.add(record)
            twin.waiting.push(record)
          }
        } else if (step.kind === 'isolate') {
          const entries = step.records.map(make)
          collector.addIsolated(entries)
          twin.isolated.push(entries)
        } else if (step.kind === 'take') {
          nowMs += step.waitedMs
          const batch = collector.take(nowMs, step.isUrgent)
          expectSameBatch(batch, twin.take(nowMs, step.isUrgent))
          if (batch !== undefined && batch.entries.length > 1 && !batch.isIsolated) expectWithin(batch, options)
          left.push(...(batch?.entries ?? []))
        } else {
          const all = collector.takeAll()
          expect(isSameList(all, [...twin.waiting, ...twin.isolated.flat()])).toBe(true)
          twin.waiting = []
          twin.isolated = []
          left.push(...all)
        }
        expect([collector.count, collector.hasRoom, collector.nextDeadlineMs]).toEqual([
          twin.waiting.length,
          twin.hasRoom,
          twin.nextDeadlineMs
        ])
      }

      left.push(...collector.takeAll())
      expect([left.length, new Set(left).size, new Set([...left, ...added]).size]).toEqual(Array(3).fill(added.length))
    })
  )

  await expect(checked).resolves.toBeUndefined()
})

test(`records of one shard leave in the order they came, whatever the limits (${shareOf(20)} runs)`, {
  timeout: TIMEOUT_MS
}, async () => {
  const checked = check(
    shareOf(20),
    fc.property(anyOptions, fc.array(drawnRecord, { maxLength: 80 }), fc.nat({ max: 9 }), (options, drawn, every) => {
      const collector = new Collector(options)
      const added = drawn.map(one => recordOf(one, 0))
      const left: LaneRecord[] = []

      added.forEach((record, i) => {
        collector.add(record)
        if (i % (every + 1) === 0) left.push(...(collector.take(i, false)?.entries ?? []))
      })
      while (collector.count > 0) left.push(...(collector.take(0, true)?.entries ?? []))

      expect(isSameList(left, added)).toBe(true)
    })
  )

  await expect(checked).resolves.toBeUndefined()
})

function expectSameBatch(batch: LaneBatch | undefined, expected: LaneBatch | undefined): void {
  const isSame =
    batch === expected ||
    (batch?.isIsolated === expected?.isIsolated &&
      batch?.requestBytes === expected?.requestBytes &&
      isSameList(batch?.entries ?? [], expected?.entries ?? []))
  if (!isSame) expect(batch).toEqual(expected)
}

function expectWithin({ entries, requestBytes }: LaneBatch, options: CollectorOptions): void {
  expect(requestBytes).toBe(bytesOf(entries))
  expect(requestBytes).toBeLessThanOrEqual(options.collectionMaxBytes)
  expect(entries.length).toBeLessThanOrEqual(options.collectionMaxCount)
}

/** The same objects in the same order. */
function isSameList(left: readonly LaneRecord[], right: readonly LaneRecord[]): boolean {
  return left.length === right.length && left.every((record, i) => record === right[i])
}

function bytesOf(records: readonly LaneRecord[]): number {
  let bytes = 0
  for (const record of records) bytes += record.requestBytes
  return bytes
}

const NO_DATA = new Uint8Array()
const NO_MEMBERS = new Members()

function recordOf({ requestBytes, shard, deadlineMs }: DrawnRecord, nowMs: number): LaneRecord {
  return {
    data: NO_DATA,
    partitionKey: 'k',
    explicitHashKey: undefined,
    isAggregate: false,
    isDigested: true,
    members: NO_MEMBERS,
    requestBytes,
    lane: laneOf(`shardId-${shard}`),
    deadlineMs: nowMs + deadlineMs,
    expirationMs: 120_000,
    attempts: [],
    persisted: 'no'
  }
}

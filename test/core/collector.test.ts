import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Collector, type CollectorOptions } from '../../src/core/collector.ts'
import type { LaneBatch, LaneRecord } from '../../src/lanes/lane.ts'
import { sealed } from '../support/accepted.ts'
import { laneOf } from '../support/lanes.ts'

const LIMITS: CollectorOptions = { collectionMaxCount: 5, collectionMaxBytes: 1000, collectionMaxShardBytes: 400 }

test('a batch is never above its limits but for one oversize record alone, and records leave in their order', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'add', 'add', 'take', 'takeUrgent'),
    requestBytes: fc.integer({ min: 1, max: 1500 }),
    shard: fc.integer({ min: 0, max: 3 })
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), steps => {
      const collector = new Collector(LIMITS)
      const added: LaneRecord[] = []
      const left: LaneRecord[] = []
      for (const { kind, requestBytes, shard } of steps) {
        if (kind === 'add') {
          const record = sealed({ requestBytes, lane: laneOf(`shardId-${shard}`) })
          collector.add(record)
          added.push(record)
        } else {
          const isFull = isFullTwin(added.slice(left.length))
          const batch = collector.take(0, kind === 'takeUrgent')
          expect(batch !== undefined).toBe(added.length > left.length && (kind === 'takeUrgent' || isFull))
          if (batch === undefined) continue
          expectWithinLimits(batch)
          left.push(...batch.entries)
        }
        const waiting = added.slice(left.length)
        expect(collector.count).toBe(waiting.length)
        expect(collector.nextDeadlineMs).toBe(isFullTwin(waiting) ? 0 : waiting.length > 0 ? 100 : Infinity)
        expect(collector.hasRoom).toBe(waiting.length < 10 && bytesOf(waiting) < 2000)
      }

      for (let batch = collector.take(0, true); batch !== undefined; batch = collector.take(0, true)) {
        left.push(...batch.entries)
      }

      expect(left.length).toBe(added.length)
      expect(left.every((record, i) => record === added[i])).toBe(true)
    }),
    { numRuns: 300 }
  )
})

test('a batch takes as much as fits', () => {
  const collector = new Collector({ ...LIMITS, collectionMaxShardBytes: 1_000_000 })
  for (const requestBytes of [500, 500, 1, 1, 1]) collector.add(sealed({ requestBytes }))

  const batch = collector.take(0, true)

  expect([batch?.entries.length, batch?.requestBytes, batch?.isIsolated, collector.count]).toEqual([2, 1000, false, 3])
})

test('an oversize record goes alone, whatever waits before and behind it', () => {
  const collector = new Collector(LIMITS)
  for (const requestBytes of [10, 5000, 10]) collector.add(sealed({ requestBytes }))

  const sizes = Array.from({ length: 4 }, () => collector.take(0, true)?.entries.map(record => record.requestBytes))

  expect(sizes).toEqual([[10], [5000], [10], undefined])
})

test('one shard with enough in it makes a batch due, others with less do not', () => {
  const collector = new Collector(LIMITS)
  collector.add(sealed({ requestBytes: 399, lane: laneOf('a') }))
  collector.add(sealed({ requestBytes: 399, lane: laneOf('b') }))

  const before = collector.take(0, false)
  collector.add(sealed({ requestBytes: 1, lane: laneOf('b') }))

  expect(before).toBeUndefined()
  expect(collector.nextDeadlineMs).toBe(0)
  expect(collector.take(0, false)?.requestBytes).toBe(799)
  expect(collector.nextDeadlineMs).toBe(Infinity)
})

test('the nearest deadline makes a batch due, and what is left keeps its own', () => {
  const collector = new Collector({ ...LIMITS, collectionMaxCount: 2, collectionMaxShardBytes: 1_000_000 })
  for (const deadlineMs of [90, 70, 80]) collector.add(sealed({ requestBytes: 1, deadlineMs }))
  collector.take(0, false)

  const answers = [collector.nextDeadlineMs, collector.take(79, false), collector.take(80, false)?.entries.length]

  expect(answers).toEqual([80, undefined, 1])
})

test('isolated batches go first, as they are, in their order, and are not counted', () => {
  const collector = new Collector(LIMITS)
  const plain = sealed({ requestBytes: 5 })
  const first = [sealed({ requestBytes: 900 }), sealed({ requestBytes: 900 })]
  const second = [sealed({ requestBytes: 1 })]
  collector.add(plain)
  collector.addIsolated(first)
  collector.addIsolated(second)
  const before = { count: collector.count, nextDeadlineMs: collector.nextDeadlineMs, hasRoom: collector.hasRoom }

  const batches = [collector.take(0, false), collector.take(0, false), collector.take(0, false)]

  expect(before).toEqual({ count: 1, nextDeadlineMs: 0, hasRoom: true })
  expect(batches).toEqual([
    { entries: first, requestBytes: 1800, isIsolated: true },
    { entries: second, requestBytes: 1, isIsolated: true },
    undefined
  ])
  expect(collector.take(0, true)).toEqual({ entries: [plain], requestBytes: 5, isIsolated: false })
})

test('all that waits is taken out, isolated batches included, and nothing stays behind', () => {
  const collector = new Collector(LIMITS)
  const records = [sealed({ requestBytes: 500 }), sealed({ requestBytes: 700 }), sealed({ requestBytes: 3 })]
  collector.add(records[0]!)
  collector.add(records[1]!)
  collector.addIsolated([records[2]!])

  const all = collector.takeAll()

  expect(all.length).toBe(3)
  expect(new Set(all)).toEqual(new Set(records))
  expect([collector.count, collector.hasRoom, collector.nextDeadlineMs, collector.take(1e9, true)]).toEqual([
    0,
    true,
    Infinity,
    undefined
  ])
})

function expectWithinLimits({ entries, requestBytes }: LaneBatch): void {
  expect(requestBytes).toBe(bytesOf(entries))
  expect(entries.length).toBeGreaterThan(0)
  expect(entries.length).toBeLessThanOrEqual(LIMITS.collectionMaxCount)
  if (entries.length > 1) expect(requestBytes).toBeLessThanOrEqual(LIMITS.collectionMaxBytes)
}

function isFullTwin(waiting: readonly LaneRecord[]): boolean {
  const shards = new Set(waiting.map(record => record.lane.shardId!))
  const isShardFull = [...shards].some(
    shard => bytesOf(waiting.filter(record => record.lane.shardId! === shard)) >= LIMITS.collectionMaxShardBytes
  )
  return waiting.length >= LIMITS.collectionMaxCount || bytesOf(waiting) >= LIMITS.collectionMaxBytes || isShardFull
}

function bytesOf(records: readonly LaneRecord[]): number {
  return records.reduce((total, record) => total + record.requestBytes, 0)
}

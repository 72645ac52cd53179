/** What the KPL's reducer_test asserts, on both of our stages that reduce: the aggregator and the collector. */
import { describe, expect, test } from 'vitest'
import type { Batch, KinesisRecord } from '../../src/model/kinesis-record.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { accepted, sealed } from '../support/accepted.ts'
import { collector as open } from '../support/collector.ts'
import { Packing } from '../support/lanes.ts'

const LIMIT_BYTES = 10_000

describe('reducer_test, user records into one Kinesis record', () => {
  test('CountLimit: nothing leaves until the limit is reached, then a full record does, three times over', () => {
    const stage = new Packing({ aggregationMaxCount: 100 })
    const counts: number[] = []

    for (let i = 0; i < 300; i++) {
      stage.add(accepted('key', `${i}`))
      counts.push(stage.sealed.length)
    }

    expect(counts).toEqual(Array.from({ length: 300 }, (_, i) => Math.floor((i + 1) / 100)))
    expect([stage.sealed.map(record => record.members.count), stage.openCount]).toEqual([[100, 100, 100], 0])
  })

  test('SizeLimit: in 250 rounds what left and what stays is what was put, in order, and no record exceeds the limit', () => {
    const random = seededRandom(3)
    for (let round = 0; round < 250; round++) {
      const stage = new Packing({ aggregationMaxBytes: LIMIT_BYTES })
      const put: number[] = []
      while (stage.sealed.length === 0) {
        const data = 'x'.repeat(Math.floor(random() * 500))
        const record = accepted(`key-${Math.floor(random() * 20)}`, data)
        put.push(record.number)
        stage.add(record)
      }

      const flushed = stage.sealed[0]!.members.numbers
      stage.sealAll()

      expect(flushed).toEqual(put.slice(0, flushed.length))
      expect(stage.sealed.flatMap(record => record.members.numbers)).toEqual(put)
      expect(stage.sealed.filter(record => record.data.length > LIMIT_BYTES)).toEqual([])
    }
  })

  test('SizeLimit, better than the KPL: sizes are exact, so the first record to leave has no room for the next one', () => {
    const stage = new Packing({ aggregationMaxBytes: LIMIT_BYTES })

    for (let i = 0; i < 400; i++) stage.add(accepted('key', 'x'.repeat(130)))

    // 20 of envelope, 5 of key table, 138 a member: 72 of them fit, and the 73rd would not.
    expect(stage.sealed.map(record => [record.members.count, record.data.length])).toEqual(Array(5).fill([72, 9961]))
  })

  test('Deadline: a hundred far deadlines wait, one that is up seals them all, and the order of acceptance stays', () => {
    const stage = new Packing()
    const far = Array.from({ length: 100 }, (_, i) => accepted('key', `${i}`, { sealByMs: 5000 }))
    for (const record of far) stage.add(record)
    stage.sealDue(1000)
    const countAtOneSecond = stage.sealed.length
    const urgent = accepted('key', 'urgent', { sealByMs: 1000 })

    const isQuiet = stage.add(urgent)
    const nextMs = stage.nextDeadlineMs
    stage.sealDue(1000)

    expect([countAtOneSecond, isQuiet, nextMs]).toEqual([0, false, 1000])
    expect(stage.sealed.map(record => record.members.numbers)).toEqual([[...far, urgent].map(record => record.number)])
    expect(stage.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY)
  })

  test('ResetTimeout: when the near deadline left by size, the next one is that of what stays, and order is kept', () => {
    const stage = new Packing({ aggregationMaxBytes: LIMIT_BYTES })
    const records = [
      accepted('key', 'near', { sealByMs: 1000 }),
      accepted('key', 'x'.repeat(6000), { sealByMs: 2500 }),
      accepted('key', 'y'.repeat(6000), { sealByMs: 2500 })
    ]
    for (const record of records) stage.add(record)
    const afterSize = stage.sealed.length

    const nextMs = stage.nextDeadlineMs
    stage.sealDue(2499)
    const afterFormerDeadline = stage.sealed.length
    stage.sealDue(2500)

    expect([afterSize, nextMs, afterFormerDeadline]).toEqual([1, 2500, 1])
    expect(stage.sealed.map(record => record.members.numbers)).toEqual([
      [records[0]!.number, records[1]!.number],
      [records[2]!.number]
    ])
  })

  test('GiantRecord: 11,000 bytes under a limit of 10,000 leave at once and plain', () => {
    const stage = new Packing({ aggregationMaxBytes: LIMIT_BYTES })

    stage.add(accepted('key', 'x'.repeat(11_000)))

    expect(stage.sealed.map(record => [record.data.length, record.isAggregate])).toEqual([[11_000, false]])
    expect(stage.openCount).toBe(0)
  })

  test('GiantRecord, better than the KPL: behind other records it leaves at once too, and after them', () => {
    const stage = new Packing({ aggregationMaxBytes: LIMIT_BYTES })
    for (const data of ['first', 'second', 'x'.repeat(11_000)]) stage.add(accepted('key', data))

    const left = stage.sealed.map(record => [record.members.count, record.isAggregate])

    expect([left, stage.openCount]).toEqual([
      [
        [2, true],
        [1, false]
      ],
      0
    ])
  })

  test('NonEmpty: a flush of nothing gives nothing', () => {
    const stage = new Packing()

    stage.sealAll()
    stage.sealDue(Number.MAX_SAFE_INTEGER)

    expect([stage.sealed, stage.nextDeadlineMs]).toEqual([[], Number.POSITIVE_INFINITY])
  })
})

describe('reducer_test, Kinesis records into one request', () => {
  test('CountLimit: nothing leaves until the limit is reached, then a full request does, three times over', () => {
    const collector = open({ collectionMaxCount: 100 })
    const batches: (number | undefined)[] = []

    for (let i = 0; i < 300; i++) {
      collector.add(sealed())
      batches.push(collector.take(0, false)?.entries.length)
    }

    expect(batches).toEqual(Array.from({ length: 300 }, (_, i) => (i % 100 === 99 ? 100 : undefined)))
    expect(collector.count).toBe(0)
  })

  test('SizeLimit: in 250 rounds what left and what stays is what was put, in order, and no request exceeds the limit', () => {
    const random = seededRandom(4)
    for (let round = 0; round < 250; round++) {
      const collector = open({ collectionMaxBytes: LIMIT_BYTES })
      const put: KinesisRecord[] = []
      let batch: Batch | undefined
      while (batch === undefined) {
        const record = sealed({ requestBytes: 1 + Math.floor(random() * 500) })
        put.push(record)
        collector.add(record)
        batch = collector.take(0, false)
      }

      const rest = collector.takeAll()

      expect([...batch.entries, ...rest]).toEqual(put)
      expect(batch.requestBytes).toBeLessThanOrEqual(LIMIT_BYTES)
      expect(batch.requestBytes).toBe(batch.entries.reduce((sum, entry) => sum + entry.requestBytes, 0))
    }
  })

  test('Deadline: a hundred far deadlines wait, and one that is up takes them all along', () => {
    const collector = open()
    for (let i = 0; i < 100; i++) collector.add(sealed({ deadlineMs: 5000 }))
    const early = collector.take(1000, false)
    collector.add(sealed({ deadlineMs: 1000 }))

    const nextMs = collector.nextDeadlineMs
    const batch = collector.take(1000, false)

    expect([early, nextMs, batch?.entries.length]).toEqual([undefined, 1000, 101])
    expect(collector.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY)
  })

  test('ResetTimeout: when the near deadline left by size, the next one is that of what stays', () => {
    const collector = open({ collectionMaxBytes: LIMIT_BYTES })
    for (const deadlineMs of [1000, 2501, 2502, 2500]) collector.add(sealed({ requestBytes: 3000, deadlineMs }))
    const full = collector.take(0, false)

    const nextMs = collector.nextDeadlineMs
    const early = collector.take(2499, false)
    const rest = collector.take(2500, false)

    expect([full?.entries.length, nextMs, early, rest?.entries.length]).toEqual([3, 2500, undefined, 1])
  })

  test('GiantRecord: one above the limit leaves at once, and alone', () => {
    const collector = open({ collectionMaxBytes: LIMIT_BYTES })
    collector.add(sealed({ requestBytes: 11_000 }))

    const batch = collector.take(0, false)

    expect([batch?.entries.length, batch?.requestBytes, collector.count]).toEqual([1, 11_000, 0])
  })

  test('NonEmpty: an urgent flush of nothing gives nothing', () => {
    const collector = open()

    const batch = collector.take(Number.MAX_SAFE_INTEGER, true)

    expect([batch, collector.nextDeadlineMs]).toEqual([undefined, Number.POSITIVE_INFINITY])
  })
})

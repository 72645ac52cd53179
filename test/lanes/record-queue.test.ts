import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeOldestFirst, RecordQueue } from '../../src/lanes/record-queue.ts'
import { type KinesisRecord, Members } from '../../src/model/kinesis-record.ts'
import { accepted, sealed } from '../support/accepted.ts'

test('any sequence of inserts and shifts gives what a sorted array gives', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('insert' as const), number: fc.nat({ max: 300 }) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'shift' as const, number: 0 }) }
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), steps => {
      const queue = new RecordQueue()
      const twin: KinesisRecord[] = []
      let made = 0
      for (const { kind, number } of steps) {
        if (kind === 'shift') expect(queue.shift()).toBe(twin.shift())
        else {
          // No two records are of one age.
          const record = numbered(number * 1000 + made++)
          queue.insert(record)
          twin.push(record)
          twin.sort((left, right) => numberOf(left) - numberOf(right))
        }
        expect([queue.count, queue.first === twin[0]]).toEqual([twin.length, true])
      }

      expect(queue.takeAll().map(numberOf)).toEqual(twin.map(numberOf))
      expect([queue.count, queue.first]).toEqual([0, undefined])
    }),
    { numRuns: 300 }
  )
})

test('what was taken from the front comes back to the front, and inserts find their place among it', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('insert' as const), number: fc.nat({ max: 300 }) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'shift' as const, number: 0 }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'putBack' as const, number: 0 }) }
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const queue = new RecordQueue()
      const twin: number[] = []
      let out: number[] = []
      for (const { kind, number } of steps) {
        if (kind === 'shift') {
          const record = queue.shift()
          expect(record === undefined ? undefined : numberOf(record)).toBe(twin.shift())
          if (record !== undefined) out.push(numberOf(record))
        } else if (kind === 'insert') {
          queue.insert(numbered(number))
          twin.push(number)
          twin.sort((left, right) => left - right)
        } else {
          const back = out.filter(gone => gone <= (twin[0] ?? Infinity)).sort((left, right) => right - left)
          for (const gone of back) queue.unshift(numbered(gone))
          twin.unshift(...back.reverse())
          out = []
        }
        expect([queue.count, queue.first === undefined ? undefined : numberOf(queue.first)]).toEqual([
          twin.length,
          twin[0]
        ])
      }

      expect(queue.takeAll().map(numberOf)).toEqual(twin)
    }),
    { numRuns: 300 }
  )
})

test.each([
  ['with free places in front', 3],
  ['without free places in front', 0]
])('unshift puts a record before all others whatever its number, %s', (_, shifted) => {
  const queue = new RecordQueue()
  for (let i = 0; i < shifted; i++) queue.insert(numbered(i))
  for (const number of [10, 20]) queue.insert(numbered(number))
  for (let i = 0; i < shifted; i++) queue.shift()

  queue.unshift(numbered(99))

  expect([queue.count, numberOf(queue.first!)]).toEqual([3, 99])
  expect(queue.takeAll().map(numberOf)).toEqual([99, 10, 20])
})

test('an insert behind what unshift put in front stays in order, without free places in front', () => {
  const queue = new RecordQueue()
  queue.insert(numbered(5))
  queue.insert(numbered(7))
  queue.unshift(numbered(9))

  queue.insert(numbered(6))

  expect(queue.takeAll().map(numberOf)).toEqual([9, 5, 6, 7])
})

test('an insert behind what unshift put in front stays in order, with free places in front', () => {
  const queue = new RecordQueue()
  for (const number of [1, 2, 5, 7]) queue.insert(numbered(number))
  queue.shift()
  queue.shift()
  queue.unshift(numbered(9))

  queue.insert(numbered(6))

  expect(queue.takeAll().map(numberOf)).toEqual([9, 5, 6, 7])
})

test.each<[string, number[], number[], number[], number[]]>([
  ['nothing', [], [30, 20], [40], []],
  ['the first in front', [20], [30, 20], [40], [20]],
  ['one in front, and what stands before it', [30], [10, 30, 20], [40], [20, 30]],
  ['one behind, and all that stands in front', [40], [30, 20], [40, 50], [20, 30, 40]],
  ['all', [20, 30, 40], [30, 20], [40], [20, 30, 40]]
])('of what has expired it takes out %s', (_, expiredNumbers, unshifted, inserted, expected) => {
  const queue = new RecordQueue()
  const expiring = (number: number) => numbered(number, expiredNumbers.includes(number) ? 1000 : 2000)
  for (const number of inserted) queue.insert(expiring(number))
  for (const number of unshifted) queue.unshift(expiring(number))
  const before = [...unshifted].reverse().concat(inserted)

  const expired = queue.takeExpired(1000).map(numberOf)

  expect(expired).toEqual(expected)
  expect(queue.takeAll().map(numberOf)).toEqual(before.filter(number => !expected.includes(number)))
})

test('queues are merged oldest first, and a record behind an older one of its queue stays behind it', () => {
  const merged = mergeOldestFirst(
    [
      [1, 8, 7, 9],
      [2, 10],
      [6, 3]
    ].map(queue => queue.map(number => numbered(number)))
  )

  expect(merged.map(numberOf)).toEqual([1, 2, 6, 3, 8, 7, 9, 10])
})

test('100,000 records that come back at once, youngest first, cost little more than those that come in order', () => {
  const inOrder = Array.from({ length: 100_000 }, (_, n) => numbered(n))
  const runMs = (records: readonly KinesisRecord[]): number => {
    const queue = new RecordQueue()
    queue.insert(numbered(1_000_000))
    const start = process.cpuUsage()
    for (const record of records) queue.insert(record)
    while (queue.shift() !== undefined);
    return process.cpuUsage(start).user / 1000
  }
  runMs(inOrder)

  const backwards = runMs([...inOrder].reverse())

  // Twenty steps of a heap each; moving what lies behind took seconds.
  expect(backwards).toBeLessThan(1000)
})

function numbered(number: number, expirationMs: number = 120_000): KinesisRecord {
  const members = new Members()
  members.push(accepted('key', 'data', { number }))
  return sealed({ members, expirationMs })
}

function numberOf(record: KinesisRecord): number {
  return record.members.numbers[0]!
}

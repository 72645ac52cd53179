import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  AT,
  MAX_WINDOWS,
  mergeSets,
  STREAM_STATISTICS,
  type StatisticSet,
  Statistics,
  type StatsCursor
} from '../../src/stats/statistics.ts'

const READERS = 3

/** A step of a random history: a sample, a failure, or a reader's look. */
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), value: fc.integer({ min: -9, max: 9 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('code' as const), code: fc.constantFrom('A', 'B') }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('look' as const), reader: fc.nat({ max: READERS - 1 }) }) }
  ),
  { maxLength: 60 }
)

test('every reader sees exactly the samples between its own looks, whatever the others do', () => {
  fc.assert(
    fc.property(steps, history => {
      const statistics = new Statistics(STREAM_STATISTICS)
      const cursors = Array.from({ length: READERS }, newCursor)
      const seen: number[][] = cursors.map(() => [])
      const codes: string[][] = cursors.map(() => [])
      const everything: number[] = []
      for (const cursor of cursors) statistics.open(cursor)

      for (const step of history) {
        if (step.kind === 'add') {
          statistics.addEqual(AT.BufferingTime, 1, step.value)
          for (const values of [...seen, everything]) values.push(step.value)
        } else if (step.kind === 'code') {
          statistics.addCode(step.code)
          for (const list of codes) list.push(step.code)
        } else {
          const { metrics, errorsByCode } = statistics.read(cursors[step.reader]!)
          expect(metrics.BufferingTime).toEqual(setOf(seen[step.reader]!.splice(0)))
          expect(errorsByCode).toEqual(countsOf(codes[step.reader]!.splice(0)))
        }
        expect(statistics.snapshot().metrics.BufferingTime).toEqual(setOf(everything))
      }
    })
  )
})

test('what began after a reader was opened is new to it as a whole', () => {
  const cursor = newCursor()
  const older = new Statistics(STREAM_STATISTICS)
  older.open(cursor)
  const younger = new Statistics(STREAM_STATISTICS)
  younger.addEqual(AT.RequestTime, 1, 5)

  const first = younger.read(cursor).metrics.RequestTime
  younger.addEqual(AT.RequestTime, 1, 7)
  const second = younger.read(cursor).metrics.RequestTime

  expect([first, second]).toEqual([setOf([5]), setOf([7])])
})

test('a 17th reader is refused, until one is closed', () => {
  const statistics = new Statistics(STREAM_STATISTICS)
  const cursors = Array.from({ length: MAX_WINDOWS }, newCursor)
  for (const cursor of cursors) statistics.open(cursor)

  expect(() => statistics.open(newCursor())).toThrow(
    new RangeError('one producer has at most 16 metrics windows; close unused ones')
  )
  cursors[3]!.isClosed = true
  expect(() => statistics.open(newCursor())).not.toThrow()
})

test('two sets merge into the set of all their samples, and an empty one changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.array(fc.integer()), (left, right) => {
      expect(mergeSets(setOf(left), setOf(right))).toEqual(setOf([...left, ...right]))
    })
  )
})

function newCursor(): StatsCursor {
  return { isOpen: false, isClosed: false }
}

function setOf(values: readonly number[]): StatisticSet {
  if (values.length === 0) return { count: 0, sum: 0, min: 0, max: 0 }
  const sum = values.reduce((total, value) => total + value, 0)
  return { count: values.length, sum, min: Math.min(...values), max: Math.max(...values) }
}

function countsOf(codes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1
  return counts
}

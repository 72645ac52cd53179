import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BufferBudget, type BufferBudgetOptions } from '../../src/core/buffer-budget.ts'

const RECORD_ROOM_BYTES = 2048

test('is the sum over what is held, never above its bounds, and exactly zero at the end', () => {
  const step = fc.record({ bytes: fc.integer({ min: 1, max: 4000 }), isRelease: fc.boolean(), pick: fc.nat() })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(step, { maxLength: 100 }),
      (bufferMaxBytes, bufferMaxRecords, steps) => {
        const budget = new BufferBudget({ bufferMaxBytes, bufferMaxRecords, maxUserRecordBytes: 64 })
        const held: number[] = []
        for (const { bytes, isRelease, pick } of steps) {
          if (isRelease && held.length > 0) {
            const [released] = held.splice(pick % held.length, 1)
            budget.release(released!, 1)
          } else {
            const fits = sum(held) + bytes <= bufferMaxBytes && held.length < bufferMaxRecords
            expect(tryTake(budget, bytes)).toBe(fits)
            if (fits) held.push(bytes)
          }
          expect([budget.usedBytes, budget.usedRecords]).toEqual([sum(held), held.length])
        }

        budget.release(sum(held), held.length)

        expect([budget.usedBytes, budget.usedRecords]).toEqual([0, 0])
      }
    )
  )
})

test('takes the last byte and the last record, and no more', () => {
  const byBytes = budget({ bufferMaxBytes: 100 })
  const byRecords = budget({ bufferMaxRecords: 2 })

  const bytesTaken = [tryTake(byBytes, 60), tryTake(byBytes, 41), tryTake(byBytes, 40), tryTake(byBytes, 1)]
  const recordsTaken = [tryTake(byRecords, 1), tryTake(byRecords, 1), tryTake(byRecords, 1)]

  expect(bytesTaken).toEqual([true, false, true, false])
  expect(recordsTaken).toEqual([true, true, false])
})

test('announces room once an eighth of the bytes is free', () => {
  const stage = budget({ bufferMaxBytes: 80_000, maxUserRecordBytes: 64 })
  tryTake(stage, 70_001)

  const before = stage.hasRoom
  stage.release(1, 0)

  expect([before, stage.hasRoom]).toEqual([false, true])
})

test('announces room once an eighth of the records is free', () => {
  const stage = budget({ bufferMaxRecords: 16 })
  for (let i = 0; i < 15; i++) tryTake(stage, 1)

  const before = stage.hasRoom
  stage.release(1, 1)

  expect([before, stage.hasRoom]).toEqual([false, true])
})

test('announces room only when the largest record fits', () => {
  const stage = budget({ bufferMaxBytes: 80_000, maxUserRecordBytes: 40_000 })
  tryTake(stage, 80_000 - 40_000 - RECORD_ROOM_BYTES + 1)

  const before = stage.hasRoom
  stage.release(1, 0)

  expect([before, stage.hasRoom]).toEqual([false, true])
})

test('an empty buffer always has room, however small it is', () => {
  fc.assert(
    fc.property(
      fc.record({
        bufferMaxBytes: fc.integer({ min: 1, max: 10_000_000 }),
        bufferMaxRecords: fc.integer({ min: 1, max: 100 }),
        maxUserRecordBytes: fc.integer({ min: 1, max: 10_000_000 })
      }),
      options => {
        const stage = new BufferBudget(options)

        expect(stage.hasRoom).toBe(true)
      }
    )
  )
})

function budget(options: Partial<BufferBudgetOptions>): BufferBudget {
  return new BufferBudget({ bufferMaxBytes: 1_000_000, bufferMaxRecords: 1000, maxUserRecordBytes: 64, ...options })
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** As a put does. */
function tryTake(budget: BufferBudget, bytes: number): boolean {
  const fits = budget.fits(bytes)
  if (fits) budget.take(bytes)
  return fits
}

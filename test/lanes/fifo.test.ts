import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fifo } from '../../src/lanes/fifo.ts'

test('any sequence of pushes and shifts gives what an array gives', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant('push' as const) },
    { weight: 3, arbitrary: fc.constant('shift' as const) },
    { weight: 1, arbitrary: fc.constantFrom('pushMany' as const, 'shiftMany' as const) }
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, isTakenAtEnd) => {
      const fifo = new Fifo<number>()
      const twin: number[] = []
      let next = 0
      for (const kind of steps) {
        const times = kind.endsWith('Many') ? 100 : 1
        for (let i = 0; i < times; i++) {
          if (kind.startsWith('push')) {
            fifo.push(next)
            twin.push(next++)
          } else expect(fifo.shift()).toBe(twin.shift())
        }
        expect([fifo.count, fifo.first, [...fifo]]).toEqual([twin.length, twin[0], twin])
      }

      const rest = isTakenAtEnd ? fifo.takeAll() : Array.from({ length: fifo.count }, () => fifo.shift())

      expect(rest).toEqual(twin)
      expect([fifo.count, fifo.first, fifo.shift(), [...fifo]]).toEqual([0, undefined, undefined, []])
    }),
    { numRuns: 300 }
  )
})

test('a queue that was emptied at once goes on as a new one', () => {
  const fifo = new Fifo<string>()
  fifo.push('a')
  fifo.push('b')
  fifo.shift()

  const taken = fifo.takeAll()
  fifo.push('c')

  expect([taken, [...fifo], fifo.count]).toEqual([['b'], ['c'], 1])
})

test('an item that is undefined counts like any other', () => {
  const fifo = new Fifo<string | undefined>()
  fifo.push(undefined)
  fifo.push('b')

  const first = fifo.shift()

  expect([first, fifo.count, fifo.shift()]).toEqual([undefined, 1, 'b'])
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FlushLedger } from '../../src/core/flush-ledger.ts'

/** The naive twin: keeps every unsettled number and looks through all of them at each step. */
class NaiveLedger {
  readonly open = new Set<number>()
  #waiting: { mark: number; id: number }[] = []
  readonly done: number[] = []

  flush(mark: number, id: number): void {
    this.#waiting.push({ mark, id })
    this.look()
  }

  look(): void {
    const isDone = (mark: number) => [...this.open].every(number => number >= mark)
    for (const { mark, id } of this.#waiting) if (isDone(mark)) this.done.push(id)
    this.#waiting = this.#waiting.filter(({ mark }) => !isDone(mark))
  }

  get isFlushing(): boolean {
    return this.#waiting.length > 0
  }
}

test('flushes resolve when and in the order in which a naive ledger resolves them', () => {
  const step = fc.record({
    kind: fc.constantFrom('put', 'put', 'put', 'settle', 'settle', 'flush'),
    pick: fc.nat({ max: 1000 })
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const ledger = new FlushLedger()
      const twin = new NaiveLedger()
      const done: number[] = []
      let nextNumber = 0
      let flushCount = 0
      for (const { kind, pick } of steps) {
        if (kind === 'put') {
          ledger.accepted()
          twin.open.add(nextNumber++)
        } else if (kind === 'flush') {
          const id = flushCount++
          ledger.flush(nextNumber, () => done.push(id))
          twin.flush(nextNumber, id)
        } else if (twin.open.size > 0) {
          const number = [...twin.open][pick % twin.open.size]!
          ledger.settled(number)
          twin.open.delete(number)
          twin.look()
        }
        expect([done, ledger.outstanding, ledger.isFlushing]).toEqual([twin.done, twin.open.size, twin.isFlushing])
      }

      for (const number of twin.open) ledger.settled(number)

      expect(done.toSorted((left, right) => left - right)).toEqual(Array.from({ length: flushCount }, (_, id) => id))
      expect([ledger.outstanding, ledger.isFlushing]).toEqual([0, false])
    }),
    { numRuns: 500 }
  )
})

test('a flush of nothing is done at once', () => {
  const ledger = new FlushLedger()
  const done: string[] = []

  ledger.flush(0, () => done.push('flush'))

  expect([done, ledger.isFlushing]).toEqual([['flush'], false])
})

test('what is accepted after a flush does not hold it up', () => {
  const ledger = new FlushLedger()
  const done: string[] = []
  ledger.accepted()
  ledger.flush(1, () => done.push('flush'))
  ledger.accepted()

  ledger.settled(1)
  const beforeOwn = [...done]
  ledger.settled(0)

  expect([beforeOwn, done, ledger.outstanding]).toEqual([[], ['flush'], 0])
})

test('two flushes with nothing between them are done together, in their order', () => {
  const ledger = new FlushLedger()
  const done: string[] = []
  ledger.accepted()
  ledger.flush(1, () => done.push('first'))
  ledger.flush(1, () => done.push('second'))

  ledger.settled(0)

  expect([done, ledger.isFlushing]).toEqual([['first', 'second'], false])
})

test('a flush whose own records have settled still waits for those of the flush before', () => {
  const ledger = new FlushLedger()
  const done: string[] = []
  ledger.accepted()
  ledger.flush(1, () => done.push('first'))
  ledger.accepted()
  ledger.flush(2, () => done.push('second'))

  ledger.settled(1)
  const before = [...done]
  ledger.settled(0)

  expect([before, done]).toEqual([[], ['first', 'second']])
})

test('a callback may flush again', () => {
  const ledger = new FlushLedger()
  const done: string[] = []
  ledger.accepted()
  ledger.flush(1, () => {
    done.push('outer')
    ledger.flush(1, () => done.push('inner'))
  })

  ledger.settled(0)

  expect([done, ledger.isFlushing]).toEqual([['outer', 'inner'], false])
})

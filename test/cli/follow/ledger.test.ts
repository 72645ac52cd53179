/** Case 53 of following files: acknowledgements in any order. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ledger } from '../../../src/cli/follow/ledger.ts'

test('52: one record that is not settled holds the offset', () => {
  const ledger = new Ledger(100)
  const [, second, third] = [110, 120, 130].map(end => ledger.add(end))

  for (const ticket of [second, third]) ledger.settle(ticket ?? 0)

  expect({ acked: ledger.acked, open: ledger.openCount, bytes: ledger.openBytes }).toEqual({
    acked: 100,
    open: 3,
    bytes: 30
  })
})

test('53: 10,000 acknowledgements in any order: acked never falls and is the end of the settled prefix', () => {
  const order = fc.sample(fc.shuffledSubarray([...Array(10_000).keys()], { minLength: 10_000 }), {
    numRuns: 3,
    seed: 5
  })

  for (const tickets of order) {
    const ledger = new Ledger(0)
    for (const ticket of [...tickets.keys()]) ledger.add((ticket + 1) * 10)
    const settled = new Set<number>()
    let prefix = 0
    for (const ticket of tickets) {
      ledger.settle(ticket)
      settled.add(ticket)
      while (settled.has(prefix)) prefix++
      if (ledger.acked !== prefix * 10) expect(ledger.acked).toBe(prefix * 10)
    }
    expect({ acked: ledger.acked, open: ledger.openCount }).toEqual({ acked: 100_000, open: 0 })
  }
})

test('a ticket settled twice changes nothing, one that was never given is a fault', () => {
  const ledger = new Ledger(0)
  const ticket = ledger.add(5)

  ledger.settle(ticket)
  ledger.settle(ticket)

  expect(ledger.acked).toBe(5)
  expect(() => ledger.settle(1)).toThrow(RangeError)
})

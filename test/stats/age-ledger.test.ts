import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AgeLedger } from '../../src/stats/age-ledger.ts'

/** Steps of one interval: 100 ms. */
const INTERVAL = 1_000

test('the oldest unsettled record is never said to be younger, and at most 0.1 s older, than it is', () => {
  const events = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('accept' as const), afterSteps: fc.nat({ max: 700 }) }),
      fc.record({ kind: fc.constant('settle' as const), pick: fc.nat() })
    ),
    { maxLength: 200 }
  )
  fc.assert(
    fc.property(events, history => {
      const ledger = new AgeLedger()
      const unsettled: number[] = []
      let step = 50
      for (const event of history) {
        if (event.kind === 'accept') {
          step += event.afterSteps
          ledger.accepted(step)
          unsettled.push(step)
        } else if (unsettled.length > 0) {
          ledger.settled(unsettled.splice(event.pick % unsettled.length, 1)[0]!, 1)
        }
        const oldest = Math.min(...unsettled)
        const told = ledger.oldestStep ?? Number.POSITIVE_INFINITY
        const isRight = told === oldest || (told <= oldest && oldest - told < INTERVAL)
        expect({ told, oldest, isRight }).toEqual({ told, oldest, isRight: true })
      }
    })
  )
})

test('a day of records that never settle is kept in bounded memory and still finds the oldest', () => {
  const ledger = new AgeLedger()
  const first = 0
  const last = 864_000_000

  for (let step = first; step < last; step += 10_000) ledger.accepted(step)
  for (let step = first; step < last - 20_000; step += 10_000) ledger.settled(step, 1)
  const lateStep = ledger.oldestStep ?? 0

  // Intervals have doubled: an error of a hundredth of the span.
  expect([lateStep <= last - 20_000, lateStep > last * 0.99]).toEqual([true, true])
})

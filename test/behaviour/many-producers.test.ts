/** Producers that share a stream and know only themselves, on a virtual clock. `npm run bench -- fleet` has the whole table. */
import { expect, test } from 'vitest'
import { Fleet } from '../../bench/harness/fleet.ts'

const PRODUCERS = 8
const OVERLOAD = 1.3

test('eight producers that ask a stream for 1.3 of its capacity fill it, in equal shares, and send little in vain', async () => {
  const fleet = new Fleet({ shardCount: 2, recordBytes: 1000 })
  for (let i = 0; i < PRODUCERS; i++) fleet.join(OVERLOAD / PRODUCERS)

  await fleet.pass(30_000)
  const { goodput, fairness, throttledPart } = fleet.read()

  await fleet.verify()
  await fleet.close()
  expect({ isFull: goodput >= 0.98, isFair: fairness >= 0.98, isThrifty: throttledPart < 0.3 }).toEqual({
    isFull: true,
    isFair: true,
    isThrifty: true
  })
})

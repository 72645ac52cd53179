import { expect, test } from 'vitest'
import { Harness } from '../support/harness.ts'

/** Three probes of an outage that has just begun, at their latest. */
const MAX_RECOVERY_MS = 7_000

test('a token that had expired does not make the next outage longer', async () => {
  const harness = await new Harness().warm()
  const end = harness.faults.add({
    action: { kind: 'failRequest', errorCode: 'ExpiredTokenException', statusCode: 400 }
  })
  const slot = harness.put('customer-42', 'x')
  await harness.pass(3_000)
  end()
  const endOutage = harness.faults.add({
    action: { kind: 'failRequest', errorCode: 'ServiceUnavailable', statusCode: 503 }
  })
  await harness.pass(2_000)
  endOutage()
  const healedMs = harness.clock.nowMs()

  await harness.settle(harness.producer.flush())

  expect(slot.settled?.error).toBe(undefined)
  expect(slot.settled!.atMs - healedMs).toBeLessThan(MAX_RECOVERY_MS)
})

test('an outage of two seconds is over three probes later', async () => {
  const harness = await new Harness().warm()
  const end = harness.faults.add({ action: { kind: 'failRequest', errorCode: 'ServiceUnavailable', statusCode: 503 } })
  const slot = harness.put('customer-42', 'x')
  await harness.pass(2_000)
  end()
  const healedMs = harness.clock.nowMs()

  await harness.settle(harness.producer.flush())

  expect(slot.settled?.error).toBe(undefined)
  expect(slot.settled!.atMs - healedMs).toBeLessThan(MAX_RECOVERY_MS)
})

import { expect, test } from 'vitest'
import { Harness, microtasks } from '../support/harness.ts'

const RECORDS = 30_000
const MAX_STALL_MS = 900

// 24 requests of 500 fail at once: where each of the 12,000 belongs must not be found by walking through the others.
test('retries of a long queue do not hold up the event loop', async () => {
  const harness = new Harness({ bufferMaxRecords: RECORDS, recordTtlMs: 600_000 })
  harness.faults.add({ match: { operation: 'ListShards' }, action: { kind: 'silence' } })
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'silence' }, times: 24 })
  // Without a shard map only records of one key go together, so that each of these is a Kinesis record of its own.
  for (let index = 0; index < RECORDS; index++) harness.put(`customer-${index}`, '')

  const stallMs = await longestStepCpuMs(harness, 8_000)

  expect(stallMs).toBeLessThan(MAX_STALL_MS)
})

/** Lets virtual time pass and returns what the dearest wake-up cost, with what its promises did: CPU, not wall time. */
async function longestStepCpuMs({ clock }: Harness, virtualMs: number): Promise<number> {
  const untilMs = clock.nowMs() + virtualMs
  let longestMs = 0
  await microtasks()
  while ((clock.nextAtMs ?? Number.POSITIVE_INFINITY) <= untilMs) {
    const start = process.cpuUsage()
    clock.runNext()
    await microtasks()
    const { user, system } = process.cpuUsage(start)
    longestMs = Math.max(longestMs, (user + system) / 1000)
  }
  return longestMs
}

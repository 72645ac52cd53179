import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, expect, test } from 'vitest'
import type { RecordFailedError } from '../../src/model/errors.ts'
import { CHANNELS, type RecordFailedEvent } from '../../src/stats/diagnostics.ts'
import { Harness } from '../support/harness.ts'

const SHARD = 'shardId-000000000000'
const THROTTLE = 'ProvisionedThroughputExceededException'
const RATE = `Rate exceeded for shard ${SHARD} in stream orders under account 000000000000.`

const endings: (() => void)[] = []
afterEach(() => {
  for (const end of endings.splice(0)) end()
})

test('every record of a throttled shard that expires says what its own last attempt met', async () => {
  const harness = await new Harness({ recordTtlMs: 1_000 }).warm()
  const events = failures()
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
  const slots = []
  for (const data of ['a', 'b', 'c']) {
    slots.push(harness.put('k', data))
    await harness.pass(1)
  }

  await harness.pass(2_000)

  const errors = slots.map(({ settled }) => settled!.error!)
  expect(errors.map(({ message, serviceCode }) => ({ message, serviceCode }))).toEqual(
    errors.map(() => ({
      message: `stream orders: not acknowledged within recordTtlMs (1000 ms); last attempt: ${THROTTLE}: ${RATE}`,
      serviceCode: THROTTLE
    }))
  )
  expect(errors.every(({ attempts }) => attempts.length > 1)).toBe(true)
  expect(events).toEqual(
    errors.map(({ attempts }) => ({
      streamName: 'orders',
      code: 'KPL_ERR_EXPIRED',
      serviceCode: THROTTLE,
      shardId: SHARD,
      userRecords: 1,
      persisted: 'no',
      attempts: attempts.length
    }))
  )
})

test('a close that runs out of time tells what each record met before', async () => {
  const harness = await new Harness().warm()
  const events = failures()
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
  const slot = harness.put('k', 'x')
  await harness.pass(500)

  await harness.settle(harness.producer.close({ timeoutMs: 50 }))

  const error = slot.settled!.error!
  expect([storyOf(error), error.attempts.length > 0, events]).toEqual([
    { message: `not acknowledged within close's 50 ms; last attempt: ${THROTTLE}: ${RATE}`, serviceCode: THROTTLE },
    true,
    [
      {
        streamName: 'orders',
        code: 'KPL_ERR_CLOSE_TIMEOUT',
        serviceCode: THROTTLE,
        shardId: SHARD,
        userRecords: 1,
        persisted: 'no',
        attempts: error.attempts.length
      }
    ]
  ])
})

test('a close that gives up a request names the service code that came before it', async () => {
  const harness = await new Harness({ latencyMs: 2_000 }).warm()
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' }, times: 1 })
  const slot = harness.put('k', 'x')
  await harness.pass(4_500)

  await harness.settle(harness.producer.close({ timeoutMs: 500 }))

  expect(storyOf(slot.settled!.error!)).toEqual({
    message: `not acknowledged within close's 500 ms; last attempt: Unanswered, before it: ${THROTTLE}`,
    serviceCode: THROTTLE
  })
})

test('a record that was taken back tells what it met before, and which shard it was for', async () => {
  const harness = await new Harness().warm()
  const events = failures()
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
  const controller = new AbortController()
  const put = harness.producer.put({ partitionKey: 'k', data: 'x' }, { signal: controller.signal })
  const failed = put.catch((error: RecordFailedError) => error) as Promise<RecordFailedError>
  await harness.pass(500)

  controller.abort()

  const error = await harness.settle(failed)
  expect(storyOf(error)).toEqual({
    message: `the record was taken back by its AbortSignal; last attempt: ${THROTTLE}: ${RATE}`,
    serviceCode: THROTTLE
  })
  expect(events).toMatchObject([{ shardId: SHARD, serviceCode: THROTTLE, attempts: error.attempts.length }])
})

test('a record that never left says so', async () => {
  const harness = await new Harness({ recordTtlMs: 1_000, recordMaxBufferedTimeMs: 900 }).warm()
  const controller = new AbortController()
  const put = harness.producer.put({ partitionKey: 'k', data: 'x' }, { signal: controller.signal })
  const failed = put.catch((error: RecordFailedError) => error) as Promise<RecordFailedError>

  controller.abort()

  expect(storyOf(await harness.settle(failed))).toEqual({
    message: 'the record was taken back by its AbortSignal; it was never sent',
    serviceCode: undefined
  })
})

function storyOf({ message, serviceCode }: RecordFailedError) {
  return { message, serviceCode }
}

/** Hears of failed records until the test ends. */
function failures(): RecordFailedEvent[] {
  const events: RecordFailedEvent[] = []
  const onMessage = (event: unknown): void => void events.push(event as RecordFailedEvent)
  subscribe(CHANNELS.recordFailed, onMessage)
  endings.push(() => unsubscribe(CHANNELS.recordFailed, onMessage))
  return events
}

import { expect, test } from 'vitest'
import type { RecordFailedError } from '../../src/model/errors.ts'
import { Harness, STREAM } from '../support/harness.ts'

test('a missing stream fails within a second with the code of the service', async () => {
  const harness = new Harness({ shardCount: 0 })
  const slot = harness.put('k', 'v')

  await harness.settle(harness.producer.flush())

  const error = slot.settled?.error as RecordFailedError
  expect([error.code, error.serviceCode, error.persisted]).toEqual([
    'KPL_ERR_REJECTED',
    'ResourceNotFoundException',
    'no'
  ])
  expect(slot.settled!.atMs - 1_000_000).toBeLessThan(2000)
})

test('a denied permission fails with the code of the service, and later records are tried again', async () => {
  const harness = new Harness()
  const lift = harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: 'AccessDeniedException', statusCode: 400, errorMessage: 'not allowed' }
  })
  const denied = harness.put('k', 'denied')
  await harness.settle(harness.producer.flush())

  lift()
  const allowed = harness.put('k', 'allowed')
  await harness.settle(harness.producer.flush())

  expect(denied.settled?.error?.serviceCode).toBe('AccessDeniedException')
  expect(allowed.settled?.result?.shardId).toBe('shardId-000000000000')
})

test('a throttled shard backs off alone: its sibling is not delayed', async () => {
  const harness = new Harness({ shardCount: 2 })
  harness.faults.add({
    action: { kind: 'throttle', shardIds: ['shardId-000000000000'] },
    match: { operation: 'PutRecords' }
  })
  await harness.pass(50)

  const throttled = harness.put('k', 'low', 0n)
  const sibling = harness.put('k', 'high', (1n << 128n) - 1n)
  await harness.pass(300)

  expect(throttled.settled).toBeUndefined()
  expect(sibling.settled?.result?.attempts.length).toBe(1)
})

test('throttling spreads requests ever further apart instead of hammering', async () => {
  const harness = new Harness({ recordTtlMs: 60_000 })
  harness.faults.add({
    action: { kind: 'throttle', shardIds: ['shardId-000000000000'] },
    match: { operation: 'PutRecords' }
  })
  const slot = harness.put('k', 'v')

  await harness.pass(61_000)

  const { requests } = harness.producer.stats().streams[STREAM]!
  expect(slot.settled?.error?.code).toBe('KPL_ERR_EXPIRED')
  expect(slot.settled?.error?.persisted).toBe('no')
  expect(requests).toBeGreaterThan(10)
  expect(requests).toBeLessThan(60)
})

test('a request whose answer is lost is sent again, and the attempts explain the second copy', async () => {
  const harness = new Harness()
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'reset', isApplied: true }, times: 1 })
  const slot = harness.put('k', 'v')

  await harness.settle(harness.producer.flush())

  expect(slot.settled?.result?.attempts.map(attempt => attempt.errorCode)).toEqual(['ECONNRESET', undefined])
  expect(harness.stored().map(record => record.data)).toEqual(['v', 'v'])
  expect(harness.producer.stats().streams[STREAM]?.duplicatesPossible).toBe(1)
})

test('a failure after a lost answer says that the record may be stored', async () => {
  const harness = new Harness({ recordTtlMs: 2000 })
  harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: 'InternalFailure', statusCode: 500 }
  })
  const slot = harness.put('k', 'v')

  await harness.pass(20_000)

  expect([slot.settled?.error?.code, slot.settled?.error?.persisted]).toEqual(['KPL_ERR_EXPIRED', 'maybe'])
})

test('a poisoned request is halved until only the record at fault fails', async () => {
  const harness = new Harness({ aggregationEnabled: false, maxUserRecordBytes: 2_000_000, aggregationMaxBytes: 51_200 })
  const good = Array.from({ length: 60 }, (_, i) => harness.put(`k${i}`, `good-${i}`))
  const poison = harness.put('poison', new Uint8Array(1_500_000))
  const after = Array.from({ length: 60 }, (_, i) => harness.put(`k${i}`, `after-${i}`))

  await harness.settle(harness.producer.flush())

  expect(poison.settled?.error?.code).toBe('KPL_ERR_REJECTED')
  expect([...good, ...after].filter(slot => slot.settled?.result === undefined)).toEqual([])
})

test('an aggregate that is refused as a whole is torn into its records before anything fails', async () => {
  const harness = new Harness({ maxUserRecordBytes: 3_000_000, aggregationMaxBytes: 2_000_000 })
  await harness.pass(100)
  const slots = Array.from({ length: 4 }, (_, i) => harness.put('k', new Uint8Array(400_000 + i)))

  await harness.settle(harness.producer.flush())

  expect(slots.map(slot => slot.settled?.result?.shardId)).toEqual(Array(4).fill('shardId-000000000000'))
})

test('an outage opens the breaker, and everything is delivered when it is over', async () => {
  const harness = new Harness({ recordTtlMs: Number.POSITIVE_INFINITY, throughputLimits: false })
  const lift = harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: 'ServiceUnavailable', statusCode: 503 }
  })
  const slots = Array.from({ length: 500 }, (_, i) => harness.put(`k${i}`, `${i}`))
  await harness.pass(3_600_000)
  const { requests, isBreakerOpen } = harness.producer.stats().streams[STREAM]!

  lift()
  await harness.settle(harness.producer.flush())

  expect(isBreakerOpen).toBe(true)
  expect(requests).toBeLessThan(300)
  expect(slots.filter(slot => slot.settled?.result === undefined)).toEqual([])
})

test('a service-managed stream is detected, aggregation is turned off, and a warning says so', async () => {
  const warnings: unknown[] = []
  const logger = { debug() {}, info() {}, error() {}, warn: (_: string, fields?: object) => warnings.push(fields) }
  const harness = new Harness({ shardCount: 2, logger })
  harness.kinesis.updateStreamMode({ StreamARN: arnOf(harness), StreamModeDetails: { StreamMode: 'ON_DEMAND' } })
  harness.kinesis.updateStreamRecordDistributionStrategy({
    StreamARN: arnOf(harness),
    RecordDistributionStrategy: 'AUTO'
  } as never)
  const slots = Array.from({ length: 10 }, (_, i) => harness.put(`k${i}`, `${i}`))

  await harness.settle(harness.producer.flush())

  expect(slots.map(slot => slot.settled?.result?.subSequenceNumber)).toEqual(Array(10).fill(undefined))
  expect(warnings).toEqual([{ code: 'KPL_WARN_SERVICE_MANAGED' }])
})

test('a record that is taken back before it is sent is in no shard, and one in flight may be', async () => {
  const harness = new Harness()
  const early = new AbortController()
  const late = new AbortController()
  const before = harness.producer
    .put({ partitionKey: 'k', data: 'before' }, { signal: early.signal })
    .catch(error => error)
  const sibling = harness.put('k', 'sibling')
  early.abort()
  await harness.pass(200)
  const inFlight = harness.producer
    .put({ partitionKey: 'k', data: 'late' }, { signal: late.signal })
    .catch(error => error)
  await harness.pass(103)
  late.abort()

  const errors = [await before, await inFlight] as RecordFailedError[]
  await harness.settle(harness.producer.flush())
  await harness.pass(100)

  expect(errors.map(error => [error.code, error.persisted])).toEqual([
    ['KPL_ERR_ABORTED', 'no'],
    ['KPL_ERR_ABORTED', 'maybe']
  ])
  expect(harness.stored().map(record => record.data)).toEqual(['sibling', 'late'])
  expect(sibling.settled?.result?.shardId).toBe('shardId-000000000000')
  expect(harness.producer.stats().bufferedBytes).toBe(0)
})

function arnOf(harness: Harness): string {
  return harness.kinesis.describeStreamSummary({ StreamName: STREAM }).StreamDescriptionSummary.StreamARN
}

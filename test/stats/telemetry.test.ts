/** What the KPL counts, when and under which shard: kept by stream and by shard, read through `stats()`. */
import { expect, test } from 'vitest'
import type { StatisticSet } from '../../src/stats/statistics.ts'
import { KEYS, Observed, SHARDS } from '../metrics/fixture.ts'
import { STREAM } from '../support/harness.ts'

const THROTTLED = 'ProvisionedThroughputExceededException'
const NONE = set(0, 0, 0, 0)
const LATENCY_MS = 10
const BUFFERED_MS = 100

test('acknowledged records are samples of their shard, and of the stream as the sum of its shards', async () => {
  const observed = await new Observed({ shardCount: 2 }).open()

  await observed.send([KEYS[0], 'abc'], [KEYS[1], 'abcde'], [KEYS[1], 'abcdefg'])

  const { metrics, shards } = observed.stats().streams[STREAM]!
  const bytes = [3, shards[SHARDS[1]]!.metrics.KinesisRecordsDataPut.sum] as const
  expect(shards[SHARDS[0]]!.metrics).toEqual({
    UserRecordsPut: set(1, 1, 1, 1),
    UserRecordsDataPut: set(1, 3, 3, 3),
    KinesisRecordsPut: set(1, 1, 1, 1),
    KinesisRecordsDataPut: set(1, bytes[0], bytes[0], bytes[0]),
    AllErrors: set(1, 0, 0, 0),
    RetriesPerRecord: set(1, 0, 0, 0),
    UserRecordExpired: NONE,
    BufferingTime: set(1, BUFFERED_MS, BUFFERED_MS, BUFFERED_MS),
    UserRecordsPerKinesisRecord: set(1, 1, 1, 1)
  })
  expect(metrics).toEqual({
    UserRecordsPut: set(3, 3, 1, 1),
    UserRecordsDataPut: set(3, 15, 3, 6),
    KinesisRecordsPut: set(2, 2, 1, 1),
    KinesisRecordsDataPut: set(2, bytes[0] + bytes[1], bytes[0], bytes[1]),
    AllErrors: set(2, 0, 0, 0),
    RetriesPerRecord: set(3, 0, 0, 0),
    UserRecordExpired: NONE,
    BufferingTime: set(3, 3 * BUFFERED_MS, BUFFERED_MS, BUFFERED_MS),
    UserRecordsPerKinesisRecord: set(2, 3, 1, 2),
    UserRecordsReceived: set(3, 3, 1, 1),
    UserRecordsRefused: NONE,
    UserRecordsPending: set(2, 3, 0, 3),
    RequestTime: set(1, LATENCY_MS, LATENCY_MS, LATENCY_MS),
    KinesisRecordsPerPutRecordsRequest: set(1, 2, 2, 2),
    UserRecordsPerPutRecordsRequest: set(1, 3, 3, 3),
    PutToAck: set(3, 3 * (BUFFERED_MS + LATENCY_MS), BUFFERED_MS + LATENCY_MS, BUFFERED_MS + LATENCY_MS)
  })
})

test('a failed entry is a 0 of KinesisRecordsPut, a 1 of AllErrors and an error of its shard', async () => {
  const observed = await new Observed({ shardCount: 2 }).open()
  observed.harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'throttle', shardIds: [SHARDS[0]] },
    times: 1
  })

  await observed.send([KEYS[0], 'x'], [KEYS[1], 'y'])

  const stream = observed.stats().streams[STREAM]!
  const [throttled, sibling] = SHARDS.map(shardId => stream.shards[shardId]!)
  expect({
    put: throttled!.metrics.KinesisRecordsPut,
    errors: throttled!.metrics.AllErrors,
    codes: throttled!.errorsByCode,
    retries: throttled!.metrics.RetriesPerRecord,
    attempts: throttled!.metrics.BufferingTime.count,
    ratio: throttled!.throttledRatio
  }).toEqual({
    put: set(2, 1, 0, 1),
    errors: set(2, 1, 0, 1),
    codes: { [THROTTLED]: 1 },
    retries: set(1, 1, 1, 1),
    attempts: 2,
    ratio: 0.5
  })
  expect([sibling!.errorsByCode, sibling!.throttledRatio]).toEqual([{}, 0])
  expect([stream.errorsByCode, stream.userRecordsSent, stream.userRecordsSentByError]).toEqual([
    { [THROTTLED]: 1 },
    2,
    { [THROTTLED]: 1 }
  ])
})

test('a throttled shard shows its rate, and its siblings full speed', async () => {
  const observed = await new Observed({ shardCount: 2 }).open()
  observed.harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'throttle', shardIds: [SHARDS[0]] },
    times: 1
  })
  observed.put(KEYS[0], 'x')
  observed.put(KEYS[1], 'y')

  await observed.harness.pass(BUFFERED_MS + LATENCY_MS)

  const { shards } = observed.stats().streams[STREAM]!
  expect(SHARDS.map(shardId => shards[shardId]!.rateFactor)).toEqual([0.1 - 1 / 1500, 1])
})

test('a request that fails as a whole is one error of the stream and of no shard, and puts no Kinesis record', async () => {
  const observed = await new Observed({ shardCount: 2 }).open()
  observed.harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: 'InternalFailure', statusCode: 500 },
    times: 1
  })

  await observed.send([KEYS[0], 'x'], [KEYS[1], 'y'])

  const stream = observed.stats().streams[STREAM]!
  const { KinesisRecordsPut, AllErrors, UserRecordsPerKinesisRecord, RequestTime } = stream.metrics
  expect({
    KinesisRecordsPut,
    AllErrors,
    entries: UserRecordsPerKinesisRecord.count,
    requests: RequestTime.count,
    codes: [stream.errorsByCode, ...Object.values(stream.shards).map(shard => shard.errorsByCode)],
    sent: [stream.userRecordsSent, stream.userRecordsSentByError],
    duplicatesPossible: stream.duplicatesPossible
  }).toEqual({
    KinesisRecordsPut: set(2, 2, 1, 1),
    AllErrors: set(3, 1, 0, 1),
    entries: 4,
    requests: RequestTime.count,
    codes: [{ InternalFailure: 1 }, {}, {}],
    sent: [2, { InternalFailure: 2 }],
    duplicatesPossible: 2
  })
})

test('an expired record is a 0 of UserRecordsPut and a 1 of UserRecordExpired', async () => {
  const observed = await new Observed({ recordTtlMs: 1_000 }).open()
  observed.harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
  observed.put('k', 'x')

  await observed.harness.pass(5_000)

  const { metrics, userRecordsFailed, userRecordExpired, userRecordsPending } = observed.stats().streams[STREAM]!
  const attempts = metrics.KinesisRecordsPut.count
  expect({
    put: metrics.UserRecordsPut,
    expired: metrics.UserRecordExpired,
    retries: metrics.RetriesPerRecord,
    buffering: metrics.BufferingTime.count,
    counters: { userRecordsFailed, userRecordExpired, userRecordsPending }
  }).toEqual({
    put: set(1, 0, 0, 0),
    expired: set(1, 1, 1, 1),
    retries: set(1, attempts - 1, attempts - 1, attempts - 1),
    buffering: attempts,
    counters: { userRecordsFailed: 1, userRecordExpired: 1, userRecordsPending: 0 }
  })
})

test('attempts from before a record was aggregated anew count as its attempts', async () => {
  const observed = await new Observed({ shardCount: 1 }).open()
  const { kinesis } = observed.harness
  kinesis.reshard(STREAM, 2)

  await observed.send([KEYS[0], 'a'], [KEYS[1], 'b'])
  await observed.harness.pass(10_000)

  const { metrics, mispredicted, retries } = observed.stats().streams[STREAM]!
  expect({
    put: metrics.UserRecordsPut,
    retries: metrics.RetriesPerRecord,
    attempts: metrics.BufferingTime.count,
    misrouted: [mispredicted, retries]
  }).toEqual({
    put: set(2, 2, 1, 1),
    retries: set(2, 2, 1, 1),
    attempts: 4,
    misrouted: [1, 1]
  })
})

test('the age of the oldest record grows while it waits, and is 0 when nothing does', async () => {
  const observed = await new Observed().open()
  observed.harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'silence' } })
  const ageMs = () => observed.stats().streams[STREAM]!.oldestRecordAgeMs
  const before = ageMs()
  observed.put('k', 'x')

  await observed.harness.pass(2_500)

  expect([before, ageMs()]).toEqual([0, 2_500])
})

test('the age of the shard map grows until the next listing', async () => {
  const observed = await new Observed().open()
  const before = observed.stats().streams[STREAM]!.shardMapAgeMs!

  await observed.harness.pass(60_000)

  const { shardMapAgeMs, shardMapRefreshes } = observed.stats().streams[STREAM]!
  expect([shardMapAgeMs, shardMapRefreshes]).toEqual([before + 60_000, 1])
})

test('latencies have buckets that add up to their count, and a sum', async () => {
  const observed = await new Observed().open()

  await observed.send(['k', 'x'])

  const { putToAck, requestTime } = observed.stats().streams[STREAM]!
  const counts = (bucket: number) => Array.from({ length: 15 }, (_, i) => Number(i === bucket))
  expect(putToAck).toEqual({
    count: 1,
    sumMs: 110,
    meanMs: 110,
    p50Ms: 110,
    p90Ms: 110,
    p99Ms: 110,
    p999Ms: 110,
    maxMs: 110,
    // Above 100 ms, up to 250 ms.
    bucketCounts: counts(6)
  })
  expect([requestTime.sumMs, requestTime.bucketCounts]).toEqual([LATENCY_MS, counts(1)])
})

test('more error codes than a stream may have share one name', async () => {
  const observed = await new Observed({ aggregationEnabled: false }).open()
  const codes = Array.from({ length: 120 }, (_, i) => `Strange${i}`)
  for (const [index, errorCode] of codes.entries()) {
    observed.harness.faults.add({
      match: { operation: 'PutRecords' },
      action: { kind: 'failRecords', errorCode, records: { indexes: [index] } },
      times: 1
    })
  }

  await observed.send(...codes.map(code => [code, 'x'] as const))

  const { errorsByCode } = observed.stats().streams[STREAM]!
  expect([Object.keys(errorsByCode).length, errorsByCode['_OTHER']]).toEqual([101, 20])
})

function set(count: number, sum: number, min: number, max: number): StatisticSet {
  return { count, sum, min, max }
}

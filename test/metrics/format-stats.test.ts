import { expect, test } from 'vitest'
import { formatStats } from '../../src/metrics/format-stats.ts'
import type { ProducerStats, StreamState } from '../../src/stats/stats.ts'
import { STREAM } from '../support/harness.ts'
import { KEYS, Observed, SHARDS } from './fixture.ts'

/** Two shards; the second one refused a Kinesis record once. One record is still in the buffer. */
async function busy(): Promise<ProducerStats> {
  const observed = await new Observed({ shardCount: 2 }).open()
  observed.harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'throttle', shardIds: [SHARDS[1]] },
    times: 1
  })
  await observed.send([KEYS[0], 'abc'], [KEYS[1], 'abcde'], [KEYS[1], 'abcdefg'])
  observed.put(KEYS[0], 'waits')
  return observed.stats()
}

function withStream(stats: ProducerStats, more: Partial<StreamState>): ProducerStats {
  return { ...stats, streams: { [STREAM]: { ...stats.streams[STREAM]!, ...more } } }
}

test('a snapshot is the buffer, and the records, latencies, errors and shards of each stream', async () => {
  const stats = await busy()

  const text = formatStats(stats)

  expect(text).toBe(`\
  buffer   1 of 1,000,000 records, 266 bytes of 64.0 MiB, 0 requests in flight
  records  3 delivered, 0 failed, 0 refused, 0 invalid

stream orders
  user records     4 received, 3 put, 0 failed, 1 pending
  user data        15 bytes
  Kinesis records  2, 54 bytes, 1.7 user records in each
  requests         2, 1 Kinesis record sent again
  throttled        1 Kinesis record, 33.3 % of the answered
  mispredicted     0 Kinesis records in another shard than predicted
  duplicates       0 possible
  state            2 open shards, breaker closed
  oldest record    waits 0.0 s

  latency                 p50       p90       p99     p99.9       max
  put to ack         165.0 ms  165.0 ms  165.0 ms  165.0 ms  165.0 ms
  request to answer   10.0 ms   10.0 ms   10.0 ms   10.0 ms   10.0 ms

  error code                              failed
  ProvisionedThroughputExceededException       1

  shard                 records      data  Kinesis  throttled  failed     rate
  shardId-000000000001        2  12 bytes        1          1       1   10.0 %
  shardId-000000000000        1   3 bytes        1          0       0  100.0 %`)
})

test('a producer without a stream is two lines', () => {
  const text = formatStats(new Observed().stats())

  expect(text).toBe(`\
  buffer   0 of 1,000,000 records, 0 bytes of 64.0 MiB, 0 requests in flight
  records  0 delivered, 0 failed, 0 refused, 0 invalid`)
})

test('long lists end with the number of the others, after the shards with the most throttled and the commonest codes', async () => {
  const stats = await busy()
  const [cold, hot] = [stats.streams[STREAM]!.shards[SHARDS[0]]!, stats.streams[STREAM]!.shards[SHARDS[1]]!]
  const shards = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`shardId-${i}`, i === 29 ? hot : cold]))
  const errorsByCode = { A: 1, B: 3, C: 2 }

  const lines = formatStats(withStream(stats, { shards, errorsByCode }), { maxRows: 2 }).split('\n')

  expect(
    lines.filter(line => /more|^ {2}shardId|^ {2}[ABC] /.test(line)).map(line => line.trim().split('  ')[0])
  ).toEqual(['B', 'C', 'and 1 more', 'shardId-29', 'shardId-0', 'and 28 more'])
})

test('no line is wider than 100 characters, with figures as large as a year of work makes them', async () => {
  const stats = await busy()
  const shard = {
    ...stats.streams[STREAM]!.shards[SHARDS[0]]!,
    userRecordsPut: 31_536_000_000,
    userRecordsDataPut: 2 ** 45,
    kinesisRecordsPut: 31_536_000_000,
    throttled: 999_999_999,
    allErrors: 999_999_999
  }
  const big = withStream(stats, {
    userRecordsPut: shard.userRecordsPut,
    userRecordsDataPut: shard.userRecordsDataPut,
    kinesisRecordsPut: shard.kinesisRecordsPut,
    kinesisRecordsDataPut: 2 ** 45,
    throttled: shard.throttled,
    userRecordsReceived: 31_536_000_000,
    userRecordsFailed: 31_536_000,
    shards: { [SHARDS[0]]: shard }
  })

  const widths = formatStats(big)
    .split('\n')
    .map(line => line.length)

  expect(Math.max(...widths)).toBeLessThanOrEqual(100)
})

import { describe, expect, test } from 'vitest'
import { METRICS } from '../../src/metrics/metrics-table.ts'
import { prometheusText } from '../../src/metrics/prometheus.ts'
import type { ProducerStats } from '../../src/stats/stats.ts'
import { STREAM } from '../support/harness.ts'
import { type Family, parsePrometheus } from '../support/prometheus-text.ts'
import { KEYS, Observed, SHARDS } from './fixture.ts'

describe('the text', () => {
  test('has one family for every metric of the table, with a fitting type', async () => {
    const families = parse(prometheusText(await busy()))

    expect(Object.fromEntries([...families].map(([name, { type }]) => [name, type]))).toEqual({
      kinesis_producer_user_records_received_total: 'counter',
      kinesis_producer_user_records_pending: 'gauge',
      kinesis_producer_user_records_put_total: 'counter',
      kinesis_producer_user_records_data_put_bytes_total: 'counter',
      kinesis_producer_kinesis_records_put_total: 'counter',
      kinesis_producer_kinesis_records_data_put_bytes_total: 'counter',
      kinesis_producer_errors_by_code_total: 'counter',
      kinesis_producer_all_errors_total: 'counter',
      kinesis_producer_retries_per_record: 'summary',
      kinesis_producer_user_record_expired_total: 'counter',
      kinesis_producer_buffering_time_seconds: 'summary',
      kinesis_producer_request_time_seconds: 'histogram',
      kinesis_producer_user_records_per_kinesis_record: 'summary',
      kinesis_producer_kinesis_records_per_put_records_request: 'summary',
      kinesis_producer_user_records_per_put_records_request: 'summary',
      kinesis_producer_put_to_ack_seconds: 'histogram',
      kinesis_producer_user_records_refused_total: 'counter',
      kinesis_producer_user_records_invalid_total: 'counter',
      kinesis_producer_user_records_failed_total: 'counter',
      kinesis_producer_duplicates_possible_total: 'counter',
      kinesis_producer_requests_total: 'counter',
      kinesis_producer_retries_total: 'counter',
      kinesis_producer_throttled_total: 'counter',
      kinesis_producer_throttled_ratio: 'gauge',
      kinesis_producer_rate_factor: 'gauge',
      kinesis_producer_mispredicted_total: 'counter',
      kinesis_producer_breaker_open: 'gauge',
      kinesis_producer_oldest_record_age_seconds: 'gauge',
      kinesis_producer_shard_map_age_seconds: 'gauge',
      kinesis_producer_shard_map_refreshes_total: 'counter',
      kinesis_producer_open_shards: 'gauge',
      kinesis_producer_buffered_records: 'gauge',
      kinesis_producer_buffer_max_records: 'gauge',
      kinesis_producer_buffered_bytes: 'gauge',
      kinesis_producer_buffer_max_bytes: 'gauge',
      kinesis_producer_in_flight_requests: 'gauge'
    })
    expect(families.size).toBe(Object.keys(METRICS).length)
  })

  test('says what stats() says', async () => {
    const observed = await busy()
    const stream = observed.stats().streams[STREAM]!

    const value = valuesOf(observed)

    expect({
      received: value('user_records_received_total{stream="orders"}'),
      putToAck: value('put_to_ack_seconds_count{stream="orders"}'),
      latencySum: value('put_to_ack_seconds_sum{stream="orders"}'),
      expired: value('user_record_expired_total{stream="orders"}'),
      mapAge: value('shard_map_age_seconds{stream="orders"}'),
      buffered: value('buffered_records'),
      rate: value(`rate_factor{stream="orders",shard="${SHARDS[0]}"}`)
    }).toEqual({
      received: stream.userRecordsReceived,
      putToAck: stream.putToAck.count,
      latencySum: stream.putToAck.sumMs / 1000,
      expired: 0,
      mapAge: stream.shardMapAgeMs! / 1000,
      buffered: 0,
      rate: stream.shards[SHARDS[0]]!.rateFactor
    })
  })

  test('of a counter by shard adds up to the counter of the stream', async () => {
    const observed = await busy()

    const [byShard, byStream] = (['shard', 'stream'] as const).map(granularity =>
      sumsOf(parse(prometheusText(observed, { granularity })))
    )

    expect(byShard).toEqual(byStream)
  })

  test('gives at most so many shards series of their own', async () => {
    const observed = await busy()

    const families = parse(prometheusText(observed, { maxShards: 1 }))

    const series = [...families.get('kinesis_producer_user_records_put_total')!.samples]
    expect(series.map(([name]) => name.includes('shard=')).sort()).toEqual([false, true])
    expect(sumsOf(families)).toEqual(sumsOf(parse(prometheusText(observed))))
  })

  test('has histograms whose buckets ascend to their count', async () => {
    const families = parse(prometheusText(await busy()))

    const { samples } = families.get('kinesis_producer_request_time_seconds')!
    const buckets = [...samples].filter(([name]) => name.includes('_bucket')).map(([, value]) => value)
    expect(buckets).toEqual([...buckets].sort((left, right) => left - right))
    expect(buckets.at(-1)).toBe(samples.get('kinesis_producer_request_time_seconds_count{stream="orders"}'))
  })

  test('tells several producers apart by name', async () => {
    const [left, right] = [await busy(), await new Observed().open()]

    const families = parse(prometheusText({ left, right }))

    expect([...families.get('kinesis_producer_user_records_received_total')!.samples]).toEqual([
      ['kinesis_producer_user_records_received_total{producer="left",stream="orders"}', 3],
      ['kinesis_producer_user_records_received_total{producer="right",stream="orders"}', 0]
    ])
  })

  test('escapes what a label may not hold', async () => {
    const stats = (await busy()).stats()
    const odd = 'a"b\\c\nd'
    const renamed: ProducerStats = { ...stats, streams: { [odd]: stats.streams[STREAM]! } }

    const families = parse(prometheusText({ stats: () => renamed }))

    expect([...families.get('kinesis_producer_requests_total')!.samples]).toEqual([
      [`kinesis_producer_requests_total{stream=${JSON.stringify(odd)}}`, stats.streams[STREAM]!.requests]
    ])
  })

  test('of a producer that has no stream yet has only what the producer itself has', async () => {
    const families = parse(prometheusText(new Observed()))

    expect([...families.keys()]).toEqual([
      'kinesis_producer_user_records_invalid_total',
      'kinesis_producer_buffered_records',
      'kinesis_producer_buffer_max_records',
      'kinesis_producer_buffered_bytes',
      'kinesis_producer_buffer_max_bytes',
      'kinesis_producer_in_flight_requests'
    ])
  })
})

/** A stream of two shards, one of which was throttled once. */
async function busy(): Promise<Observed> {
  const observed = await new Observed({ shardCount: 2 }).open()
  observed.harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'throttle', shardIds: [SHARDS[0]] },
    times: 1
  })
  await observed.send([KEYS[0], 'abc'], [KEYS[1], 'abcde'], [KEYS[1], 'abcdefg'])
  return observed
}

function valuesOf(observed: Observed): (name: string) => number | undefined {
  const samples = new Map([...parse(prometheusText(observed)).values()].flatMap(family => [...family.samples]))
  return name => samples.get(`kinesis_producer_${name}`)
}

/** Sums over all shards of everything that adds up, to nine digits. */
function sumsOf(families: Map<string, Family>): Record<string, number> {
  const sums = new Map<string, number>()
  for (const { type, samples } of families.values()) {
    if (type === 'gauge') continue
    for (const [name, value] of samples) {
      const key = name.replace(/,shard="[^"]*"/, '')
      sums.set(key, (sums.get(key) ?? 0) + value)
    }
  }
  return Object.fromEntries([...sums].map(([key, sum]) => [key, Number(sum.toPrecision(9))]))
}

/** Reads the text, which has finite numbers only. */
function parse(text: string): Map<string, Family> {
  const families = parsePrometheus(text)
  const values = [...families.values()].flatMap(({ samples }) => [...samples.values()])
  if (!values.every(Number.isFinite)) throw new Error('a value is not finite')
  return families
}

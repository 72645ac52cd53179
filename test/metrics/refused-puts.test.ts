import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader
} from '@opentelemetry/sdk-metrics'
import { afterEach, expect, test } from 'vitest'
import { CloudWatchMetrics } from '../../src/metrics/cloudwatch.ts'
import { openTelemetry } from '../../src/metrics/otel.ts'
import { prometheusText } from '../../src/metrics/prometheus.ts'
import { Harness, STREAM } from '../support/harness.ts'

const MAX_BYTES = 2_097_152

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

test('stats() counts what found no room, and what was no record, and has the bounds of the buffer', async () => {
  const { harness } = await refusing()

  const { refused, invalid, bufferMaxBytes, bufferMaxRecords, streams } = harness.producer.stats()

  expect({ refused, invalid, bufferMaxBytes, bufferMaxRecords }).toEqual({
    refused: 2,
    invalid: 3,
    bufferMaxBytes: MAX_BYTES,
    bufferMaxRecords: 4
  })
  expect(streams[STREAM]!.userRecordsRefused).toBe(2)
})

test('a record that waits for a full shard is refused, and counted, while the buffer as a whole has room', async () => {
  const harness = await new Harness({ shardCount: 2, bufferMaxBytes: MAX_BYTES, aggregationEnabled: false }).warm()
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
  const put = (partitionKey: string) => harness.producer.tryPut({ partitionKey, data: 'x'.repeat(250_000) })
  put('key-1')
  const taken = Array.from({ length: 7 }, () => put('key-0'))

  const { refused, bufferedBytes } = harness.producer.stats()

  expect([refused > 0, refused, bufferedBytes < MAX_BYTES - 260_000]).toEqual([
    true,
    taken.filter(isTaken => !isTaken).length,
    true
  ])
})

test('Prometheus has the counts, and the bounds beside what is held', async () => {
  const { harness } = await refusing()

  const lines = prometheusText(harness.producer).split('\n')

  const found = lines.filter(line => /^kinesis_producer_(user_records_(refused|invalid)|buffer(ed|_max)_)/.test(line))
  expect(found).toEqual([
    `kinesis_producer_user_records_refused_total{stream="${STREAM}"} 2`,
    'kinesis_producer_user_records_invalid_total 3',
    'kinesis_producer_buffered_records 4',
    'kinesis_producer_buffer_max_records 4',
    `kinesis_producer_buffered_bytes ${harness.producer.stats().bufferedBytes}`,
    `kinesis_producer_buffer_max_bytes ${MAX_BYTES}`
  ])
})

test('OpenTelemetry has the counts, and the bounds beside what is held', async () => {
  const { harness } = await refusing()
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const telemetry = openTelemetry(harness.producer, { meterProvider })
  endings.push(
    () => telemetry.close(),
    () => meterProvider.shutdown()
  )

  await meterProvider.forceFlush()

  const found = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    .filter(({ descriptor: { name } }) => /refused|invalid|buffer_max|buffered_records/.test(name))
    .map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.map(({ value }) => value)])
  expect(Object.fromEntries(found)).toEqual({
    'kinesis.producer.user_records_refused': [2],
    'kinesis.producer.user_records_invalid': [3],
    'kinesis.producer.buffered_records': [4],
    'kinesis.producer.buffer_max_records': [4],
    'kinesis.producer.buffer_max_bytes': [MAX_BYTES]
  })
})

test('CloudWatch has the refusals by stream, and the bounds beside what is held, without a stream', async () => {
  const harness = await new Harness({ bufferMaxBytes: MAX_BYTES, bufferMaxRecords: 4 }).warm()
  const documents: Record<string, unknown>[] = []
  const metrics = new CloudWatchMetrics(harness.producer, {
    write: line => documents.push(JSON.parse(line) as Record<string, unknown>),
    uploadDelayMs: Number.POSITIVE_INFINITY,
    granularity: 'stream'
  })
  endings.push(() => metrics.close())
  refuse(harness)

  await metrics.flush()

  const valuesOf = (isOfStream: boolean) => {
    const of = documents.filter(document => 'StreamName' in document === isOfStream)
    const merged: Record<string, unknown> = Object.assign({}, ...of)
    const names = ['UserRecordsRefused', 'BufferedRecords', 'BufferMaxRecords', 'BufferMaxBytes']
    return Object.fromEntries(names.map(name => [name, (merged[name] as { Sum?: number } | undefined)?.Sum]))
  }
  expect([valuesOf(true), valuesOf(false)]).toEqual([
    { UserRecordsRefused: 2, BufferedRecords: undefined, BufferMaxRecords: undefined, BufferMaxBytes: undefined },
    { UserRecordsRefused: 2, BufferedRecords: 4, BufferMaxRecords: 4, BufferMaxBytes: MAX_BYTES }
  ])
})

async function refusing() {
  const harness = await new Harness({ bufferMaxBytes: MAX_BYTES, bufferMaxRecords: 4 }).warm()
  refuse(harness)
  return { harness }
}

/** Fills the buffer with four records, then finds no room twice and puts three that are no records. */
function refuse({ producer }: Harness): void {
  for (let i = 0; i < 4; i++) producer.tryPut({ partitionKey: 'k', data: 'x' })
  producer.tryPut({ partitionKey: 'k', data: 'x' })
  producer.put({ partitionKey: 'k', data: 'x' }).catch(() => {})
  producer.put({ partitionKey: '', data: 'x' }).catch(() => {})
  producer.put({ partitionKey: 'k', data: 'x', streamName: '/' }).catch(() => {})
  try {
    producer.tryPut({ partitionKey: 'k', data: 'x'.repeat(1_048_577) })
  } catch {
    // Too large, as it should be.
  }
}

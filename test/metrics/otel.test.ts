import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { METRICS } from '../../src/metrics/metrics-table.ts'
import { type OpenTelemetryOptions, openTelemetry } from '../../src/metrics/otel.ts'
import { STREAM } from '../support/harness.ts'
import { KEYS, Observed, SHARDS } from './fixture.ts'

const CONVENTIONAL = { 'messaging.system': 'aws.kinesis', 'messaging.operation.name': 'put_records' }
const ON_STREAM = { 'messaging.destination.name': STREAM }
const THROTTLED = 'ProvisionedThroughputExceededException'

/** The real SDK, exporting into memory. */
class Sdk {
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  readonly #spans = new InMemorySpanExporter()
  readonly #reader = new PeriodicExportingMetricReader({ exporter: this.#metrics, exportIntervalMillis: 3_600_000 })
  readonly meterProvider = new MeterProvider({ readers: [this.#reader] })
  readonly tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#spans)] })

  get spans() {
    return this.#spans.getFinishedSpans()
  }

  /** Collects now: points by instrument, as attributes and value. */
  async collect() {
    this.#metrics.reset()
    await this.meterProvider.forceFlush()
    const scopes = this.#metrics.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    return new Map(
      scopes
        .flatMap(({ metrics }) => metrics)
        .map(({ descriptor, dataPoints }) => [
          descriptor.name,
          { unit: descriptor.unit, points: dataPoints.map(({ attributes, value }) => [attributes, value] as const) }
        ])
    )
  }

  async close(): Promise<void> {
    await this.meterProvider.shutdown()
    await this.tracerProvider.shutdown()
  }
}

test('messages and durations go by the semantic conventions for messaging', async () => {
  await using world = await open()

  await world.send()

  const found = await world.sdk.collect()
  expect(found.get('messaging.client.sent.messages')).toEqual({
    unit: '{message}',
    points: [
      [{ ...CONVENTIONAL, ...ON_STREAM }, 3],
      [{ ...CONVENTIONAL, ...ON_STREAM, 'error.type': THROTTLED }, 1]
    ]
  })
  const duration = found.get('messaging.client.operation.duration')
  expect([duration?.unit, duration?.points]).toMatchObject([
    's',
    [
      [
        { ...CONVENTIONAL, ...ON_STREAM, 'messaging.operation.type': 'send' },
        {
          count: 2,
          buckets: { boundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] }
        }
      ]
    ]
  ])
})

test('every other metric of the table is there under a name of our own', async () => {
  await using world = await open({ granularity: 'shard' })

  await world.send()

  const own = [...(await world.sdk.collect()).keys()].filter(name => name.startsWith('kinesis.producer.'))
  const words = new Set(own.map(name => name.split('.')[2]))
  expect(words.size).toBe(Object.keys(METRICS).length - 1)
  expect(own).toEqual(
    expect.arrayContaining(['kinesis.producer.user_records_put', 'kinesis.producer.buffering_time.sum'])
  )
})

test('values are in base units: bytes and seconds', async () => {
  await using world = await open()

  await world.send()

  const found = await world.sdk.collect()
  expect({
    bytes: found.get('kinesis.producer.user_records_data_put'),
    buffering: found.get('kinesis.producer.buffering_time.count'),
    quantiles: found.get('kinesis.producer.put_to_ack')?.points.map(([attributes]) => attributes['quantile']),
    slowest: found.get('kinesis.producer.put_to_ack')?.points.at(-1)?.[1],
    errors: found.get('kinesis.producer.errors_by_code')?.points,
    mapAge: found.get('kinesis.producer.shard_map_age')?.unit
  }).toEqual({
    bytes: { unit: 'By', points: [[ON_STREAM, 15]] },
    buffering: { unit: '{count}', points: [[ON_STREAM, 4]] },
    quantiles: [0.5, 0.9, 0.99, 0.999],
    slowest: world.observed.stats().streams[STREAM]!.putToAck.p999Ms / 1000,
    errors: [[{ ...ON_STREAM, 'error.type': THROTTLED }, 1]],
    mapAge: 's'
  })
})

test('shards are told apart when that is asked for', async () => {
  await using world = await open({ granularity: 'shard' })

  await world.send()

  const { points = [] } = (await world.sdk.collect()).get('kinesis.producer.user_records_put') ?? {}
  const byShard = points.map(([attributes, value]) => [attributes['messaging.destination.partition.id'] ?? '', value])
  expect(byShard.sort()).toEqual([
    ['', 0],
    [SHARDS[0], 1],
    [SHARDS[1], 2]
  ])
})

test('every request is one span that ended when the answer came', async () => {
  await using world = await open()

  await world.send()

  const [first, second] = world.sdk.spans
  expect(world.sdk.spans.length).toBe(2)
  expect({
    name: first!.name,
    kind: first!.kind,
    parent: first!.parentSpanContext,
    durationMs: first!.duration[0] * 1000 + first!.duration[1] / 1e6,
    attributes: first!.attributes,
    status: first!.status.code
  }).toEqual({
    name: 'put_records orders',
    kind: SpanKind.CLIENT,
    parent: undefined,
    durationMs: 10,
    attributes: {
      ...CONVENTIONAL,
      ...ON_STREAM,
      'messaging.operation.type': 'send',
      'messaging.batch.message_count': 3,
      'kinesis.producer.kinesis_records': 2,
      'kinesis.producer.failed_records': 1,
      'kinesis.producer.request_bytes': first!.attributes['kinesis.producer.request_bytes'],
      'kinesis.producer.error_codes': [THROTTLED]
    },
    status: SpanStatusCode.UNSET
  })
  expect(second!.attributes['messaging.batch.message_count']).toBe(1)
})

test('a request that failed as a whole is a span in error', async () => {
  await using world = await open()
  world.observed.harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: 'InternalFailure', statusCode: 500 },
    times: 1
  })

  await world.observed.send(['k', 'x'])

  const [span] = world.sdk.spans
  expect([span!.status, span!.attributes['error.type']]).toEqual([
    { code: SpanStatusCode.ERROR, message: 'InternalFailure' },
    'InternalFailure'
  ])
})

test('several producers are told apart by name', async () => {
  const [left, right] = [await new Observed().open(), await new Observed().open()]
  const sdk = new Sdk()
  const telemetry = openTelemetry({ left, right }, sdk)

  await left.send(['k', 'x'])

  const { points = [] } = (await sdk.collect()).get('kinesis.producer.user_records_received') ?? {}
  expect(points).toEqual([
    [{ 'messaging.client.id': 'left', ...ON_STREAM }, 1],
    [{ 'messaging.client.id': 'right', ...ON_STREAM }, 0]
  ])
  telemetry.close()
  await sdk.close()
})

test('after close nothing is observed and no span begins', async () => {
  await using world = await open()
  world.telemetry.close()

  await world.send()

  expect([world.sdk.spans, [...(await world.sdk.collect()).values()].flatMap(({ points }) => points)]).toEqual([[], []])
})

async function open(options: OpenTelemetryOptions = {}) {
  const observed = await new Observed({ shardCount: 2 }).open()
  const sdk = new Sdk()
  const { meterProvider, tracerProvider } = sdk
  const telemetry = openTelemetry(observed, { meterProvider, tracerProvider, ...options })
  /** Three records, of which one is throttled once. */
  const send = () => {
    observed.harness.faults.add({
      match: { operation: 'PutRecords' },
      action: { kind: 'throttle', shardIds: [SHARDS[0]] },
      times: 1
    })
    return observed.send([KEYS[0], 'abc'], [KEYS[1], 'abcde'], [KEYS[1], 'abcdefg'])
  }
  return {
    observed,
    sdk,
    telemetry,
    send,
    [Symbol.asyncDispose]: async () => {
      telemetry.close()
      await sdk.close()
    }
  }
}

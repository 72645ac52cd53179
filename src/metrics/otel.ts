/**
 * 'kinesis-producer/otel': metrics and spans for OpenTelemetry, by the semantic conventions for messaging where they
 * have a word for it and under `kinesis.producer.*` where not. Needs the package `@opentelemetry/api`.
 * Invariant: what is observed comes from `stats()`, read once per producer and collection; durations and spans come from
 * the channel `kinesis-producer:request`, which all producers of the process share. After `close` nothing is recorded.
 * Source: semantic conventions for messaging, status "development", read 2026-11.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  type Attributes,
  type BatchObservableResult,
  type MeterProvider,
  metrics,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace
} from '@opentelemetry/api'
import { having, type OptionRules, TEXT } from '../consumer/deaggregate/given-options.ts'
import { errorText } from '../model/errors.ts'
import { CHANNELS, type RequestEvent } from '../stats/diagnostics.ts'
import { LATENCY_BOUNDS_MS } from '../stats/latency-bounds.ts'
import { emitWarning } from '../system.ts'
import { assertGivenOptions, GRANULARITY_RULES } from './given.ts'
import { Instruments } from './otel-instruments.ts'
import { DEFAULT_MAX_SHARDS } from './series.ts'
import { namedSources, type StatsSources } from './stats-source.ts'

export type { StatsSource, StatsSources } from './stats-source.ts'

/** The options of `openTelemetry`. */
export interface OpenTelemetryOptions {
  /** Makes the meter. Default: the global one. */
  readonly meterProvider?: MeterProvider
  /** Makes the tracer. Default: the global one. */
  readonly tracerProvider?: TracerProvider
  /** `'shard'` adds `messaging.destination.partition.id`, which the conventions leave to you. Default: `'stream'`. */
  readonly granularity?: 'stream' | 'shard'
  /** Most shards of one stream that get series of their own. Default: 500. */
  readonly maxShards?: number
  /** `messaging.system`; the conventions have no value for Kinesis. Default: `'aws.kinesis'`. */
  readonly system?: string
}

const RULES: OptionRules<OpenTelemetryOptions> = {
  ...GRANULARITY_RULES,
  meterProvider: having('getMeter'),
  tracerProvider: having('getTracer'),
  system: TEXT
}

const SCOPE = 'kinesis-producer'
const OPERATION = 'put_records'

/**
 * Exports metrics of one producer, or of several by name (the attribute `messaging.client.id`), and the durations and
 * spans of all producers of the process: call it once. Returns what ends it.
 *
 * @example
 * const telemetry = openTelemetry({ checkout: producer })
 * await producer.put({ partitionKey: 'user-1', data: 'hello' })
 * telemetry.close()
 */
export function openTelemetry(
  producers: StatsSources,
  options: OpenTelemetryOptions = {}
): {
  /** Ends the export; nothing is recorded afterwards. */
  close(): void
} {
  assertGivenOptions('openTelemetry', options, RULES)
  const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = options
  const { granularity = 'stream', maxShards = DEFAULT_MAX_SHARDS, system = 'aws.kinesis' } = options
  const meter = meterProvider.getMeter(SCOPE)
  const operation: Attributes = { 'messaging.system': system, 'messaging.operation.name': OPERATION }
  const sources = namedSources('openTelemetry', producers)
  const instruments = new Instruments(meter, operation, { granularity, maxShards })
  const observe = (result: BatchObservableResult) => {
    for (const { name, source } of sources) {
      instruments.observe(result, source.stats(), name === undefined ? {} : { 'messaging.client.id': name })
    }
  }
  const duration = meter.createHistogram('messaging.client.operation.duration', {
    description: 'Duration of PutRecords requests.',
    unit: 's',
    advice: { explicitBucketBoundaries: LATENCY_BOUNDS_MS.map(boundMs => boundMs / 1000) }
  })
  const tracer = tracerProvider.getTracer(SCOPE)
  const record = (event: RequestEvent) => {
    const attributes = {
      ...operation,
      'messaging.operation.type': 'send',
      'messaging.destination.name': event.streamName,
      ...(event.errorCode === undefined ? undefined : { 'error.type': event.errorCode })
    }
    duration.record((event.endMs - event.startMs) / 1000, attributes)
    // The user records of a request were put by many callers: none of them is its parent.
    const span = tracer.startSpan(`${OPERATION} ${event.streamName}`, {
      kind: SpanKind.CLIENT,
      root: true,
      // Epoch milliseconds, which the API takes as they are.
      startTime: event.startMs,
      attributes: { ...attributes, ...countsOf(event) }
    })
    if (event.errorCode !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: event.errorCode })
    span.end(event.endMs)
  }
  const onRequest = (message: unknown) => {
    try {
      record(message as RequestEvent)
    } catch (error) {
      // Thrown out of a channel's subscriber, it would end the process.
      emitWarning(
        'KPL_WARN_TELEMETRY_THREW',
        `a span processor or another part of OpenTelemetry threw: ${errorText(error)}`
      )
    }
  }
  meter.addBatchObservableCallback(observe, instruments.all)
  subscribe(CHANNELS.request, onRequest)
  return {
    close: () => {
      meter.removeBatchObservableCallback(observe, instruments.all)
      unsubscribe(CHANNELS.request, onRequest)
    }
  }
}

function countsOf(event: RequestEvent): Attributes {
  const codes = Object.keys(event.errorCodes)
  return {
    'messaging.batch.message_count': event.userRecords,
    'kinesis.producer.kinesis_records': event.kinesisRecords,
    'kinesis.producer.failed_records': event.failedRecords,
    'kinesis.producer.request_bytes': event.requestBytes,
    ...(codes.length === 0 ? undefined : { 'kinesis.producer.error_codes': codes })
  }
}

/**
 * The observable instruments: one or two for every row of the metrics table, and `messaging.client.sent.messages`.
 * Invariant: made once; every collection observes each instrument from the same snapshot.
 */
import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import type { LatencyStats } from '../stats/latency.ts'
import type { ProducerStats, StreamState } from '../stats/stats.ts'
import type { MetricEntry } from './metric-entry.ts'
import { openTelemetryName, openTelemetryUnit } from './metric-names.ts'
import { METRIC_ROWS, type MetricName } from './metrics-table.ts'
import { type Sample, type SeriesOptions, samplesOf } from './series.ts'

/** The instruments of one row: a summary has one for its sum and one for its count. */
interface Row {
  readonly name: MetricName
  readonly entry: MetricEntry
  readonly value: Observable
  readonly count: Observable | undefined
}

const QUANTILES = [
  [0.5, 'p50Ms'],
  [0.9, 'p90Ms'],
  [0.99, 'p99Ms'],
  [0.999, 'p999Ms']
] as const satisfies readonly (readonly [number, keyof LatencyStats])[]

export class Instruments {
  readonly #options: SeriesOptions
  readonly #operation: Attributes
  readonly #rows: readonly Row[]
  readonly #sent: Observable
  readonly all: Observable[]

  constructor(meter: Meter, operation: Attributes, options: SeriesOptions) {
    this.#options = options
    this.#operation = operation
    // Request times are a histogram of their own: messaging.client.operation.duration.
    this.#rows = METRIC_ROWS.filter(([name]) => name !== 'RequestTime').map(([name, entry]) =>
      rowOf(meter, name, entry)
    )
    this.#sent = meter.createObservableCounter('messaging.client.sent.messages', {
      description: 'User records in requests that were answered or failed, with error.type where they were not stored.',
      unit: '{message}'
    })
    this.all = [
      this.#sent,
      ...this.#rows.flatMap(({ value, count }) => (count === undefined ? [value] : [value, count]))
    ]
  }

  /** Observes everything. `client`: attributes that tell the producer. */
  observe(result: BatchObservableResult, stats: ProducerStats, client: Attributes): void {
    const streams = Object.entries(stats.streams)
    for (const row of this.#rows) {
      const { ofProducer } = row.entry
      if (ofProducer !== undefined) result.observe(row.value, ofProducer(stats), client)
      for (const [streamName, stream] of ofProducer === undefined ? streams : []) {
        this.#observeRow(result, row, stream, { ...client, 'messaging.destination.name': streamName })
      }
    }
    for (const [streamName, stream] of streams) {
      const attributes = { ...client, ...this.#operation, 'messaging.destination.name': streamName }
      result.observe(this.#sent, stream.userRecordsSent, attributes)
      for (const [code, count] of Object.entries(stream.userRecordsSentByError)) {
        result.observe(this.#sent, count, { ...attributes, 'error.type': code })
      }
    }
  }

  #observeRow(result: BatchObservableResult, row: Row, stream: StreamState, attributes: Attributes): void {
    if (row.entry.kind === 'histogram') {
      for (const [quantile, field] of QUANTILES) {
        result.observe(row.value, stream.putToAck[field] / 1000, { ...attributes, quantile })
      }
      return
    }
    for (const sample of samplesOf(row.name, row.entry, stream, this.#options)) {
      const instrument = sample.part === 'count' ? (row.count ?? row.value) : row.value
      result.observe(instrument, sample.value, { ...attributes, ...labelsOf(sample) })
    }
  }
}

function labelsOf({ shard, code }: Sample): Attributes {
  return {
    ...(shard === undefined ? undefined : { 'messaging.destination.partition.id': shard }),
    ...(code === undefined ? undefined : { 'error.type': code })
  }
}

function rowOf(meter: Meter, name: MetricName, entry: MetricEntry): Row {
  const options = { description: entry.doc, unit: openTelemetryUnit(entry.unit) }
  const base = openTelemetryName(name)
  switch (entry.kind) {
    case 'gauge':
    case 'histogram':
      return { name, entry, value: meter.createObservableGauge(base, options), count: undefined }
    case 'summary': {
      const count = meter.createObservableCounter(`${base}.count`, { ...options, unit: '{count}' })
      return { name, entry, value: meter.createObservableCounter(`${base}.sum`, options), count }
    }
    default:
      return { name, entry, value: meter.createObservableCounter(base, options), count: undefined }
  }
}

/**
 * How the table's names are written by each exporter.
 * Invariant: derived, never listed: `UserRecordsDataPut` in bytes is `kinesis_producer_user_records_data_put_bytes_total`
 * for Prometheus and `kinesis.producer.user_records_data_put` for OpenTelemetry. Times are in seconds in both.
 */
import type { MetricEntry, MetricUnit } from './metric-entry.ts'

/** The factor from a value of the table to the base unit of both exporters. */
export function baseUnitFactor(unit: MetricUnit): number {
  return unit === 'Milliseconds' ? 0.001 : 1
}

/** The family's name; `_total`, `_sum`, `_count` or `_bucket` come behind it. */
export function prometheusName(name: string, { unit, kind }: Pick<MetricEntry, 'unit' | 'kind'>): string {
  const isTotal = kind === 'sum' || kind === 'counter' || kind === 'codes'
  const words = `kinesis_producer_${snakeCase(name)}`
  const unitWord = words.endsWith(PROMETHEUS_UNITS[unit]) ? '' : PROMETHEUS_UNITS[unit]
  return `${words}${unitWord}${isTotal ? '_total' : ''}`
}

export function openTelemetryName(name: string): string {
  return `kinesis.producer.${snakeCase(name)}`
}

/** The unit in UCUM. */
export function openTelemetryUnit(unit: MetricUnit): string {
  return OPENTELEMETRY_UNITS[unit]
}

const PROMETHEUS_UNITS: Readonly<Record<MetricUnit, string>> = {
  Count: '',
  Bytes: '_bytes',
  Milliseconds: '_seconds',
  None: ''
}

const OPENTELEMETRY_UNITS: Readonly<Record<MetricUnit, string>> = {
  Count: '{count}',
  Bytes: 'By',
  Milliseconds: 's',
  None: '1'
}

function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()
}

/**
 * Figures as people read them.
 * Invariant: at most three significant digits; the unit is always there.
 */
import type { Metric, Unit } from './report.ts'
import { median, quantile } from './statistics.ts'

const SUFFIXES: Readonly<Record<Unit, string>> = {
  'records/s': '/s',
  'records/CPU s': '/CPU s',
  'bytes/s': 'B/s',
  'bytes/CPU s': 'B/CPU s',
  ms: 'ms',
  'CPU ms': 'CPU ms',
  ns: 'ns',
  bytes: 'B',
  cores: 'cores',
  percent: '%',
  'requests/s': '/s',
  times: 'x'
}
const SCALES = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k']
] as const
/** Units that say their own size; 1,000 ms are not 1 kms. */
const UNSCALED: readonly Unit[] = ['ms', 'CPU ms', 'ns', 'cores', 'percent', 'times']

export function formatValue(value: number, unit: Unit): string {
  const suffix = SUFFIXES[unit]
  const scaled = scaledValue(value, unit)
  if (suffix === 'x') return `${scaled}x`
  return /\d$/.test(scaled) ? `${scaled} ${suffix}` : scaled + suffix
}

/** Median, then the lowest and the highest sample, then what became of the target. */
export function formatMetric(metric: Metric): string {
  const { samples, unit } = metric
  if (samples.length === 0) return '-'
  const middle = formatValue(median(samples), unit)
  const isConstant = samples.length === 1 || quantile(samples, 0) === quantile(samples, 1)
  const spread = isConstant
    ? ''
    : ` (${scaledValue(quantile(samples, 0), unit)} to ${scaledValue(quantile(samples, 1), unit)})`
  return middle + spread + verdict(metric)
}

export function isMissed({ samples, target }: Metric): boolean {
  return target !== undefined && median(samples) < target
}

function verdict(metric: Metric): string {
  const { target, unit } = metric
  if (target === undefined) return ''
  return ` [aim ${formatValue(target, unit)}: ${isMissed(metric) ? 'not reached' : 'reached'}]`
}

/** `1.51 M`, without the unit. */
function scaledValue(value: number, unit: Unit): string {
  const scale = UNSCALED.includes(unit) ? undefined : SCALES.find(([size]) => Math.abs(value) >= size)
  return scale === undefined ? threeDigits(value) : `${threeDigits(value / scale[0])} ${scale[1]}`
}

function threeDigits(value: number): string {
  const size = Math.abs(value)
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  return size >= 0.1 || size === 0 ? value.toFixed(2) : value.toPrecision(2)
}

/**
 * The totals of all slices of a run.
 * Invariant: pure; counts add up, times are those of the slice that took longest, percentiles are over all latencies.
 */
import type { Totals } from '../put/totals.ts'
import { LatencyHistogram } from './latency-histogram.ts'
import type { LoadFigures } from './load.ts'
import type { LoadSample } from './load-seconds.ts'
import type { SliceEnd } from './run-slice.ts'

export interface LoadTotals extends LoadFigures {
  readonly totals: Totals
  readonly latencies: LatencyHistogram
  readonly samples: readonly LoadSample[]
  readonly isRefused: boolean
}

export function totalsOfSlices(ends: readonly SliceEnd[], samples: readonly LoadSample[]): LoadTotals {
  const latencies = new LatencyHistogram()
  for (const end of ends) latencies.addAll(end.latencies)
  const figure = (field: keyof LoadFigures) => ends.map(({ figures }) => figures[field])
  const total = (field: keyof Totals) => sumOf(ends.map(({ totals }) => totals[field]))
  return {
    put: sumOf(figure('put')),
    bytes: sumOf(figure('bytes')),
    delivered: sumOf(figure('delivered')),
    failed: sumOf(figure('failed')),
    dropped: sumOf(figure('dropped')),
    scheduleSeconds: Math.max(...figure('scheduleSeconds')),
    ackSeconds: Math.max(...figure('ackSeconds')),
    totals: {
      kinesisRecords: total('kinesisRecords'),
      requests: total('requests'),
      retries: total('retries'),
      throttled: total('throttled')
    },
    latencies,
    samples,
    isRefused: ends.some(({ isRefused }) => isRefused)
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/**
 * The result of a bench: tables of measured cells, and plots.
 * Invariant: every figure keeps its samples, so that spread, comparison and plots are made from the same numbers.
 */

export type Unit =
  | 'records/s'
  | 'records/CPU s'
  | 'bytes/s'
  | 'bytes/CPU s'
  | 'ms'
  | 'CPU ms'
  | 'ns'
  | 'bytes'
  | 'cores'
  | 'percent'
  | 'requests/s'
  | 'times'

export interface Metric {
  readonly unit: Unit
  readonly samples: readonly number[]
  /** The aim for the median of ratios, or of simulated figures. Any other absolute figure belongs to one machine. */
  readonly target?: number | undefined
}

export type Cell = string | Metric

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  readonly notes?: readonly string[]
}

/** Whose figure it is: the one thing that colours mean. */
export type Side = 'ours' | 'KPL' | 'SDK' | 'others' | 'floor'

export interface Bar {
  readonly label: string
  readonly side: Side
  readonly samples: readonly number[]
}

export interface BarPlot {
  readonly kind: 'bars'
  readonly title: string
  readonly unit: Unit
  readonly bars: readonly Bar[]
}

export interface Line {
  readonly label: string
  readonly side: Side
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface LinePlot {
  readonly kind: 'lines'
  readonly title: string
  readonly xTitle: string
  readonly yTitle: string
  readonly xScale: 'log' | 'percentile'
  readonly lines: readonly Line[]
}

export type Plot = BarPlot | LinePlot

export interface Report {
  readonly title: string
  readonly tables: readonly Table[]
  readonly plots?: readonly Plot[]
}

/** Instead of a report: why the bench cannot run on this machine. Nothing was measured, and that is no failure. */
export interface Skipped {
  readonly skipped: string
}

const LESS_IS_BETTER: readonly Unit[] = ['ms', 'CPU ms', 'ns', 'bytes', 'cores', 'percent']

export function isLessBetter(unit: Unit): boolean {
  return LESS_IS_BETTER.includes(unit)
}

export function metric(unit: Unit, samples: readonly number[]): Metric {
  return { unit, samples }
}

/** One sample of each of `items`. */
export function metricOf<Item>(unit: Unit, items: readonly Item[], sample: (item: Item) => number): Metric {
  return metric(unit, items.map(sample))
}

/** A figure of a virtual clock, which is the same on every machine. */
export function simulated(unit: Unit, samples: readonly number[], target?: number): Metric {
  return { unit, samples, target }
}

/** How many times as much (or, for `isLess`, as little) as something measured in the same run. */
export function ratio(samples: readonly number[], target?: number): Metric {
  return { unit: 'times', samples, target }
}

/**
 * Bars of the metrics in `column`, named by the first `labelCells` cells of their rows; `sideOf` tells by the name whose
 * they are.
 */
export function barsOf(
  rows: readonly (readonly Cell[])[],
  labelCells: number,
  column: number,
  sideOf: (label: string) => Side = () => 'ours'
): Bar[] {
  return rows.flatMap(row => {
    const cell = row[column]
    const label = row.slice(0, labelCells).join(', ')
    return cell === undefined || typeof cell === 'string' ? [] : [{ label, side: sideOf(label), samples: cell.samples }]
  })
}

/**
 * What a bench hands back: tables of measured cells, and plots.
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
  | 'times'
  | 'percent in vain'

export interface Metric {
  readonly unit: Unit
  readonly samples: readonly number[]
  /** What the median should reach: at least this where more is better, at most this where less is. */
  readonly target?: number | undefined
}

export type Cell = string | Metric

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  readonly notes?: readonly string[]
}

export interface Bar {
  readonly label: string
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

const LESS_IS_BETTER: readonly Unit[] = ['ms', 'CPU ms', 'ns', 'bytes', 'cores', 'percent in vain']

export function isLessBetter(unit: Unit): boolean {
  return LESS_IS_BETTER.includes(unit)
}

export function metric(unit: Unit, samples: readonly number[], target?: number): Metric {
  return { unit, samples, target }
}

/** One sample of each of `items`. */
export function metricOf<Item>(
  unit: Unit,
  items: readonly Item[],
  sample: (item: Item) => number,
  target?: number
): Metric {
  return metric(unit, items.map(sample), target)
}

/** Bars of the metrics in `column`, named by the first `labelCells` cells of their rows. */
export function barsOf(rows: readonly (readonly Cell[])[], labelCells: number, column: number): Bar[] {
  return rows.flatMap(row => {
    const cell = row[column]
    const label = row.slice(0, labelCells).join(', ')
    return cell === undefined || typeof cell === 'string' ? [] : [{ label, samples: cell.samples }]
  })
}

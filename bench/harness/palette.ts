/**
 * The one palette of all plots: a colour says whose figure it is.
 * Invariant: every colour has a contrast of at least 3:1 on white and on GitHub's dark background alike.
 */
import type { Side } from './report.ts'

export const COLOURS: Readonly<Record<Side, string>> = {
  ours: '#2f81f7',
  KPL: '#d2691e',
  SDK: '#2da44e',
  others: '#a371f7',
  floor: '#8b949e'
}

/** The entries of a legend, in their order. */
export const SIDE_NAMES: Readonly<Record<Side, string>> = {
  ours: 'kinesis-producer',
  KPL: 'KPL (Java and its daemon)',
  SDK: 'AWS SDK',
  others: 'other libraries',
  floor: 'floor: what nobody can do without'
}

/** Of text of 13 px: a little more than most fonts take. */
const CHARACTER_WIDTH = 7
const MARK_WIDTH = 18
const GAP = 24

export interface Legend {
  /** The sides that occur, with the left end of each. */
  readonly entries: readonly { readonly side: Side; readonly x: number }[]
  readonly width: number
}

/** Returns one line of a legend: names beside each other, each as wide as its text. */
export function legendOf(items: readonly { readonly side: Side }[]): Legend {
  const present = new Set(items.map(({ side }) => side))
  const entries: { side: Side; x: number }[] = []
  let width = -GAP
  for (const side of Object.keys(SIDE_NAMES) as Side[]) {
    if (!present.has(side)) continue
    entries.push({ side, x: width + GAP })
    width += GAP + MARK_WIDTH + SIDE_NAMES[side].length * CHARACTER_WIDTH
  }
  return { entries, width }
}

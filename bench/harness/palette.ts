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

/** What a legend says, in the order in which it says it. */
export const SIDE_NAMES: Readonly<Record<Side, string>> = {
  ours: 'kinesis-producer',
  KPL: 'KPL (Java and its daemon)',
  SDK: 'AWS SDK',
  others: 'other libraries',
  floor: 'floor: what nobody can do without'
}

/** The sides that occur, in the legend's order. */
export function sidesOf(items: readonly { readonly side: Side }[]): Side[] {
  const present = new Set(items.map(({ side }) => side))
  return (Object.keys(SIDE_NAMES) as Side[]).filter(side => present.has(side))
}

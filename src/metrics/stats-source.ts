/**
 * The input of exporters: one producer, or several by name.
 * Invariant: types and one reading of them; nothing is kept.
 */
import type { ProducerStats } from '../stats/stats.ts'

/** The source of an exporter: a KinesisProducer is one. */
export interface StatsSource {
  /** Returns the numbers of this moment. */
  stats(): ProducerStats
}

/** One producer, or several by names that tell their series apart. */
export type StatsSources = StatsSource | Readonly<Record<string, StatsSource>>

/** Returns each producer with its name; a lone one has none. */
export function namedSources(
  sources: StatsSources
): { readonly name: string | undefined; readonly source: StatsSource }[] {
  if (isSource(sources)) return [{ name: undefined, source: sources }]
  return Object.entries(sources).map(([name, source]) => ({ name, source }))
}

function isSource(sources: StatsSources): sources is StatsSource {
  return typeof sources['stats'] === 'function'
}

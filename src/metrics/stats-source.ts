/**
 * The input of exporters: one producer, or several by name.
 * Invariant: types and one reading of them; nothing is kept.
 */
import type { ProducerStats } from '../stats/stats.ts'
import { assertSource, isSource } from './given.ts'

/** The source of an exporter: a KinesisProducer is one. */
export interface StatsSource {
  /** Returns the numbers of this moment. */
  stats(): ProducerStats
}

/** One producer, or several by names that tell their series apart. */
export type StatsSources = StatsSource | Readonly<Record<string, StatsSource>>

/** A producer with its name. */
export interface NamedSource {
  readonly name: string | undefined
  readonly source: StatsSource
}

/** Returns each producer with its name; a lone one has none. Throws OptionsError for a value that is not a producer. */
export function namedSources(call: string, sources: StatsSources): NamedSource[] {
  if (isSource(sources)) return [{ name: undefined, source: sources }]
  if (typeof sources !== 'object' || sources === null) assertSource(call, sources, 'producers')
  return Object.entries(sources).map(([name, source]) => {
    assertSource(call, source, `producers[${JSON.stringify(name.slice(0, 64))}]`)
    return { name, source }
  })
}

/**
 * Sums over many seeds.
 * Invariant: adding is commutative, so the order in which threads finish does not show.
 */
import type { SimReport } from './sim.ts'
import type { Mode } from './swarm.ts'
import type { Violation } from './trace.ts'

export interface BrokenSeed {
  readonly seed: number
  readonly mode: Mode
  readonly violations: readonly Violation[]
}

const COUNTS = [
  'putCount',
  'deliveredCount',
  'requestCount',
  'faultCount',
  'eventCount',
  'storedCount',
  'duplicateCount',
  'droppedCount',
  'lostCount',
  'unknowableCount',
  'virtualMs'
] as const

export type Tally = { seedCount: number; readonly broken: BrokenSeed[] } & Record<(typeof COUNTS)[number], number>

export function newTally(): Tally {
  const counts = Object.fromEntries(COUNTS.map(name => [name, 0])) as Record<(typeof COUNTS)[number], number>
  return { seedCount: 0, broken: [], ...counts }
}

export function addReport(tally: Tally, report: SimReport): void {
  tally.seedCount++
  for (const name of COUNTS) tally[name] += report[name]
  const { seed, mode, violations } = report
  if (violations.length > 0) tally.broken.push({ seed, mode, violations })
}

export function addTally(tally: Tally, other: Tally): void {
  tally.seedCount += other.seedCount
  for (const name of COUNTS) tally[name] += other[name]
  tally.broken.push(...other.broken)
}

/**
 * Sums over many seeds.
 * Invariant: adding is commutative, so the order in which threads finish does not show.
 */
import { hash } from 'node:crypto'
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

export type Tally = {
  seedCount: number
  /** Of all events of all seeds, as 16 hex digits: the same for the same seeds and the same behaviour of the core. */
  events: string
  readonly broken: BrokenSeed[]
} & Record<(typeof COUNTS)[number], number>

const EVENT_DIGITS = 16

export function newTally(): Tally {
  const counts = Object.fromEntries(COUNTS.map(name => [name, 0])) as Record<(typeof COUNTS)[number], number>
  return { seedCount: 0, events: '0'.repeat(EVENT_DIGITS), broken: [], ...counts }
}

export function addReport(tally: Tally, report: SimReport): void {
  tally.seedCount++
  for (const name of COUNTS) tally[name] += report[name]
  const { seed, mode, violations } = report
  tally.events = sumOf(tally.events, hash('sha256', `${mode}/${seed} ${report.hash}`).slice(0, EVENT_DIGITS))
  if (violations.length > 0) tally.broken.push({ seed, mode, violations })
}

export function addTally(tally: Tally, other: Tally): void {
  tally.seedCount += other.seedCount
  for (const name of COUNTS) tally[name] += other[name]
  tally.events = sumOf(tally.events, other.events)
  tally.broken.push(...other.broken)
}

function sumOf(left: string, right: string): string {
  const sum = BigInt.asUintN(4 * EVENT_DIGITS, BigInt(`0x${left}`) + BigInt(`0x${right}`))
  return sum.toString(16).padStart(EVENT_DIGITS, '0')
}

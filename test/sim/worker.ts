/**
 * One thread of a long run: seeds come in by the span, what they counted and broke goes back.
 * Invariant: what a span reports does not depend on which thread runs it, nor on what ran there before.
 */
import { isMainThread, parentPort } from 'node:worker_threads'
import { runSeed } from './sim.ts'
import type { Mode } from './swarm.ts'
import { addReport, newTally, type Tally } from './tally.ts'

export interface Span {
  readonly mode: Mode
  readonly seeds: readonly number[]
}

export interface SpanReport {
  readonly mode: Mode
  readonly tally: Tally
}

/** Stack traces of errors that are expected cost a tenth of a run. */
if (!isMainThread) Error.stackTraceLimit = 0

/** One seed in so many runs twice, and must give the same hash (I20). */
const TWICE = 64

export function runSpan({ mode, seeds }: Span): SpanReport {
  const tally = newTally()
  for (const seed of seeds) {
    const report = runSeed(seed, mode)
    addReport(tally, report)
    if (seed % TWICE !== 0) continue
    const again = runSeed(seed, mode)
    if (again.hash === report.hash) continue
    tally.broken.push({ seed, mode, violations: [{ invariant: 'I20', message: 'two hashes for one seed', atMs: 0 }] })
  }
  return { mode, tally }
}

parentPort?.on('message', (span: Span) => parentPort?.postMessage(runSpan(span)))

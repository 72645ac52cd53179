/**
 * Runs many seeds on several threads.
 * Invariant: every seed of every mode is run exactly once; the outcome does not depend on the number of threads.
 */
import { Worker } from 'node:worker_threads'
import type { Mode } from './swarm.ts'
import { addTally, type BrokenSeed, newTally, type Tally } from './tally.ts'
import type { Span, SpanReport } from './worker.ts'

export interface ManySeeds {
  readonly modes: readonly Mode[]
  readonly seeds: readonly number[]
  readonly workerCount: number
  /** Ask for no more spans once this many seeds broke something. */
  readonly stopAfter?: number
  readonly onProgress?: (doneCount: number, brokenCount: number) => void
  /** Told of each as soon as it is found: of a long run, the first is worth a look at once. */
  readonly onBroken?: (seed: BrokenSeed) => void
}

const SPAN_SEEDS = 50

/** Returns the tally of every mode. */
export async function runMany(many: ManySeeds): Promise<Map<Mode, Tally>> {
  const tallies = new Map(many.modes.map(mode => [mode, newTally()]))
  const spans = spansOf(many)
  let doneCount = 0
  let brokenCount = 0
  const runWorker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url))
      const next = () => {
        const span = brokenCount >= (many.stopAfter ?? Number.POSITIVE_INFINITY) ? undefined : spans.shift()
        if (span === undefined) worker.terminate().then(() => resolve(), reject)
        else worker.postMessage(span)
      }
      worker.on('error', reject)
      worker.on('message', ({ mode, tally }: SpanReport) => {
        addTally(tallies.get(mode)!, tally)
        doneCount += tally.seedCount
        brokenCount += tally.broken.length
        for (const seed of tally.broken) many.onBroken?.(seed)
        many.onProgress?.(doneCount, brokenCount)
        next()
      })
      next()
    })
  await Promise.all(Array.from({ length: many.workerCount }, runWorker))
  return tallies
}

function spansOf({ modes, seeds }: ManySeeds): Span[] {
  const spans: Span[] = []
  for (let from = 0; from < seeds.length; from += SPAN_SEEDS) {
    for (const mode of modes) spans.push({ mode, seeds: seeds.slice(from, from + SPAN_SEEDS) })
  }
  return spans
}

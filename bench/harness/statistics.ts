/**
 * Middle, spread and confidence.
 * Invariant: no function changes its samples; the bootstrap draws from a seed, so that a report can be made again.
 */
import { seededRandom } from '../../src/testing/index.ts'

const RESAMPLES = 4000
const SEED = 20_261_121
/** The interval holds the ratio in 95 of 100 repetitions of the experiment. */
const TAIL = 0.025

export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right)
  const at = (sorted.length - 1) * share
  const below = Math.floor(at)
  const low = sorted[below]!
  return low + ((sorted[below + 1] ?? low) - low) * (at - below)
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5)
}

export interface RatioInterval {
  readonly ratio: number
  readonly low: number
  readonly high: number
}

/** Below this no interval of 95 % can be had from the median of pairs: all may lie on one side by chance. */
export const MIN_PAIRS = 6

/**
 * Returns the median of branch / base over pairs of runs, with its 95 % percentile-bootstrap interval. Pairs are drawn
 * whole: what slowed both runs of a pair down cancels out.
 */
export function bootstrapRatio(base: readonly number[], branch: readonly number[]): RatioInterval {
  const random = seededRandom(SEED)
  const ratios = base.map((value, pair) => branch[pair]! / value)
  const resampled = Array.from({ length: RESAMPLES }, () =>
    median(ratios.map(() => ratios[Math.floor(random() * ratios.length)]!))
  )
  return { ratio: median(ratios), low: quantile(resampled, TAIL), high: quantile(resampled, 1 - TAIL) }
}

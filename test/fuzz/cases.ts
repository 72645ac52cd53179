/**
 * How many inputs the tests of this folder try, and from which seed.
 * `CASES=5000000 npx vitest run test/fuzz` is the long run: CASES is the number of mutants of the decoder's tests, and
 * every other property has a share of it. `SEED=7` starts from that seed; a failure prints the seed that shows it again.
 * Invariant: with the same SEED and CASES the same inputs are tried.
 */
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'

const DEFAULT_CASES = 20_000
/** A long run is checked in pieces, so that the test runner hears from its worker in between. */
const PIECE_CASES = 2_000
const TIMEOUT_MS_PER_DEFAULT = 60_000

const CASES = Number(process.env['CASES'] ?? DEFAULT_CASES)
const SEED = Number(process.env['SEED'] ?? (Math.random() * 2 ** 31) | 0)

/** Time for one test: a minute, or as many minutes as the run is larger. */
export const TIMEOUT_MS: number = TIMEOUT_MS_PER_DEFAULT * Math.max(1, CASES / DEFAULT_CASES)

/** Returns the number of cases for a property that gets one for every `every` mutants of the decoder. */
export function shareOf(every: number): number {
  return Math.max(1, Math.round(CASES / every))
}

/** Runs `property` on `count` inputs; the error of the first that fails names its seed, path and smallest example. */
export async function check<T>(count: number, property: fc.IRawProperty<T>): Promise<void> {
  for (let done = 0, piece = 0; done < count; done += PIECE_CASES, piece++) {
    fc.assert(property, { numRuns: Math.min(PIECE_CASES, count - done), seed: SEED + piece })
    await setImmediate()
  }
}

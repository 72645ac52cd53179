/**
 * How long a bench runs.
 * Invariant: BENCH_QUICK=1 makes few and short samples and goes without what would need the network; every kind of case still runs.
 */
export const isQuick: boolean = process.env['BENCH_QUICK'] === '1'

const givenRounds = Number(process.env['BENCH_ROUNDS'])

/** Samples of each figure. BENCH_ROUNDS sets it. */
export const ROUNDS: number = givenRounds >= 1 ? Math.floor(givenRounds) : isQuick ? 1 : 5

/** Of a series of cases all, or in a quick run the first and the last. */
export function thinned<Case>(cases: readonly Case[]): readonly Case[] {
  return isQuick ? cases.filter((_, i) => i === 0 || i === cases.length - 1) : cases
}

/** A count, a time or a list that is shorter in a quick run. */
export function scaled<Value>(full: Value, quick: Value): Value {
  return isQuick ? quick : full
}

/**
 * The outcome of a referee: one row for each comparison, as it is printed and as `results.json` keeps it.
 * Invariant: `differences` counts what is not equal and not expected; an expected difference is said in `note`.
 */

import type { RecordedBytes } from './recording.ts'

export interface Comparison {
  /** The other side, with its version. */
  readonly program: string
  readonly what: string
  /** Things compared: user records, or Kinesis records where `what` says so. */
  readonly compared: number
  readonly differences: number
  readonly note?: string
}

export interface Outcome {
  /** The tools that built and ran the program, with their versions. */
  readonly toolchain: string
  readonly comparisons: readonly Comparison[]
  /** Recorded bytes by file name, for `test/referee/recorded`. */
  readonly recordings?: Readonly<Record<string, RecordedBytes>>
}

/** The other program cannot be had here: its message is one sentence for the user. */
export class MissingToolchainError extends Error {
  override readonly name = 'MissingToolchainError'
}

export const RESULTS_FILE = 'test/referee/results.json'
export const RECORDED_FOLDER = 'test/referee/recorded'

/** A program that is not ours, and the work to compare it with ours. */
export interface Referee {
  readonly what: string
  /** Tools that must be on the machine. */
  readonly needs: string
  /** Builds and runs it. Rejects with MissingToolchainError, or with any other error if the program fails. */
  readonly run: (seed: number) => Promise<Outcome>
}

/** Returns a number as the notes show it. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** What `results.json` keeps of one referee. */
export interface RefereeResult {
  readonly name: string
  /** The day of the run. */
  readonly date: string
  readonly toolchain: string
  readonly comparisons: readonly Comparison[]
}

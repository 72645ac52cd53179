/**
 * The context of a template's helpers, for one record.
 * Invariant: types only; a helper depends on nothing else, so the same seed and simulated time give the same bytes.
 */
import type { Random } from '../../index.ts'

export interface GenContext {
  readonly random: Random
  /** The record's number, from 0. */
  readonly n: number
  /** The time of day, in epoch milliseconds. */
  readonly nowMs: number
  /** The simulated time; the time of day when none is simulated. */
  readonly simMs: number
}

/** Compiled with its arguments: gives the text for one record. */
export type Helper = (context: GenContext) => string

/** Makes a helper of the arguments. Throws TypeError or RangeError, whose message ends a sentence that begins with the name. */
export type MakeHelper = (args: readonly unknown[]) => Helper

export type HelperTable = Readonly<Record<string, MakeHelper>>

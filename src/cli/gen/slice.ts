/**
 * The part of a run that one thread does.
 * Example: slice 1 of 4 makes the records 1, 5, 9 and so on; of 10 records it makes 3.
 * Invariant: the slices of a run make each record once, and each of them is due when it would be without slices.
 */
import type { Schedule } from './schedule.ts'

export interface Slice {
  /** From 0. */
  readonly index: number
  readonly count: number
}

export const WHOLE: Slice = { index: 0, count: 1 }

/** Returns how many of the first `total` records are the slice's. */
export function sliceOf(total: number, { index, count }: Slice): number {
  return Math.floor((total + count - 1 - index) / count)
}

export function slicedSchedule(schedule: Schedule, slice: Slice): Schedule {
  return { dueAt: elapsedMs => sliceOf(schedule.dueAt(elapsedMs), slice) }
}

/**
 * How many records are due: the rate over time, as an absolute schedule.
 * Example: at 100 records/s, 250 are due after 2.5 s, whatever happened in between.
 * Invariant: pure, except the draws of a profile, which come from the seeded generator, one for each second in order.
 */
import type { Random } from '../../index.ts'
import { normal } from './builtins.ts'
import { type Profile, rateAt } from './profile.ts'

/** Records due from the start up to `elapsedMs`; calls must not go back. */
export interface Schedule {
  dueAt(elapsedMs: number): number
}

export function constantRate(perSecond: number): Schedule {
  return { dueAt: elapsedMs => Math.floor((elapsedMs * perSecond) / 1000) }
}

/** `startMs` is the time of day, real or simulated, at which the schedule begins. */
export function profileRate(profile: Profile, startMs: number, random: Random): Schedule {
  let second = 0
  let before = 0
  let current = drawn(profile, startMs, random)
  return {
    dueAt(elapsedMs) {
      const wanted = Math.floor(elapsedMs / 1000)
      while (second < wanted) {
        before += current
        second++
        current = drawn(profile, startMs + second * 1000, random)
      }
      return before + Math.floor((current * (elapsedMs - second * 1000)) / 1000)
    }
  }
}

function drawn(profile: Profile, atMs: number, random: Random): number {
  const { mean, sd } = rateAt(profile, atMs)
  return Math.max(0, Math.round(mean + sd * normal(random)))
}

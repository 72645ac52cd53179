/**
 * The one formula for waiting after failures in a row: exponential, with a cap, and spread at random so that many clients do
 * not come back together.
 * Example: base 100 ms, cap 1 s -> at most 100, 200, 400, 800, 1000, 1000 ms.
 */
import type { Random } from '../model/ports.ts'

export interface BackoffSpan {
  readonly baseMs: number
  readonly capMs: number
  /** The factor of the wait for each further failure; 2 when left out. */
  readonly growth?: number
}

/** Beyond this many failures every span has long reached its cap, and the power would overflow. */
const MAX_STEPS = 60

/** Returns the longest wait after `failures` that came before this one. */
export function longestWaitMs({ baseMs, capMs, growth = 2 }: BackoffSpan, failures: number): number {
  return Math.min(capMs, baseMs * growth ** Math.min(failures, MAX_STEPS))
}

/** Full jitter: anything up to the longest wait. For many small things that fail together. */
export function fullJitterMs(span: BackoffSpan, failures: number, random: Random): number {
  return random() * longestWaitMs(span, failures)
}

/** Half fixed, half random: none comes at once. For probes and for calls that cost the service something. */
export function halfJitterMs(span: BackoffSpan, failures: number, random: Random): number {
  const spanMs = longestWaitMs(span, failures)
  return spanMs / 2 + (random() * spanMs) / 2
}

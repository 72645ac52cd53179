/**
 * The time of day: only a log line that CloudWatch reads needs it.
 * Invariant: no state; everything else takes it as a parameter.
 */

/** Returns milliseconds since 1970. */
export const systemWallMs = (): number => Date.now()

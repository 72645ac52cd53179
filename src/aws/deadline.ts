/**
 * A time-out that is not taken in by a process that stood still.
 * Invariant: expires once, at its time or, when it was woken late, `LATE_GRACE_MS` after that.
 *
 * Sequence that this is for: the process is busy for two seconds; meanwhile the answer arrives in the socket and the
 * time-out passes. Timers run before sockets are read, so the answer would lose although it was there in time.
 */
import type { Clock, Timer } from '../model/ports.ts'

/** How long an answer that may be waiting gets to be read. The sockets are read long before. */
export const LATE_GRACE_MS = 100
/** Timers are never quite exact. */
const PUNCTUAL_MS = 2

/** Calls `expire` at `atMs` unless cancelled before. */
export function armDeadline(clock: Clock, atMs: number, expire: () => void): Timer {
  let timer = clock.schedule(atMs, () => {
    const isPunctual = clock.nowMs() - atMs <= PUNCTUAL_MS
    if (isPunctual) expire()
    else timer = clock.schedule(clock.nowMs() + LATE_GRACE_MS, expire)
  })
  return { cancel: () => timer.cancel() }
}

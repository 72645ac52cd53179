/**
 * Real time for the fake server, which owns real sockets: the only file of this folder that reads the machine's clock.
 * Invariant: time is milliseconds since 1970 and never goes back, so it serves as a monotonic clock and for timestamps.
 */
import type { Clock, Timer } from '../model/ports.ts'

/** The longest delay that a timer of the runtime takes; it is armed again for what remains. */
const MAX_DELAY_MS = 2_147_483_647

/** The machine's time, milliseconds since 1970 at start and monotonic from there. A pending timer keeps the process alive. */
export const realClock: Clock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  schedule: scheduleReal
}

function scheduleReal(atMs: number, wake: () => void): Timer {
  let handle: NodeJS.Timeout
  const arm = (): void => {
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(0, Math.ceil(atMs - realClock.nowMs())))
    handle = setTimeout(() => (realClock.nowMs() < atMs ? arm() : wake()), delayMs)
  }
  arm()
  return { cancel: () => clearTimeout(handle) }
}

/**
 * The user's logger behind a guard: a message enters. Errors of the logger stay here, and so do messages that come too often.
 * Invariant: logging never throws and never waits; at most `MAX_PER_WINDOW` lines of one message are written in a window, and
 * the next line has the number of the others.
 */
import type { Clock, LogFields, Logger } from '../model/ports.ts'

const WINDOW_MS = 60_000
const MAX_PER_WINDOW = 100
/** Messages name streams and shards, so their number has to have a bound. */
const MAX_MESSAGES = 1_000

interface Window {
  startMs: number
  toldCount: number
  suppressedCount: number
}

/** Returns the options with their logger, if there is one, behind the guard. */
export function withGuardedLogger<Options extends { readonly logger?: Logger }>(
  options: Options,
  clock: Clock
): Options {
  return options.logger === undefined ? options : { ...options, logger: guardedLogger(options.logger, clock) }
}

export function guardedLogger(logger: Logger, clock: Clock): Logger {
  const windows = new Map<string, Window>()
  const guarded = (level: keyof Logger) => (message: string, fields?: LogFields) => {
    const suppressed = admit(windows, `${level} ${message}`, clock.nowMs())
    if (suppressed === undefined) return
    try {
      const all = suppressed > 0 ? { ...fields, suppressed } : fields
      // console would print an argument that is there and undefined.
      const written: unknown = all === undefined ? logger[level](message) : logger[level](message, all)
      if (written !== undefined) new Promise(resolve => resolve(written)).catch(ignore)
    } catch {
      // There is nowhere left to tell it: the place for telling is what failed.
    }
  }
  return { debug: guarded('debug'), info: guarded('info'), warn: guarded('warn'), error: guarded('error') }
}

/** Returns how many of the same were not told in the window before; undefined: nor is this one. */
function admit(windows: Map<string, Window>, key: string, nowMs: number): number | undefined {
  const window = windows.get(key)
  if (window === undefined || nowMs >= window.startMs + WINDOW_MS) {
    if (windows.size >= MAX_MESSAGES) windows.clear()
    windows.set(key, { startMs: nowMs, toldCount: 1, suppressedCount: 0 })
    return window?.suppressedCount ?? 0
  }
  if (window.toldCount >= MAX_PER_WINDOW) {
    window.suppressedCount++
    return undefined
  }
  window.toldCount++
  return 0
}

/** Not swallowed: as above, the place for telling is what failed. */
function ignore(): void {}

/**
 * The user's logger, at arm's length: a message enters, and whatever the logger throws stays here.
 * Invariant: logging never throws and never waits; what a logger throws is not logged.
 */
import type { Logger } from './model/ports.ts'

export function guardedLogger(logger: Logger): Logger {
  const guarded = (level: keyof Logger) => (message: string, fields?: Record<string, unknown>) => {
    try {
      logger[level](message, fields)
    } catch {
      // There is nowhere left to tell it: the place for telling is what failed.
    }
  }
  return { debug: guarded('debug'), info: guarded('info'), warn: guarded('warn'), error: guarded('error') }
}

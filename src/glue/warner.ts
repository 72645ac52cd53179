/**
 * The warnings of the registry and the decoder: to the user's logger behind a guard, else a process warning.
 * Invariant: telling never throws.
 */
import { errorText } from '../model/errors.ts'
import type { Clock, LogFields, Logger } from '../model/ports.ts'
import { guardedLogger } from '../producer/guarded-logger.ts'
import { emitWarning } from '../system.ts'

export type Warn = (message: string, fields: LogFields) => void

export function warner(logger: Logger | undefined, clock: Clock): Warn {
  if (logger === undefined)
    return (message, { error }) => emitWarning('KPL_WARN_SCHEMA', `${message}: ${errorText(error)}`)
  const guarded = guardedLogger(logger, clock)
  return (message, fields) => guarded.warn(message, fields)
}

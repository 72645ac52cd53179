/**
 * Loggers that take (fields, message), as pino and bunyan do, made into ours, which takes (message, fields) as winston, console
 * and Powertools do. Handed the wrong way round, pino prints the message and drops the fields without a word.
 * Invariant: what is returned calls the given logger, and nothing else of it is touched.
 */
import { OptionsError } from './errors.ts'
import type { LogFields, Logger } from './ports.ts'

/** A logger that takes the fields before the message: the common part of pino and bunyan. */
export interface ObjectFirstLogger {
  /** Writes a line of the level debug. */
  debug(fields: object, message: string): void
  /** Writes a line of the level info. */
  info(fields: object, message: string): void
  /** Writes a line of the level warn. */
  warn(fields: object, message: string): void
  /** Writes a line of the level error. */
  error(fields: object, message: string): void
}

/**
 * Returns a Logger that hands (fields, message) to `logger`. Loggers of pino (Fastify's are) and bunyan need none: the option
 * `logger` knows them. Give it a wrapper of yours that takes the fields first. Throws OptionsError for a value that is not a logger.
 *
 * @example
 * const write = (fields: object, message: string) => console.log(message, fields)
 * const logger = fromObjectFirst({ debug: write, info: write, warn: write, error: write })
 * const producer = new KinesisProducer({ streamName: 'orders', logger })
 */
export function fromObjectFirst(logger: ObjectFirstLogger): Logger {
  const fault = loggerFault(logger)
  if (fault !== undefined) throw new OptionsError([fault])
  const at =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void =>
      logger[level](fields, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

const METHODS = ['debug', 'info', 'warn', 'error'] as const

/** Returns what keeps a value from being a logger, or undefined. */
export function loggerFault(value: unknown): string | undefined {
  const missing = METHODS.filter(method => typeof Reflect.get(Object(value), method) !== 'function')
  if (missing.length === 0) return undefined
  const hint = typeof value === 'function' ? '; it is a function: call it, and give what it returns' : ''
  return `logger must have the methods ${missing.join(', ')}${hint}`
}

/** Returns the logger as it is, or by `fromObjectFirst` when it is one of pino or bunyan. */
export function messageFirst(logger: Logger): Logger {
  return isPino(logger) || isBunyan(logger) ? fromObjectFirst(logger) : logger
}

/** `setBindings` is pino's alone; others have `child` as well. */
function isPino(logger: Logger): logger is Logger & ObjectFirstLogger {
  return hasMethods(logger, ['bindings', 'setBindings', 'child'])
}

function isBunyan(logger: Logger): logger is Logger & ObjectFirstLogger {
  return hasMethods(logger, ['addSerializers', 'addStream', 'child'])
}

function hasMethods(logger: object, names: readonly string[]): boolean {
  return names.every(name => typeof Reflect.get(logger, name) === 'function')
}

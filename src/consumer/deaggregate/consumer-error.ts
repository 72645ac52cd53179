/**
 * How the consumer's side says that it was given something it cannot read, or that it was not given time.
 * Invariant: a message names the field and the kind of its value, never the value.
 */

/**
 * An error of './deaggregate', './lambda' or './dedupe' that is about no aggregate's bytes.
 *
 * @example
 * try {
 *   deaggregate(undefined as never)
 * } catch (error) {
 *   if (!(error instanceof ConsumerError)) throw error
 *   error.code // => 'KPL_ERR_INVALID_INPUT'
 * }
 */
export class ConsumerError extends Error {
  /** The name of the class. */
  override readonly name = 'ConsumerError'
  /**
   * One of:
   * - `KPL_ERR_INVALID_INPUT`: A consumer got a record, event, context or argument of the wrong kind. The message
   *   names it.
   * - `KPL_ERR_TIME_UP`: The time of the Lambda invocation ended before the user record was done. Lambda delivers
   *   the record again.
   */
  readonly code: 'KPL_ERR_INVALID_INPUT' | 'KPL_ERR_TIME_UP'

  /** For tests; the consumers make their own. */
  constructor(code: 'KPL_ERR_INVALID_INPUT' | 'KPL_ERR_TIME_UP', message: string) {
    super(message)
    this.code = code
  }
}

/** Returns KPL_ERR_INVALID_INPUT: `name` is not what it must be, but the kind of `value`. */
export function invalidInput(name: string, must: string, value: unknown): ConsumerError {
  return new ConsumerError('KPL_ERR_INVALID_INPUT', `${name} must be ${must}, got ${kindOfInput(value)}`)
}

/** Returns the kind of a value as a message names it. */
export function kindOfInput(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

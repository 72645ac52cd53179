/**
 * How the consumer's side says that it was given something it cannot read, or that it was not given time.
 * Invariant: a message names the field and the kind of its value, never the value.
 */

/** An error of './deaggregate', './lambda' or './dedupe' that is about no aggregate's bytes. */
export class ConsumerError extends Error {
  override readonly name = 'ConsumerError'
  readonly code: 'KPL_ERR_INVALID_INPUT' | 'KPL_ERR_TIME_UP'

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

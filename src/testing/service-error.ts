/**
 * How the fake Kinesis refuses a request: the service's error code, text and HTTP status.
 * Invariant: messages name streams, shards, positions and limits; never a payload or a partition key.
 */

const STATUS_BY_CODE: ReadonlyMap<string, number> = new Map([
  ['InternalFailure', 500],
  ['InternalFailureException', 500],
  ['InternalServerError', 500],
  ['ServiceUnavailable', 503],
  ['ServiceUnavailableException', 503],
  ['RequestEntityTooLarge', 413]
])

/**
 * A whole-request error as the service answers it. `statusCode` defaults to the one the service uses for `code`: 400,
 * but 500 for `InternalFailure...`, 503 for `ServiceUnavailable...`.
 *
 * @example
 * const error = new FakeServiceError('ServiceUnavailable', 'Try again later.')
 * error.statusCode // => 503
 */
export class FakeServiceError extends Error {
  /** The name of the class. */
  override readonly name = 'FakeServiceError'
  /** The service's code without namespace: `ResourceNotFoundException`, ... */
  readonly code: string
  /** The HTTP status of the answer. */
  readonly statusCode: number

  /** `statusCode` defaults to the one that the service uses for `code`. */
  constructor(code: string, message: string, statusCode: number = STATUS_BY_CODE.get(code) ?? 400) {
    super(message)
    this.code = code
    this.statusCode = statusCode
  }
}

/** Returns the error for a member that breaks its declared constraint; `member` is a path such as `records.1.member.data`. */
export function constraintError(member: string, constraint: string): FakeServiceError {
  return new FakeServiceError(
    'ValidationException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must ${constraint}`
  )
}

/** Returns the error for an argument that is well-formed but wrong. */
export function argumentError(message: string): FakeServiceError {
  return new FakeServiceError('InvalidArgumentException', message)
}

/** Returns `value`, or throws the error for a required member that is missing. */
export function required<Value>(value: Value | undefined, member: string): Value {
  if (value === undefined) throw constraintError(member, 'not be null')
  return value
}

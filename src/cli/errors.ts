/**
 * The errors of the command line, in one table: exit code and remedy of each code.
 * Example: an unknown key of the config file is CLI_ERR_CONFIG, ends with 2, and the message names the nearest key.
 * Invariant: the library is not loaded for this, so its errors are known by their names. A message names flags, keys, paths and positions; it never holds the data or the partition key of a record.
 */
import type { RecordFailedError } from '../index.ts'
import type { ExitCode } from './exit-codes.ts'

interface CliErrorEntry {
  readonly exit: ExitCode
  readonly fix: string
}

export const CLI_ERRORS = {
  CLI_ERR_USAGE: { exit: 2, fix: 'see --help' },
  CLI_ERR_CONFIG: { exit: 2, fix: 'correct the config file at the place that is named' },
  CLI_ERR_TEMPLATE: { exit: 2, fix: 'correct the template at the place that is named; gen --help lists the names' },
  CLI_ERR_SERVICE: { exit: 3, fix: 'run kinesis-producer doctor STREAM' },
  CLI_ERR_INPUT: { exit: 4, fix: 'check that the input exists and may be read' },
  CLI_ERR_OUTPUT: { exit: 4, fix: 'check that the file can be written and that the disk has room' },
  CLI_ERR_STATE: { exit: 4, fix: 'delete the file to start again' },
  CLI_ERR_INTERNAL: { exit: 5, fix: 'please report it with the version and the command line' },
  CLI_ERR_BAD_LINE: { exit: 1, fix: 'correct the line, or choose another --in' },
  CLI_ERR_BAD_KEY: { exit: 1, fix: 'choose another --key, or --bad-key random or skip' },
  CLI_ERR_LINE_TOO_LONG: { exit: 1, fix: 'raise --max-line' }
} as const satisfies Readonly<Record<string, CliErrorEntry>>

export type CliErrorCode = keyof typeof CLI_ERRORS

export function isCliErrorCode(code: string): code is CliErrorCode {
  return Object.hasOwn(CLI_ERRORS, code)
}

/** An error that ends the command, with the code of the table. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliErrorCode
  readonly fix: string

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions & { readonly fix?: string | undefined }) {
    super(message, options)
    this.code = code
    this.fix = options?.fix ?? CLI_ERRORS[code].fix
  }
}

/** An error as it is shown: `error CODE: message`, `  fix: ...`. */
export interface ShownError {
  readonly code: string
  readonly message: string
  readonly fix: string | undefined
  readonly exit: ExitCode
}

/** The service's own codes that mean: nothing of this stream can be sent or read, now or later. */
const REFUSALS: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'IncompleteSignature',
  'MissingAuthenticationTokenException',
  'InvalidClientTokenId',
  'SignatureDoesNotMatch',
  'ExpiredTokenException',
  'OptInRequired',
  'NotAuthorized',
  'KMSAccessDeniedException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSNotFoundException',
  'KMSOptInRequired',
  'CredentialsProviderError'
])

/** Whether a record failed because the service will take nothing from us, so that reading on makes no sense. */
export function isRefusal(error: unknown): boolean {
  if (isRecordFailure(error)) {
    return error.code === 'KPL_ERR_CANNOT_SEND' || (error.serviceCode !== undefined && REFUSALS.has(error.serviceCode))
  }
  return error instanceof Error && (REFUSALS.has(error.name) || isRefusal(error.cause))
}

/** From any copy of the library. */
export function isRecordFailure(error: unknown): error is RecordFailedError {
  return error instanceof Error && error.name === 'RecordFailedError' && 'persisted' in error
}

const NETWORK_CODE = /^(?:E[A-Z]{4,}|TimeoutError|AbortError|UND_ERR_.*)$/
const FILE_CODE = /^(?:ENOENT|EACCES|EPERM|EISDIR|ENOTDIR|EMFILE|EIO|ENOSPC|EROFS|EBUSY|EEXIST|EDQUOT)$/

/** Returns the message of any thrown value, and its exit code. */
export function shownError(error: unknown): ShownError {
  if (error instanceof CliError) return { ...shownOf(error), exit: CLI_ERRORS[error.code].exit }
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code === 'KPL_ERR_INVALID_OPTIONS') return { code, message, fix: 'see docs/options.md', exit: 2 }
  if (isRefusal(error)) return { code, message, fix: CLI_ERRORS.CLI_ERR_SERVICE.fix, exit: 3 }
  if (FILE_CODE.test(code)) return { code, message, fix: CLI_ERRORS.CLI_ERR_INPUT.fix, exit: 4 }
  const isService = NETWORK_CODE.test(code) || (error instanceof Object && '$metadata' in error)
  if (isService) return { code, message, fix: CLI_ERRORS.CLI_ERR_SERVICE.fix, exit: 3 }
  if (isRecordFailure(error)) return { code, message, fix: `see ${pageOf(code)}, ${code}`, exit: 1 }
  if (code === 'KPL_ERR_SCHEMA_NOT_FOUND')
    return {
      code,
      message,
      fix: 'check --schema-name, --registry and --region; or register it: --auto-register',
      exit: 3
    }
  if (code.startsWith('KPL_ERR_')) return { code, message, fix: `see ${pageOf(code)}, ${code}`, exit: 3 }
  const where = error instanceof Error ? (error.stack?.split('\n')[1]?.trim() ?? '') : ''
  const told = error instanceof Error ? `${error.name}: ${message} ${where}` : message
  return { code: 'CLI_ERR_INTERNAL', message: told, fix: CLI_ERRORS.CLI_ERR_INTERNAL.fix, exit: 5 }
}

const CONSUMER_CODES: ReadonlySet<string> = new Set([
  'KPL_ERR_READ_FAILED',
  'KPL_ERR_READER_USED',
  'KPL_ERR_STALE_POSITION',
  'KPL_ERR_MALFORMED_ENVELOPE',
  'KPL_ERR_INVALID_INPUT',
  'KPL_ERR_TIME_UP'
])
const TRANSPORT_CODES: ReadonlySet<string> = new Set(['KPL_ERR_TRANSPORT', 'KPL_ERR_BAD_SHARD_MAP', 'KPL_ERR_PROTOCOL'])

/** Returns the page of the documentation that explains a code of the library. */
export function pageOf(code: string): string {
  if (code.startsWith('KPL_ERR_SCHEMA_')) return 'docs/schema-errors.md'
  if (CONSUMER_CODES.has(code)) return 'docs/consumer-errors.md'
  return TRANSPORT_CODES.has(code) ? 'docs/transports.md' : 'docs/errors.md'
}

function shownOf(error: Error & { readonly code: string; readonly fix?: string }): Omit<ShownError, 'exit'> {
  return { code: error.code, message: error.message, fix: error.fix }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'CLI_ERR_INTERNAL'
  return networkCodeOf(error) ?? ('code' in error && typeof error.code === 'string' ? error.code : error.name)
}

/** Returns Node.js's code of a connection that failed; over HTTP/2 the SDK has it in its text only. */
export function networkCodeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return networkCodeOf(error.errors[0])
  if (!(error instanceof Error)) return undefined
  const hasCode = 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_HTTP2')
  if (hasCode) return String(error.code)
  const [, told] =
    /\b(ECONN[A-Z]+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE)\b/.exec(error.message) ?? []
  if (told !== undefined) return told
  return error.name === 'TimeoutError' ? error.name : networkCodeOf(error.cause)
}

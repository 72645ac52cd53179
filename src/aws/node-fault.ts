/**
 * Reads what Node.js and the HTTP handler say about a connection.
 * Invariant: `isNeverConnected` holds only when no byte of a request can have reached a server.
 */

/** Node.js codes of a connection that never came to be. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
  'EHOSTDOWN',
  'EADDRNOTAVAIL'
])
/** OpenSSL's verdicts on a certificate, as Node.js names them. Source: Node.js documentation, tls, X509 certificate error codes, 2026-11. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'CRL_HAS_EXPIRED',
  'CRL_NOT_YET_VALID',
  'CRL_SIGNATURE_FAILURE',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'UNABLE_TO_GET_CRL',
  'UNSPECIFIED',
  'ERR_TLS_CERT_ALTNAME_INVALID'
])
/** System calls that come before the first byte. */
const CONNECT_SYSCALLS: ReadonlySet<string> = new Set(['connect', 'getaddrinfo'])
/** `ERR_SSL_*` may also come late, on an open connection, and so is a code but no proof. */
const NODE_CODE = /^(?:E[A-Z]{2,20}|EAI_[A-Z]{2,20}|(?:UND_)?ERR_[A-Z0-9_]{2,80}|HPE_[A-Z_]{2,40})$/
/** Of the codes that begin with `ERR_`: those that a connection brings about, and not a wrong argument. */
const NETWORK_ERR =
  /^(?:UND_)?ERR_(?:SSL|TLS|SOCKET$|SOCKET_(?:CLOSED|CONNECTION_TIMEOUT)|STREAM|HTTP2|NETWORK$|PROXY|CONNECT|HEADERS|BODY|CLOSED|DESTROYED)/
/** Codes of files, such as a token's, unless a connection was meant. */
const FILE_CODES: ReadonlySet<string> = new Set(
  'ENOENT EACCES EPERM EISDIR ENOTDIR ELOOP ENAMETOOLONG EROFS EINVAL'.split(' ')
)
// The two below are the only signs of these failures; were the words to change, the verdict would be 'maybe', not wrong.
const CONNECT_TIMEOUT_TEXT = 'did not establish a connection'
const BROKEN_HANDSHAKE_TEXT = 'before secure TLS connection was established'

/** Errors in errors, and causes of causes, are followed this far: a cause may be its own. */
const MAX_DEPTH = 4
const MAX_NESTED = 8
/** Errors in errors of errors: the message repeats two of them. */
const MAX_NESTED_DEEPER = 2
/** Addresses of one name that may all be asked whether they were never connected to; of more it is not proven. */
const MAX_ADDRESSES = 64
/** Twice what a message shows, so that a partition key at the end of that is whole, and found. */
const MAX_TEXT_CHARACTERS = 2_048

/** Returns whether the thrown value says that there never was a connection to write to. */
export function isNeverConnected(thrown: unknown): boolean {
  return isNeverConnectedAt(thrown, 0)
}

/** Of several addresses every one must have failed before it was connected to. */
function isNeverConnectedAt(thrown: unknown, depth: number): boolean {
  if (depth > MAX_DEPTH) return false
  const nested = nestedErrorsOf(thrown, MAX_ADDRESSES + 1)
  if (nested.length > MAX_ADDRESSES) return false
  if (nested.length > 0) return nested.every(error => isNeverConnectedAt(error, depth + 1))
  const code = ownCodeOf(thrown)
  const text = textFieldOf(thrown, 'message') ?? ''
  const isConnectFault = CONNECT_SYSCALLS.has(textFieldOf(thrown, 'syscall') ?? '') || NEVER_CONNECTED.has(code ?? '')
  const isConnectTimeout = nameOf(thrown) === 'TimeoutError' && text.includes(CONNECT_TIMEOUT_TEXT)
  const isNever = isConnectFault || CERTIFICATE_CODES.has(code ?? '') || isConnectTimeout
  if (isNever || text.includes(BROKEN_HANDSHAKE_TEXT)) return true
  const cause = fieldOf(thrown, 'cause')
  return code === undefined && cause !== undefined && isNeverConnectedAt(cause, depth + 1)
}

/**
 * Returns the `code` when it is one of Node.js's, so that nobody else's text passes for one: the error's, or else that of
 * the first of its errors, or of its cause.
 */
export function nodeCodeOf(thrown: unknown): string | undefined {
  return ownCodeOf(explaining(thrown, 0))
}

/** Returns the error with a code of Node.js among the thrown one, its errors and its causes; undefined without any. */
function explaining(thrown: unknown, depth: number): unknown {
  if (ownCodeOf(thrown) !== undefined) return thrown
  if (depth >= MAX_DEPTH) return undefined
  for (const inner of [...nestedErrorsOf(thrown, MAX_NESTED), fieldOf(thrown, 'cause')]) {
    const found = explaining(inner, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** Returns whether it is a fault of the network, and not of a call or a file here (`ERR_INVALID_URL`, `ENOENT`). */
export function isNetworkFault(thrown: unknown): boolean {
  const fault = explaining(thrown, 0)
  const code = ownCodeOf(fault)
  if (code === undefined) return isNeverConnected(thrown)
  if (CERTIFICATE_CODES.has(code) || NETWORK_ERR.test(code)) return true
  const isOfSystem = !code.startsWith('ERR_') && !code.startsWith('UND_ERR_')
  return isOfSystem && (!FILE_CODES.has(code) || CONNECT_SYSCALLS.has(textFieldOf(fault, 'syscall') ?? ''))
}

/** Returns the error's name, or `UnknownError` for what has none. */
export function nameOf(thrown: unknown): string {
  return textFieldOf(thrown, 'name') ?? 'UnknownError'
}

/**
 * Returns what a thrown value says, as far as messages may show it, in one line: its message, those of the errors that it stands for, and its cause's.
 * Example: Node.js throws an AggregateError without a message when two addresses of a name are refused; its errors name both.
 */
export function textOf(thrown: unknown): string {
  return textAt(thrown, 0).slice(0, MAX_TEXT_CHARACTERS)
}

function textAt(thrown: unknown, depth: number): string {
  if (typeof thrown === 'string') return thrown.slice(0, MAX_TEXT_CHARACTERS)
  const own = (textFieldOf(thrown, 'message') ?? '').slice(0, MAX_TEXT_CHARACTERS)
  if (depth >= MAX_DEPTH) return own
  const nested = nestedErrorsOf(thrown, depth === 0 ? MAX_NESTED : MAX_NESTED_DEEPER).map(error =>
    textAt(error, depth + 1)
  )
  const inner = [...new Set(nested)].filter(text => text !== '' && !own.includes(text)).join('; ')
  const cause = fieldOf(thrown, 'cause')
  const causeText = cause === undefined ? '' : textAt(cause, depth + 1)
  const texts = [own, inner, own.includes(causeText) || inner.includes(causeText) ? '' : causeText]
  const text = texts.filter(part => part !== '').join(': ')
  return text === '' ? systemText(thrown) : text
}

/** The text of a system error without a message, from its fields: `connect ECONNREFUSED ::1:443`. */
function systemText(thrown: unknown): string {
  const address = textFieldOf(thrown, 'address') ?? textFieldOf(thrown, 'hostname')
  const port = fieldOf(thrown, 'port')
  const place = typeof port === 'number' && address !== undefined ? `${address}:${port}` : address
  return [textFieldOf(thrown, 'syscall'), ownCodeOf(thrown), place].filter(part => part !== undefined).join(' ')
}

/** Returns a field that holds a non-empty string. */
export function textFieldOf(thrown: unknown, name: string): string | undefined {
  const value = fieldOf(thrown, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Returns a field of whatever was thrown; undefined also for one that throws when it is read. */
export function fieldOf(thrown: unknown, name: string): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined
  try {
    return Reflect.get(thrown, name)
  } catch {
    // A getter of somebody's error: it has nothing to say.
    return undefined
  }
}

function ownCodeOf(thrown: unknown): string | undefined {
  const code = textFieldOf(thrown, 'code')
  if (code === undefined) return undefined
  return NODE_CODE.test(code) || CERTIFICATE_CODES.has(code) ? code : undefined
}

/** Of a list with holes every hole is an error that says nothing. */
function nestedErrorsOf(thrown: unknown, maxCount: number): readonly unknown[] {
  const errors = fieldOf(thrown, 'errors')
  return Array.isArray(errors) ? Array.from(errors.slice(0, maxCount) as unknown[]) : []
}

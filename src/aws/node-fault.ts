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
/** OpenSSL's verdicts on a certificate, as Node.js names them. */
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
  'ERR_TLS_CERT_ALTNAME_INVALID'
])
/** System calls that come before the first byte. */
const CONNECT_SYSCALLS: ReadonlySet<string> = new Set(['connect', 'getaddrinfo'])
/** `ERR_SSL_*` may also come late, on an open connection, and so is a code but no proof. */
const NODE_CODE = /^(?:E[A-Z]{2,20}|EAI_[A-Z]{2,20}|ERR_[A-Z0-9_]{2,80}|HPE_[A-Z_]{2,40})$/
// The two below are the only signs of these failures; were the words to change, the verdict would be 'maybe', not wrong.
const CONNECT_TIMEOUT_TEXT = 'did not establish a connection'
const BROKEN_HANDSHAKE_TEXT = 'before secure TLS connection was established'

/** Returns whether the thrown value says that there never was a connection to write to. */
export function isNeverConnected(thrown: unknown): boolean {
  const code = nodeCodeOf(thrown) ?? ''
  const text = textFieldOf(thrown, 'message') ?? ''
  const isConnectFault = CONNECT_SYSCALLS.has(textFieldOf(thrown, 'syscall') ?? '') || NEVER_CONNECTED.has(code)
  const isConnectTimeout = nameOf(thrown) === 'TimeoutError' && text.includes(CONNECT_TIMEOUT_TEXT)
  return isConnectFault || CERTIFICATE_CODES.has(code) || isConnectTimeout || text.includes(BROKEN_HANDSHAKE_TEXT)
}

/** Returns the `code` when it is one of Node.js's, so that nobody else's text passes for one. */
export function nodeCodeOf(thrown: unknown): string | undefined {
  const code = textFieldOf(thrown, 'code')
  if (code === undefined) return undefined
  return NODE_CODE.test(code) || CERTIFICATE_CODES.has(code) ? code : undefined
}

/** Returns the error's name, or `UnknownError` for what has none. */
export function nameOf(thrown: unknown): string {
  return textFieldOf(thrown, 'name') ?? 'UnknownError'
}

/** Returns a field that holds a non-empty string. */
export function textFieldOf(thrown: unknown, name: 'name' | 'message' | 'code' | 'syscall'): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !(name in thrown)) return undefined
  const value: unknown = Reflect.get(thrown, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}

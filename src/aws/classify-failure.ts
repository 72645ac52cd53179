/**
 * What a failed call means: anything the SDK throws becomes a `TransportError`.
 * Invariant: `persisted` is `'no'` only when the service certainly stored nothing; the error holds neither the thrown
 * value, nor a payload, nor a credential: no `cause`, and of text only the service's or the system's own, made safe.
 */
import { safeText, TransportError, type TransportFailure } from '../model/errors.ts'
import type { Persisted } from '../model/results.ts'
import { isNeverConnected, nameOf, nodeCodeOf, textFieldOf } from './node-fault.ts'
import { redacted } from './redact.ts'

/** How far a call came before it failed. */
export interface CallFacts {
  /** A byte of the request may have left. `undefined`: unknown, so the thrown value is asked. */
  readonly mayHaveLeft: boolean | undefined
  /** HTTP status, when the head of an answer came. */
  readonly statusCode?: number | undefined
  readonly retryAfter?: string | undefined
  /** Of the request's entries: the service may repeat them. */
  readonly partitionKeys?: (() => readonly string[]) | undefined
}

/** The code of an answer that is not the API's. */
export const MALFORMED_ANSWER = 'MalformedAnswer'

/** Server faults under any status: the service does not know itself whether it stored anything. */
const SERVER_FAULTS: ReadonlySet<string> = new Set([
  'InternalFailure',
  'InternalFailureException',
  'InternalServerError',
  'ServiceUnavailable',
  'ServiceUnavailableException'
])
/** What the SDK calls an error without a code. */
const NO_CODES: ReadonlySet<string> = new Set(['Unknown', 'UnknownError', 'Error'])
/** Errors of the SDK itself and of our handler, whose texts are fixed. */
const SDK_NAMES: ReadonlySet<string> = new Set([
  'CredentialsProviderError',
  'TimeoutError',
  'AbortError',
  'RepeatedAnswer'
])
const SDK_TEXTS: ReadonlySet<string> = new Set(['Region is missing'])
const SERVICE_CODE = /^[A-Za-z][A-Za-z0-9_.]{0,127}$/
const WHOLE_SECONDS = /^\d{1,5}$/

/** Returns the error for a value thrown by a call. A `TransportError` is given back as it is. */
export function classifyFailure(thrown: unknown, facts: CallFacts): TransportError {
  if (thrown instanceof TransportError) return thrown
  const statusCode = facts.statusCode ?? statusOf(thrown)
  const isConnectionFault = nodeCodeOf(thrown) !== undefined || nameOf(thrown) === 'TimeoutError'
  const failure =
    statusCode === undefined || (isConnectionFault && statusCode < 300)
      ? connectionFailure(thrown, facts)
      : answerFailure(thrown, statusCode, facts)
  // Of several attempts that a client made on its own only the last is known; any of the others may have been stored.
  return attemptCountOf(thrown) > 1 ? inDoubt(failure) : failure
}

/** Returns how many attempts the SDK says that it made, for an output or for what it threw; 1 when it says nothing. */
export function attemptCountOf(value: unknown): number {
  const attempts = metadataOf(value)?.['attempts']
  return typeof attempts === 'number' ? attempts : 1
}

/** Returns the error for a call that was given up by us. */
export function givenUp(errorCode: 'AbortError' | 'TimeoutError', mayHaveLeft: boolean | undefined): TransportError {
  const reason =
    errorCode === 'AbortError' ? 'The request was aborted' : 'The request took longer than requestTimeoutMs'
  const isNotSent = mayHaveLeft === false
  const message = `${reason}${isNotSent ? ' before it was sent.' : '.'}`
  return new TransportError({ errorCode, message, persisted: isNotSent ? 'no' : 'maybe' })
}

/** Returns the error for an answer that does not have the API's shape. */
export function protocolFailure(errorCode: string, message: string, statusCode?: number): TransportError {
  return new TransportError({ errorCode, message, statusCode, persisted: 'maybe' }, 'KPL_ERR_PROTOCOL')
}

/** It failed before or on the way, or the answer broke off. */
function connectionFailure(thrown: unknown, { mayHaveLeft, statusCode }: CallFacts): TransportError {
  const errorCode = connectionCode(thrown)
  const isNotSent = mayHaveLeft === undefined ? statusCode === undefined && isNeverConnected(thrown) : !mayHaveLeft
  const failure: TransportFailure = {
    errorCode,
    message: connectionText(thrown, errorCode),
    statusCode,
    persisted: isNotSent ? 'no' : 'maybe'
  }
  return new TransportError(failure)
}

/** Text of Node.js and of the SDK is told; anything else may be a provider's, and hold what it should have provided. */
function connectionText(thrown: unknown, errorCode: string): string {
  const text = messageOf(thrown)
  const isKnown = nodeCodeOf(thrown) !== undefined || SDK_NAMES.has(nameOf(thrown)) || SDK_TEXTS.has(text)
  return isKnown ? `${errorCode}: ${redacted(text, [])}` : `${errorCode}: failed before an answer came.`
}

/** An answer with a status, be it the service's or that of something between. */
function answerFailure(thrown: unknown, statusCode: number, facts: CallFacts): TransportError {
  if (statusCode < 300) {
    return protocolFailure(MALFORMED_ANSWER, 'The answer is not what the API answers with.', statusCode)
  }
  if (statusCode < 400) {
    return protocolFailure(
      'UnexpectedRedirect',
      `The answer is a redirect (${statusCode}), never followed.`,
      statusCode
    )
  }
  const serviceCode = serviceCodeOf(thrown)
  const errorCode = serviceCode ?? `Http${statusCode}`
  const isRefused = statusCode < 500 && !SERVER_FAULTS.has(errorCode)
  const persisted: Persisted = isRefused ? 'no' : 'maybe'
  // Text of an answer that is not the service's may be anything, so only the status is said.
  const message =
    serviceCode === undefined
      ? `HTTP ${statusCode} without an error of the API.`
      : `${errorCode}: ${redacted(messageOf(thrown), facts.partitionKeys?.() ?? [])}`
  const waitMs = retryAfterMs(facts.retryAfter)
  return new TransportError({ errorCode, message, statusCode, persisted, retryAfterMs: waitMs })
}

/** The SDK names resets and timeouts alike; only the code tells a reset. */
function connectionCode(thrown: unknown): string {
  const code = nodeCodeOf(thrown)
  const name = nameOf(thrown)
  const isTimeout = name === 'TimeoutError' && (code === undefined || code === 'ETIMEDOUT')
  return isTimeout ? name : safeText(code ?? name)
}

/** Service code without prefix (`aws.kinesis#Code`) or suffix (`Code:http://...`). */
function serviceCodeOf(thrown: unknown): string | undefined {
  const isServiceError = typeof thrown === 'object' && thrown !== null && '$fault' in thrown
  if (!isServiceError) return undefined
  const code = nameOf(thrown).split('#').at(-1)!.split(':')[0]!
  return SERVICE_CODE.test(code) && !NO_CODES.has(code) ? code : undefined
}

function statusOf(thrown: unknown): number | undefined {
  const statusCode = metadataOf(thrown)?.['httpStatusCode']
  return typeof statusCode === 'number' ? statusCode : undefined
}

function metadataOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || !('$metadata' in value)) return undefined
  const metadata = value.$metadata
  return typeof metadata === 'object' && metadata !== null ? { ...metadata } : undefined
}

function inDoubt({ errorCode, message, statusCode, retryAfterMs, code }: TransportError): TransportError {
  const failure: TransportFailure = { errorCode, message, statusCode, retryAfterMs, persisted: 'maybe' }
  return new TransportError(failure, code === 'KPL_ERR_PROTOCOL' ? code : 'KPL_ERR_TRANSPORT')
}

/** Seconds only: the other form is a date, and there is no clock here. */
function retryAfterMs(retryAfter: string | undefined): number | undefined {
  return retryAfter !== undefined && WHOLE_SECONDS.test(retryAfter) ? Number(retryAfter) * 1000 : undefined
}

function messageOf(thrown: unknown): string {
  return safeText(textFieldOf(thrown, 'message') ?? 'no message')
}

/**
 * The meaning of a failed call: an error of the SDK becomes a `TransportError`.
 * Example: middleware of a user's client throws `Error('no tenant')`: a `ClientFault` that says so, and nothing was sent.
 * Invariant: `persisted` is `'no'` only when the service certainly stored nothing; the error holds neither the thrown
 * value, nor a payload, nor a credential: its texts are made safe, and its `cause` is a copy.
 */
import { codedText, isError, safeText, TransportError, type TransportFailure } from '../model/errors.ts'
import type { Persisted } from '../model/results.ts'
import {
  CLIENT_FAULT,
  CREDENTIALS_FAULT,
  classifyRequestError,
  REGION_MISSING,
  REQUEST_ERRORS
} from '../model/service-errors.ts'
import { isNetworkFault, isNeverConnected, nameOf, nodeCodeOf, textOf } from './node-fault.ts'
import { redacted } from './redact.ts'
import { safeCause } from './safe-cause.ts'

/** How far a call came before it failed. */
export interface CallFacts {
  /** Whether a byte of the request may have left. `undefined`: unknown, so the thrown value is asked. */
  readonly mayHaveLeft: boolean | undefined
  /** Nothing has read the request, so nothing of it can have left. If the client reports an answer, the answer counts. */
  readonly isUnread?: boolean | undefined
  /** HTTP status, when the head of an answer came. */
  readonly statusCode?: number | undefined
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
/** The errors of time-outs, signals and the sockets of other HTTP clients. They may pass. */
const PASSING_NAMES: ReadonlySet<string> = new Set([
  'TimeoutError',
  'AbortError',
  'ConnectTimeoutError',
  'HeadersTimeoutError',
  'BodyTimeoutError',
  'SocketError'
])
/** The SDK's texts when it finds no region, or one that no host name can have: empty, or with a space. */
const REGION_TEXT = /^Region (?:is missing|not accepted\b)/
const REGION_HINT = 'set the option region, or AWS_REGION in the environment'
/** Advice for texts of the SDK and of Node.js that do not say where to look. */
const HINTS: readonly (readonly [text: string, hint: string])[] = [
  [
    'Could not load credentials from any providers',
    'the environment, the files of AWS_PROFILE and the container or instance gave none, and the SDK does not say why; ' +
      'the provider itself, such as fromContainerMetadata(), says it when it is given as credentials'
  ],
  ['Invalid URL', 'the endpoint of a client or of AWS_ENDPOINT_URL begins with https:// or http://']
]
/** OpenSSL's words for a peer that answers a TLS handshake in clear text. */
const NO_TLS_TEXT = /wrong version number|http request|packet length too long/
const NO_TLS_HINT = 'the endpoint seems to speak plain HTTP on this port, so its URL may have to begin with http://'
/** The SDK's name for an error without a code. */
const NO_CODES: ReadonlySet<string> = new Set(['Unknown', 'UnknownError', 'Error'])
/** The SDK's text for a missing message of the service. */
const SDK_FILLER = 'UnknownError'
/** The SDK's addition to the error of an interrupted answer: advice about the error object itself. */
const SDK_ADVICE = /\s*Deserialization error: to see the raw response,[^.]{0,80}\.\$response on this object\.?/
const SERVICE_CODE = /^[A-Za-z][A-Za-z0-9_.]{0,127}$/

/** Returns the error for a value thrown by a call. A `TransportError` is given back as it is. */
export function classifyFailure(thrown: unknown, facts: CallFacts): TransportError {
  return reading(thrown, readable => classified(readable, facts))
}

/** A proxy may throw when it is read. That counts as an error without a text, and its call settles as any other. */
function reading(thrown: unknown, read: (readable: unknown) => TransportError): TransportError {
  try {
    return read(thrown)
  } catch {
    return read(new Error('an error without a text'))
  }
}

function classified(thrown: unknown, facts: CallFacts): TransportError {
  if (thrown instanceof TransportError) return thrown
  // Before anything left there is no answer of ours: a status is that of another service, asked for credentials.
  const statusCode = facts.statusCode ?? (facts.mayHaveLeft === false ? undefined : statusOf(thrown))
  const isConnectionFault = nodeCodeOf(thrown) !== undefined || nameOf(thrown) === 'TimeoutError'
  const failure =
    statusCode === undefined || (isConnectionFault && statusCode < 300)
      ? connectionFailure(thrown, facts)
      : answerFailure(thrown, statusCode, facts)
  // Of several attempts that a client made on its own only the last is known; any of the others may have been stored.
  return attemptCountOf(thrown) > 1 && facts.mayHaveLeft !== false ? inDoubt(failure) : failure
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

/** Returns the error for a request that was kept here, for the reason that `errorCode` says. */
export function notSent(errorCode: string, text: string): TransportError {
  return new TransportError({ errorCode, message: `${errorCode}: ${text}`, persisted: 'no' })
}

/** Returns the error for an answer that does not have the API's shape. */
export function protocolFailure(errorCode: string, message: string, statusCode?: number): TransportError {
  return new TransportError({ errorCode, message, statusCode, persisted: 'maybe' }, 'KPL_ERR_PROTOCOL')
}

/** It failed before or on the way, or the answer broke off. */
function connectionFailure(thrown: unknown, facts: CallFacts): TransportError {
  const isNotSent = !mayBeSent(thrown, facts)
  if (isNotSent && !mayPass(thrown, facts)) return localFailure(thrown, facts)
  const errorCode = connectionCode(thrown)
  const text = madeSafe(thrown, facts)
  const message = codedText(errorCode, NO_TLS_TEXT.test(text) ? `${text} (${NO_TLS_HINT})` : text)
  return new TransportError({ errorCode, message, statusCode: facts.statusCode, persisted: isNotSent ? 'no' : 'maybe' })
}

function mayBeSent(thrown: unknown, { mayHaveLeft, isUnread, statusCode }: CallFacts): boolean {
  if (mayHaveLeft !== undefined) return mayHaveLeft
  return statusCode !== undefined || !(isUnread === true || isNeverConnected(thrown))
}

/** Whether the next try may meet something else: the network, and another service that is busy or in trouble. */
function mayPass(thrown: unknown, { isUnread }: CallFacts): boolean {
  const name = nameOf(thrown)
  const statusCode = statusOf(thrown)
  const isBusy = statusCode !== undefined && (statusCode >= 500 || statusCode === 429)
  // A client that stands in for the service throws the service's codes without looking at a request.
  const verdict = Object.hasOwn(REQUEST_ERRORS, name) ? REQUEST_ERRORS[name] : undefined
  const isOfService = verdict === 'throttled' || (isUnread === true && verdict !== undefined && verdict !== 'local')
  return isBusy || isOfService || PASSING_NAMES.has(name) || isNetworkFault(thrown)
}

/** Nothing left, and the next try would meet the same: in its own words. */
function localFailure(thrown: unknown, facts: CallFacts): TransportError {
  const text = madeSafe(thrown, facts)
  const isRegion = REGION_TEXT.test(text)
  const errorCode = isRegion ? REGION_MISSING : nameOf(thrown) === CREDENTIALS_FAULT ? CREDENTIALS_FAULT : CLIENT_FAULT
  const message = codedText(errorCode, isRegion ? `${text.replace(/\.$/, '')}: ${REGION_HINT}` : hinted(text))
  return new TransportError({ errorCode, message, persisted: 'no', cause: safeCause(thrown, keysOf(facts)) })
}

/** Returns the error for missing credentials: their provider threw `thrown`, or gave something else. */
export function credentialsFailure(thrown: unknown): TransportError {
  return reading(thrown, ofCredentials)
}

function ofCredentials(thrown: unknown): TransportError {
  if (thrown instanceof TransportError) return thrown
  const failure = classified(thrown, { mayHaveLeft: false })
  const isOwn = classifyRequestError(failure) === 'local' && failure.errorCode !== REGION_MISSING
  if (!isOwn) return failure
  const text = madeSafe(thrown, { mayHaveLeft: false })
  const message = codedText(CREDENTIALS_FAULT, `no credentials: ${hinted(text)}`)
  return new TransportError({ errorCode: CREDENTIALS_FAULT, message, persisted: 'no', cause: failure.cause })
}

function hinted(text: string): string {
  const [, hint] = HINTS.find(([known]) => known === text) ?? []
  return hint === undefined ? text : `${text}: ${hint}`
}

function madeSafe(thrown: unknown, facts: CallFacts): string {
  const text = textOf(thrown).replace(SDK_ADVICE, '')
  if (text !== '') return safeText(redacted(text, keysOf(facts)))
  return isError(thrown) ? 'no message' : `${thrown === null ? 'null' : typeof thrown} was thrown`
}

function serviceText(thrown: unknown, facts: CallFacts): string {
  const text = madeSafe(thrown, facts)
  return text === SDK_FILLER ? 'the answer has no message' : text
}

function keysOf({ partitionKeys }: CallFacts): readonly string[] {
  return partitionKeys?.() ?? []
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
      : codedText(errorCode, serviceText(thrown, facts))
  const failure: TransportFailure = { errorCode, message, statusCode, persisted }
  const isLocal = classifyRequestError(failure) === 'local'
  return new TransportError(isLocal ? { ...failure, cause: safeCause(thrown, keysOf(facts)) } : failure)
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

function inDoubt({ errorCode, message, statusCode, code }: TransportError): TransportError {
  const failure: TransportFailure = { errorCode, message, statusCode, persisted: 'maybe' }
  return new TransportError(failure, code === 'KPL_ERR_PROTOCOL' ? code : 'KPL_ERR_TRANSPORT')
}

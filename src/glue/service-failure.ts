/**
 * An error of Glue, its SDK or the network, as a schema error.
 * Example: AccessDeniedException of GetSchemaByDefinition -> KPL_ERR_SCHEMA_ACCESS with `action` glue:GetSchemaByDefinition.
 * Invariant: no message and no cause holds a definition. Glue quotes it where it is malformed, so of that refusal nothing is repeated
 * but its code.
 */
import { codedText, errorText, isError, type SchemaErrorCode, safeText } from '../model/errors.ts'

/** The next try fails in the same way until a user changes something. */
const ACCESS_CODES = new Set([
  'AccessDeniedException',
  'AccessDenied',
  'NotAuthorized',
  'OptInRequired',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'ExpiredToken',
  'ExpiredTokenException'
])
/** Answers that are final. */
const FINAL_CODES = new Set([
  'EntityNotFoundException',
  'AlreadyExistsException',
  'InvalidInputException',
  'ValidationException',
  'SerializationException',
  'ResourceNumberLimitExceededException',
  ...ACCESS_CODES
])
const INVALID_CODES = new Set(['InvalidInputException', 'ValidationException', 'SerializationException'])
const ACTION = /glue:[A-Za-z]{1,64}/

export interface ServiceFailure {
  readonly code: SchemaErrorCode
  readonly serviceCode: string
  /** Fit for a message. */
  readonly text: string
  /** The permission that Glue says is missing, or that of the call. */
  readonly action: string
}

/** An answer to which there is an answer. */
export type Refusal = MissingEntity | { readonly refusal: 'exists' }

/** Glue's messages for an unknown schema or version. Only the text says so, not the code. */
export interface MissingEntity {
  readonly refusal: 'missing'
  readonly what: 'registry' | 'schema' | 'version'
}

/** Returns what was refused; undefined: something else was thrown. */
export function refusalOf(thrown: unknown): Refusal | undefined {
  const serviceCode = codeOf(thrown)
  if (serviceCode === 'AlreadyExistsException') return { refusal: 'exists' }
  if (serviceCode !== 'EntityNotFoundException') return undefined
  const message = isError(thrown) ? thrown.message : ''
  // "Schema version is not found.", "Schema is not found.": the KPL compares these texts.
  const what = /version/i.test(message) ? 'version' : /registry/i.test(message) ? 'registry' : 'schema'
  return { refusal: 'missing', what }
}

export function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === 'object' && answer !== null && 'refusal' in answer
}

/** Whether the same call may succeed at once. */
export function isPassing(thrown: unknown): boolean {
  const serviceCode = codeOf(thrown)
  return !FINAL_CODES.has(serviceCode) && localFault(thrown, serviceCode) === undefined
}

/** The code without namespace (`aws.glue#Code`) and suffix (`Code:http://...`). */
export function codeOf(thrown: unknown): string {
  const name = isError(thrown) ? String(thrown.name) : typeof thrown
  return safeText(name.split('#').at(-1)!.split(':')[0]!)
}

const CREDENTIALS_FAULT = 'CredentialsProviderError'
const REGION_TEXT = /^Region is missing/

/** A fault before any call: Glue did not refuse anything, and no permission is missing. */
function localFault(
  thrown: unknown,
  serviceCode: string
): { readonly serviceCode: string; readonly text: string } | undefined {
  const message = isError(thrown) ? thrown.message : ''
  if (serviceCode === CREDENTIALS_FAULT) {
    return { serviceCode, text: codedText(CREDENTIALS_FAULT, `no credentials: ${safeText(message)}`) }
  }
  if (!REGION_TEXT.test(message)) return undefined
  return { serviceCode: 'RegionMissing', text: 'RegionMissing: give the GlueClient a region, or set AWS_REGION' }
}

export function failureOf(thrown: unknown, operation: string): ServiceFailure {
  const serviceCode = codeOf(thrown)
  const own = `glue:${operation}`
  const local = localFault(thrown, serviceCode)
  if (local !== undefined) {
    return { code: 'KPL_ERR_SCHEMA_ACCESS', serviceCode: local.serviceCode, text: local.text, action: own }
  }
  if (ACCESS_CODES.has(serviceCode)) {
    const message = isError(thrown) ? thrown.message : ''
    const action = ACTION.exec(message)?.[0] ?? own
    const text = `the IAM action ${action} is needed: ${codedText(serviceCode, safeText(message))}`
    return { code: 'KPL_ERR_SCHEMA_ACCESS', serviceCode, text, action }
  }
  if (INVALID_CODES.has(serviceCode)) {
    const text = `Glue refuses the names, the format or the definition (${operation}: ${serviceCode})`
    return { code: 'KPL_ERR_SCHEMA_INCOMPATIBLE', serviceCode, text, action: own }
  }
  // The message of JSON.parse quotes the answer, and the answer may hold the definition.
  const reason = serviceCode === 'SyntaxError' ? 'the answer is no JSON' : errorText(thrown)
  const text = `${operation} failed: ${reason}`
  return { code: 'KPL_ERR_SCHEMA_UNAVAILABLE', serviceCode, text, action: own }
}

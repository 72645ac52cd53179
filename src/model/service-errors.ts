/**
 * The meaning of Kinesis' error codes for a record: one table for codes on one entry, one for whole requests.
 * Invariant: a code that is in no table is never "drop": it is tried again, and in a row it opens the stream's breaker.
 * Sources: API model of PutRecords (client-kinesis 3.1143); common errors page of the Kinesis API reference, 2026-11.
 */
import type { Persisted } from './results.ts'

/** The meaning of one entry's answer. `'delivered'` and `'misrouted'` follow from the shard, not from a code. */
export type Verdict = 'delivered' | 'misrouted' | 'throttled' | 'ambiguous' | 'rejected'

/**
 * The meaning of a whole request's failure.
 * - `throttled`: the lanes back off; nothing was stored.
 * - `rejected`: one of the entries is at fault; find it by halving.
 * - `refused`: the stream, the permission, the key or the credentials; another try helps only after somebody corrects it.
 * - `local`: nothing left this process, for a reason in this process that the next try meets too. Asking again helps only
 *   when the program or its environment changes.
 * - `outage`: nothing was reached, nothing was stored.
 * - `ambiguous`: it may have been stored.
 */
export type RequestVerdict = 'throttled' | 'rejected' | 'refused' | 'local' | 'outage' | 'ambiguous'

/** Codes of a single entry inside a 200 answer. */
export const ENTRY_ERRORS: Readonly<Record<string, Verdict>> = {
  ProvisionedThroughputExceededException: 'throttled',
  KMSThrottlingException: 'throttled',
  ThrottlingException: 'throttled',
  InternalFailure: 'ambiguous',
  ServiceUnavailable: 'ambiguous',
  InvalidArgumentException: 'rejected',
  ValidationException: 'rejected'
}

/** The client, its middleware, its handler or Node.js threw before anything of the request could leave. */
export const CLIENT_FAULT = 'ClientFault'
/** No credentials: none were found, their provider failed, or it gave something else. The name is the SDK's. */
export const CREDENTIALS_FAULT = 'CredentialsProviderError'
/** Neither the options nor the environment name a region, or the environment names none that can be. */
export const REGION_MISSING = 'RegionMissing'
/** The stream is named by an ARN of another region than the client's. */
export const OTHER_REGION = 'OtherRegion'
/** The environment names an endpoint that cannot be one: without https or http, or of a host that no name service can know. */
export const INVALID_ENDPOINT = 'InvalidEndpoint'
/** The environment names a plain http endpoint on another machine. */
export const INSECURE_ENDPOINT = 'InsecureEndpoint'

/** Codes of a whole request. */
export const REQUEST_ERRORS: Readonly<Record<string, RequestVerdict>> = {
  ProvisionedThroughputExceededException: 'throttled',
  KMSThrottlingException: 'throttled',
  LimitExceededException: 'throttled',
  ThrottlingException: 'throttled',
  Throttling: 'throttled',
  TooManyRequestsException: 'throttled',
  RequestLimitExceeded: 'throttled',
  SlowDown: 'throttled',
  ValidationException: 'rejected',
  ValidationError: 'rejected',
  InvalidArgumentException: 'rejected',
  SerializationException: 'rejected',
  RequestEntityTooLarge: 'rejected',
  RequestEntityTooLargeException: 'rejected',
  ResourceNotFoundException: 'refused',
  ResourceInUseException: 'refused',
  AccessDeniedException: 'refused',
  AccessDenied: 'refused',
  NotAuthorized: 'refused',
  OptInRequired: 'refused',
  KMSAccessDeniedException: 'refused',
  KMSDisabledException: 'refused',
  KMSInvalidStateException: 'refused',
  KMSNotFoundException: 'refused',
  KMSOptInRequired: 'refused',
  ExpiredToken: 'refused',
  ExpiredTokenException: 'refused',
  UnrecognizedClientException: 'refused',
  InvalidClientTokenId: 'refused',
  InvalidClientTokenIdException: 'refused',
  MissingAuthenticationToken: 'refused',
  MissingAuthenticationTokenException: 'refused',
  IncompleteSignature: 'refused',
  IncompleteSignatureException: 'refused',
  InvalidSignatureException: 'refused',
  SignatureDoesNotMatch: 'refused',
  RequestExpired: 'refused',
  RequestTimeTooSkewed: 'refused',
  [CLIENT_FAULT]: 'local',
  [CREDENTIALS_FAULT]: 'local',
  [REGION_MISSING]: 'local',
  [OTHER_REGION]: 'local',
  [INVALID_ENDPOINT]: 'local',
  [INSECURE_ENDPOINT]: 'local',
  // The endpoint does not know PutRecords, so it is no Kinesis: a wrong endpoint, or an emulator of something else.
  UnknownOperationException: 'local',
  UnknownOperation: 'local'
}

/** The code that says a stream does not exist: its shard map is worth nothing any more. */
export const STREAM_NOT_FOUND = 'ResourceNotFoundException'

/** The code that says a stream is there and not ACTIVE. */
export const STREAM_IN_USE = 'ResourceInUseException'

/** Returns the verdict on one entry's error code; an unknown code may have been stored. */
export function classifyEntryError(errorCode: string): Verdict {
  return Object.hasOwn(ENTRY_ERRORS, errorCode) ? ENTRY_ERRORS[errorCode]! : 'ambiguous'
}

export interface RequestErrorFacts {
  readonly errorCode: string
  readonly statusCode?: number | undefined
  readonly persisted: Persisted
}

const TOO_MANY_REQUESTS = 429
const PAYLOAD_TOO_LARGE = 413

/** Returns the verdict on a whole request's failure. A transport's `'maybe'` always stays ambiguous. */
export function classifyRequestError({ errorCode, statusCode, persisted }: RequestErrorFacts): RequestVerdict {
  if (persisted === 'maybe') return 'ambiguous'
  if (Object.hasOwn(REQUEST_ERRORS, errorCode)) return REQUEST_ERRORS[errorCode]!
  if (statusCode === TOO_MANY_REQUESTS) return 'throttled'
  if (statusCode === PAYLOAD_TOO_LARGE) return 'rejected'
  return 'outage'
}

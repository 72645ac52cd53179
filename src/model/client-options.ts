/**
 * The shapes of the options that go to the AWS SDK: `client`, `credentials` and `requestHandler`.
 * Example: `{ accessKeyId: undefined, secretAccessKey: 'x' }` gives a fault that names `accessKeyId`.
 * Invariant: a fault names fields and kinds, never a value.
 */
import { isPlainObject, kindOf, shownName } from './records.ts'

/** Returns what is wrong with the client that a user gives, or undefined. */
export function clientFault(client: object): string | undefined {
  if (typeof fieldOf(client, 'send') !== 'function') {
    return `client must have a send method${typeof client === 'function' ? ': give an instance, not its class' : ''}`
  }
  const service = fieldOf(fieldOf(client, 'config'), 'serviceId')
  const isOther = typeof service === 'string' && service !== 'Kinesis'
  return isOther ? 'client must be a client of Kinesis, got one of another service' : undefined
}

/** Returns what is wrong with credentials that a user gives, or undefined. A provider is only known once it is asked. */
export function credentialsFault(credentials: object): string | undefined {
  if (isClass(credentials)) return 'credentials must be an identity or a function that gives one, got a class'
  if (typeof credentials === 'function') return undefined
  if (typeof fieldOf(credentials, 'then') === 'function') {
    return 'credentials must be an identity or a function that gives one, got a promise'
  }
  const fault = identityFault(credentials)
  return fault === undefined ? undefined : `credentials must have accessKeyId and secretAccessKey: ${fault}`
}

/** Returns what keeps a value from being credentials, or undefined: `accessKeyId is undefined`. */
export function identityFault(value: unknown): string | undefined {
  if (typeof value === 'function') return 'they are a function: call it, and give what it returns'
  if (typeof value !== 'object' || value === null) return `they are ${kindOf(value)}`
  const faults = (['accessKeyId', 'secretAccessKey'] as const).flatMap(name => secretFault(name, value))
  const token = fieldOf(value, 'sessionToken')
  if (token !== undefined && typeof token !== 'string') faults.push(`sessionToken is ${kindOf(token)}, no string`)
  else if (token !== undefined && token !== '') faults.push(...textFault('sessionToken', token))
  return faults.concat(expirationFault(fieldOf(value, 'expiration'))).join(', ') || undefined
}

/** The SDK asks it for its time. */
function expirationFault(expiration: unknown): string[] {
  if (expiration === undefined) return []
  const getTime: unknown = fieldOf(expiration, 'getTime')
  if (typeof getTime !== 'function') return [`expiration is ${kindOf(expiration)}, not a date`]
  return Number.isNaN(Reflect.apply(getTime, expiration, [])) ? ['expiration is an invalid date'] : []
}

/** Options of the SDK's HTTP handler: the SDK does not read them under another name. Source: NodeHttpHandlerOptions of @smithy/types 4, 2026-11. */
const HANDLER_OPTIONS = [
  'httpAgent',
  'httpsAgent',
  'connectionTimeout',
  'requestTimeout',
  'throwOnRequestTimeout',
  'socketTimeout',
  'socketAcquisitionWarningTimeout',
  'logger'
]

/** Returns what is wrong with a request handler, or the options of one, or undefined. */
export function requestHandlerFault(handler: object): string | undefined {
  if ('handle' in handler) {
    return typeof handler.handle === 'function' ? undefined : 'requestHandler must have a handle method'
  }
  if (!isPlainObject(handler)) {
    const hint = isClass(handler) ? ': give an instance, not its class' : ''
    return `requestHandler must have a handle method, or be plain options such as { httpsAgent }, got ${kindOf(handler)}${hint}`
  }
  const unknown = Object.keys(handler).filter(name => !HANDLER_OPTIONS.includes(name))
  if (unknown.length > 0) {
    return `requestHandler has no handle method, so it must be options of a handler; unknown: ${unknown.map(shownName).join(', ')}; known: ${HANDLER_OPTIONS.join(', ')}`
  }
  const agents = ['httpAgent', 'httpsAgent'].filter(name => !isOptionalObject(fieldOf(handler, name)))
  return agents.length === 0
    ? undefined
    : `requestHandler must have an agent, or options of one, as ${agents.join(', ')}`
}

function isOptionalObject(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null)
}

/** `${process.env.KEY}` of an unset variable is a text. */
const UNSET_TEXTS: ReadonlySet<unknown> = new Set(['undefined', 'null'])
/** Keys and tokens travel in a header; the service's own have no other characters. */
const HEADER_TEXT = /^[\x21-\x7e]+$/

function secretFault(name: string, identity: object): string[] {
  const value = fieldOf(identity, name)
  if (typeof value !== 'string')
    return [`${name} is ${kindOf(value)}${value === undefined ? unsetHint(name, identity) : ''}`]
  return value.trim() === '' ? [`${name} is an empty string`] : textFault(name, value)
}

function textFault(name: string, value: string): string[] {
  if (UNSET_TEXTS.has(value)) return [`${name} is the text of an unset variable`]
  return HEADER_TEXT.test(value) ? [] : [`${name} holds white space, a line end or a character beyond ASCII`]
}

/** The name that the field has elsewhere, in the answers of STS or in other clients; or the usual reason. */
function unsetHint(name: string, identity: object): string {
  if ('Credentials' in identity) return ' (give what is in Credentials, with small first letters)'
  const begin = name.slice(0, 6).toLowerCase()
  const other = Object.keys(identity).find(
    key =>
      key !== name &&
      key
        .toLowerCase()
        .replace(/^aws_?/, '')
        .startsWith(begin)
  )
  return other === undefined ? ' (an unset environment variable?)' : ` (${shownName(other)} is not read)`
}

function isClass(value: object): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : reflected(value, name)
}

function reflected(value: unknown, name: string): unknown {
  return typeof value === 'function' ? Reflect.get(value, name) : undefined
}

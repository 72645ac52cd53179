/**
 * The shapes of the options that go to the AWS SDK: `client`, `credentials` and `requestHandler`.
 * Example: `{ accessKeyId: undefined, secretAccessKey: 'x' }` gives a fault that names `accessKeyId`.
 * Invariant: a fault names fields and kinds, never a value.
 */
import { kindOf } from './records.ts'

/** Returns what is wrong with the client that a user gives, or undefined. */
export function clientFault(client: object): string | undefined {
  if (typeof fieldOf(client, 'send') !== 'function') {
    const isClass = typeof client === 'function'
    return `client must have a send method${isClass ? ': give an instance, not its class' : ''}`
  }
  const service = fieldOf(fieldOf(client, 'config'), 'serviceId')
  const isOther = typeof service === 'string' && service !== 'Kinesis'
  return isOther ? 'client must be a client of Kinesis, got one of another service' : undefined
}

/** Returns what is wrong with credentials that a user gives, or undefined. A provider is only known once it is asked. */
export function credentialsFault(credentials: object): string | undefined {
  if (typeof credentials === 'function') return undefined
  if (typeof fieldOf(credentials, 'then') === 'function') {
    return 'credentials must be an identity or a function that gives one, got a promise'
  }
  const fault = identityFault(credentials)
  return fault === undefined ? undefined : `credentials must have accessKeyId and secretAccessKey: ${fault}`
}

/** Returns what keeps a value from being credentials, or undefined: `accessKeyId is undefined`. */
export function identityFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return `they are ${kindOf(value)}`
  const faults = (['accessKeyId', 'secretAccessKey'] as const).flatMap(name => secretFault(name, fieldOf(value, name)))
  const token = fieldOf(value, 'sessionToken')
  if (token !== undefined && typeof token !== 'string') faults.push(`sessionToken is ${kindOf(token)}, no string`)
  return faults.length === 0 ? undefined : faults.join(', ')
}

/** Returns what is wrong with a request handler, or the options of one, or undefined. */
export function requestHandlerFault(handler: object): string | undefined {
  if ('handle' in handler) {
    return typeof handler.handle === 'function' ? undefined : 'requestHandler must have a handle method'
  }
  const prototype: unknown = Object.getPrototypeOf(handler)
  const isPlain = typeof handler === 'object' && (prototype === null || kindOf(handler) === 'Object')
  if (isPlain) return undefined
  return `requestHandler must have a handle method, or be plain options such as { httpsAgent }, got ${kindOf(handler)}`
}

/** `${process.env.KEY}` of an unset variable is a text. */
const UNSET_TEXTS: ReadonlySet<unknown> = new Set(['undefined', 'null'])

function secretFault(name: string, value: unknown): string[] {
  if (typeof value !== 'string') return [`${name} is ${kindOf(value)}${value === undefined ? UNSET_HINT : ''}`]
  if (value.trim() === '') return [`${name} is an empty string`]
  return UNSET_TEXTS.has(value) ? [`${name} is the text of an unset variable`] : []
}

const UNSET_HINT = ' (an unset environment variable?)'

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : reflected(value, name)
}

function reflected(value: unknown, name: string): unknown {
  return typeof value === 'function' ? Reflect.get(value, name) : undefined
}

/**
 * Which endpoints and regions the transport agrees to talk to.
 * Invariant: an accepted endpoint is a bare https origin, or a plain http one on this machine or explicitly allowed;
 * no message repeats an endpoint, because it may hold a password; of one on this machine only its host and port.
 */

const NOT_A_URL =
  'must be a URL such as https://kinesis.eu-west-1.amazonaws.com, or http://localhost:4566 on this machine'
const MAX_REGION_CHARACTERS = 32
// Linear: every repetition starts with a hyphen, which no group contains otherwise.
const REGION = /^[a-z]{2,4}(?:-[a-z]+){1,4}-\d{1,2}$/
/** Names and addresses of this machine, without a scheme: what is copied out of a list of open ports. */
const BARE_LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i
const NO_HOST = 'must name a host of labels of 1 to 63 letters, digits and inner hyphens'
const MAX_HOST_CHARACTERS = 254
const IPV6 = /^\[?[0-9a-f.]*:[0-9a-f:.]*\]?$/i
/** Underscores are in the names of containers. */
const HOST_LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const LOOPBACK_IPV4 = /^127(?:\.\d{1,3}){3}$/

/** Returns what is wrong with a region as a sentence's end, or undefined when it will do. */
export function regionFault(region: string): string | undefined {
  return region.length <= MAX_REGION_CHARACTERS && REGION.test(region) ? undefined : 'must look like eu-west-1'
}

/** Returns what is wrong with an endpoint as a sentence's end, or undefined when it will do. */
export function endpointFault(endpoint: string, allowInsecureEndpoint: boolean): string | undefined {
  if (BARE_LOOPBACK.test(endpoint)) return `must be a URL: give http://${endpoint}`
  if (!SCHEME.test(endpoint)) return NOT_A_URL
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined) return NOT_A_URL
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an https URL'
  if (!isPossibleHost(url.hostname)) return NO_HOST
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or a password'
  if (url.port === '0') return 'must not have port 0'
  const isBareOrigin = url.pathname === '/' && url.search === '' && url.hash === ''
  if (!isBareOrigin) return 'must not hold a path, a query or a fragment'
  const isSafe = url.protocol === 'https:' || allowInsecureEndpoint || isLoopbackHost(url.hostname)
  return isSafe ? undefined : 'must be https unless it is on this machine or allowInsecureEndpoint is set'
}

/** Returns whether a host name or address, as a URL spells it, could be one: of a name every label has 1 to 63 characters. */
export function isPossibleHost(hostname: string): boolean {
  if (IPV6.test(hostname)) return true
  const labels = hostname.split('.')
  // A last dot stands for the root.
  if (labels.length > 1 && labels.at(-1) === '') labels.pop()
  return hostname.length <= MAX_HOST_CHARACTERS && labels.every(label => HOST_LABEL.test(label))
}

/** Returns whether a host name or address, as a URL spells it, is this machine. */
export function isLoopbackHost(hostname: string): boolean {
  const isName = hostname === 'localhost' || hostname.endsWith('.localhost')
  return isName || hostname === '[::1]' || hostname === '::1' || LOOPBACK_IPV4.test(hostname)
}

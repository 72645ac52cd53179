/**
 * Which endpoints and regions the transport agrees to talk to.
 * Invariant: an accepted endpoint is a bare https origin, or a plain http one on this machine or explicitly allowed;
 * no message repeats an endpoint, because it may hold a password.
 */

export interface EndpointOptions {
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly allowInsecureEndpoint: boolean
}

const MAX_REGION_CHARACTERS = 32
// Linear: every repetition starts with a hyphen, which no group contains otherwise.
const REGION = /^[a-z]{2,4}(?:-[a-z]+){1,4}-\d{1,2}$/
const LOOPBACK_IPV4 = /^127(?:\.\d{1,3}){3}$/

/** Returns what is wrong with region and endpoint, one sentence each; empty when both will do. */
export function endpointFaults({ region, endpoint, allowInsecureEndpoint }: EndpointOptions): readonly string[] {
  const faults: string[] = []
  const hasBadRegion = region !== undefined && (region.length > MAX_REGION_CHARACTERS || !REGION.test(region))
  if (hasBadRegion) faults.push('region must look like eu-west-1')
  const fault = endpoint === undefined ? undefined : endpointFault(endpoint, allowInsecureEndpoint)
  if (fault !== undefined) faults.push(`endpoint ${fault}`)
  return faults
}

/** Returns whether a host name or address, as a URL spells it, is this machine. */
export function isLoopbackHost(hostname: string): boolean {
  const isName = hostname === 'localhost' || hostname.endsWith('.localhost')
  return isName || hostname === '[::1]' || hostname === '::1' || LOOPBACK_IPV4.test(hostname)
}

function endpointFault(endpoint: string, allowInsecureEndpoint: boolean): string | undefined {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined) return 'must be a URL such as https://kinesis.eu-west-1.amazonaws.com'
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an https URL'
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or a password'
  const isBareOrigin = url.pathname === '/' && url.search === '' && url.hash === ''
  if (!isBareOrigin) return 'must not hold a path, a query or a fragment'
  const isSafe = url.protocol === 'https:' || allowInsecureEndpoint || isLoopbackHost(url.hostname)
  return isSafe ? undefined : 'must be https unless it is on this machine or allowInsecureEndpoint is set'
}

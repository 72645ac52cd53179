/**
 * The result of a check of `doctor`, also for a failed call.
 * Example: AccessDeniedException of ListShards is `fail`, and the fix names `kinesis:ListShards`.
 * Invariant: a fix says what to change; no secret and no data is in it.
 */
import { networkCodeOf } from '../errors.ts'

export interface Check {
  readonly id: string
  readonly status: 'pass' | 'warn' | 'fail'
  readonly message: string
  readonly fix?: string | undefined
}

/** Shows a check, and keeps it for the count. */
export type Tell = (check: Check) => Promise<void>

/** An operation of the API, and the IAM action that it needs. */
export interface Asked {
  readonly id: string
  readonly action: string
  readonly stream: string
  readonly region: string | undefined
}

const CREDENTIAL_FAULTS: ReadonlySet<string> = new Set([
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'ExpiredTokenException',
  'ExpiredToken',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'MissingAuthenticationTokenException',
  'CredentialsProviderError'
])

/** Returns the check that a failed call came to. */
export function failureCheck({ id, action, stream, region }: Asked, error: unknown): Check {
  const name = nameOf(error)
  const message = messageOf(error)
  const fail = (text: string, fix: string): Check => ({ id, status: 'fail', message: text, fix })
  if (/AccessDenied|NotAuthorized/.test(name)) {
    return fail(`${action} is not allowed (${name})`, `allow the IAM action ${action} on the stream ${stream}`)
  }
  if (/^KMS/.test(name)) {
    return fail(
      `the key of the stream cannot be used (${name})`,
      'allow kms:GenerateDataKey and kms:Decrypt, and check that the key is enabled'
    )
  }
  if (/Signature/.test(name) && /expired|not yet current|skew/i.test(message)) {
    return fail(`the signature is out of time (${name})`, "set this machine's clock: see the check clock")
  }
  if (CREDENTIAL_FAULTS.has(name)) {
    return fail(
      `the credentials are refused (${name})`,
      'check AWS_PROFILE, the environment or the role; renew what expired'
    )
  }
  if (/ResourceNotFound/.test(name)) {
    const where = region === undefined ? 'this region' : region
    return fail(
      `there is no stream ${stream} in ${where}`,
      'check the name, the account and --region: streams exist in one region'
    )
  }
  if (/Region is missing/.test(message))
    return fail('no region is set', 'give --region, AWS_REGION, or region in ~/.aws/config')
  const network = networkFix(error)
  return network === undefined
    ? fail(`${action} failed: ${name}: ${message}`, 'see the message')
    : fail(network.text, network.fix)
}

/** Whether the service could not be reached at all. */
export function isUnreachable(error: unknown): boolean {
  return networkFix(error) !== undefined
}

function networkFix(error: unknown): { readonly text: string; readonly fix: string } | undefined {
  const code = networkCodeOf(error) ?? ''
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { text: `the endpoint has no address (${code})`, fix: 'check --endpoint, --region and the name service' }
  if (code === 'ECONNREFUSED')
    return { text: 'nobody listens at the endpoint (ECONNREFUSED)', fix: 'check --endpoint, or start the server' }
  if (
    code === 'ETIMEDOUT' ||
    code === 'TimeoutError' ||
    code === 'ECONNRESET' ||
    code === 'EHOSTUNREACH' ||
    code === 'ENETUNREACH'
  ) {
    return {
      text: `the endpoint does not answer (${code})`,
      fix: 'check the route, the proxy, and the VPC endpoint with its security group'
    }
  }
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return { text: `TLS failed (${code})`, fix: 'a proxy may intercept; give its CA in NODE_EXTRA_CA_CERTS' }
  }
  return undefined
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/[\u0000-\u001f]/g, ' ').slice(0, 300) : ''
}

/**
 * A PutRecords request of the SDK as a form: everything but the body, and what follows from it, is filled in.
 * Enters: a request that the SDK made and signed, and the credentials that it signed with. Leaves: the same request for
 * another body. It never knows how the SDK came to any of it.
 * Invariant: a form is made only of a request whose every header is known, and for which the signature made here is the SDK's.
 */
import type { SdkRequest } from './http-door.ts'
import { Signer } from './signature.ts'

/** The parts of a request, as the SDK resolves them. */
export interface Identity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  /** Part of the host name. */
  readonly accountId?: string | undefined
}

/** The part that differs from request to request. */
export interface Filling {
  readonly body: Buffer
  /** SHA-256 in lower-case hex. */
  readonly digest: string
  /** `20261128T013000Z` */
  readonly longDate: string
  readonly invocationId: string
}

const AUTHORIZATION = 'authorization'
const AUTHORIZATION_PARTS =
  /^AWS4-HMAC-SHA256 Credential=([^/\s]+)\/\d{8}\/([^/\s]+)\/([^/\s]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/
const DATE = 'x-amz-date'
const DIGEST = 'x-amz-content-sha256'
const LENGTH = 'content-length'
const INVOCATION_ID = 'amz-sdk-invocation-id'
/** The same in each request of a client. Headers that are in neither list, such as those of a trace, may be another request's. */
const CONSTANT: ReadonlySet<string> = new Set([
  'host',
  'content-type',
  'user-agent',
  'x-amz-user-agent',
  'x-amz-target',
  'x-amz-security-token',
  'amz-sdk-request'
])
const VARIABLE: readonly string[] = [AUTHORIZATION, DATE, DIGEST, LENGTH, INVOCATION_ID]

export class PreparedRequest {
  readonly #request: SdkRequest
  readonly #identity: Identity
  readonly #signer: Signer
  readonly #signedNames: readonly string[]
  readonly #signedHeaders: string

  private constructor(request: SdkRequest, identity: Identity, signer: Signer, signedHeaders: string) {
    this.#request = request
    const { accessKeyId, secretAccessKey, sessionToken, accountId } = identity
    // A copy: a provider may fill one object again and again.
    this.#identity = { accessKeyId, secretAccessKey, sessionToken, accountId }
    this.#signer = signer
    this.#signedNames = signedHeaders.split(';')
    this.#signedHeaders = signedHeaders
  }

  /** Returns the form of a request, or undefined for one that cannot be repeated so. The request's body is not kept. */
  static of({ body: _, ...request }: SdkRequest, identity: Identity): PreparedRequest | undefined {
    const { headers, method, path } = request
    const names = Object.keys(headers)
    const isKnown = names.every(name => CONSTANT.has(name) || VARIABLE.includes(name))
    const isWhole = VARIABLE.every(name => names.includes(name))
    const parts = AUTHORIZATION_PARTS.exec(headers[AUTHORIZATION] ?? '')
    if (!isKnown || !isWhole || parts === null || method !== 'POST' || path !== '/') return undefined
    const [, accessKeyId, region, service, signedHeaders, signature] = parts
    const signer = new Signer(identity.secretAccessKey, region!, service!)
    const prepared = new PreparedRequest(request, identity, signer, signedHeaders!)
    const isSame = accessKeyId === identity.accessKeyId && prepared.#signature(headers) === signature
    return isSame ? prepared : undefined
  }

  /** Host and port. */
  get destination(): string {
    const { protocol, hostname, port = protocol === 'http:' ? 80 : 443 } = this.#request
    return `${hostname}:${port}`
  }

  /** Whether the form was made with these credentials. */
  isOf({ accessKeyId, secretAccessKey, sessionToken, accountId }: Identity): boolean {
    const own = this.#identity
    const isSameKey = own.accessKeyId === accessKeyId && own.secretAccessKey === secretAccessKey
    return isSameKey && own.sessionToken === sessionToken && own.accountId === accountId
  }

  /** Returns the signed request. `body` is not copied. */
  fill({ body, digest, longDate, invocationId }: Filling): SdkRequest {
    const headers: Record<string, string> = {
      ...this.#request.headers,
      [LENGTH]: `${body.length}`,
      [DIGEST]: digest,
      [DATE]: longDate,
      [INVOCATION_ID]: invocationId
    }
    const credential = `${this.#identity.accessKeyId}/${this.#signer.scope(longDate)}`
    const signed = `SignedHeaders=${this.#signedHeaders}, Signature=${this.#signature(headers)}`
    headers[AUTHORIZATION] = `AWS4-HMAC-SHA256 Credential=${credential}, ${signed}`
    return { ...this.#request, headers, body }
  }

  #signature(headers: Readonly<Record<string, string>>): string {
    let canonical = 'POST\n/\n\n'
    for (const name of this.#signedNames) canonical += `${name}:${headers[name]}\n`
    return this.#signer.sign(headers[DATE]!, `${canonical}\n${this.#signedHeaders}\n${headers[DIGEST]}`)
  }
}

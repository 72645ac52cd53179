/**
 * The facts of the EC2 instance that this runs on, from its metadata service (IMDSv2).
 * Example: `{"instanceId":"i-1","region":"eu-west-1","tags":{"team":"a"},...}`.
 * Invariant: an answer takes at most a second. Known facts stay in use when a later question fails, and no record waits for them.
 * Source: Amazon EC2 user guide, "Use the Instance Metadata Service" and "Instance identity documents", read 2026-11.
 */
import { CliError } from '../../errors.ts'
import { jsonFields } from '../../input/json-text.ts'
import { isoTime } from './iso-time.ts'
import type { Member } from './members.ts'

export interface InstanceMetadataOptions {
  readonly fetch: typeof fetch
  wallMs(): number
  readonly endpoint?: string
}

const ENDPOINT = 'http://169.254.169.254'
const TIMEOUT_MS = 1000
const TOKEN_SECONDS = '60'
/** Questions of `ready` before it gives up: the service may be a moment late at boot. */
const ATTEMPTS = 3
const MAX_TAGS = 50
/** Our names, which are those of the Kinesis Agent, and those of the identity document. */
const NAMES: readonly (readonly [ours: string, theirs: string])[] = [
  ['privateIp', 'privateIp'],
  ['availabilityZone', 'availabilityZone'],
  ['instanceId', 'instanceId'],
  ['instanceType', 'instanceType'],
  ['accountId', 'accountId'],
  ['amiId', 'imageId'],
  ['region', 'region']
]

export const METADATA_NAMES: readonly string[] = [...NAMES.map(([ours]) => ours), 'metadataTimestamp', 'tags']

export class InstanceMetadata {
  readonly #options: InstanceMetadataOptions
  #members: readonly Member[] | undefined
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(options: InstanceMetadataOptions) {
    this.#options = options
  }

  /** Resolves when there is an answer. Throws CLI_ERR_CONFIG when there is none: this is no EC2 instance. */
  async ready(): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS && this.#members === undefined; attempt++) await this.#ask()
    if (this.#members !== undefined) return
    throw new CliError('CLI_ERR_CONFIG', 'the step ec2 found no metadata service (IMDSv2)', {
      fix: 'take the step ec2 out on machines that are no EC2 instances; in a container, allow two hops'
    })
  }

  /** Returns the last known facts; asks again, without waiting, when they are older than `ttlMs`. */
  members(ttlMs: number): readonly Member[] {
    if (this.#options.wallMs() - this.#askedMs >= ttlMs) void this.#ask()
    return this.#members ?? []
  }

  async #ask(): Promise<void> {
    const askedMs = this.#options.wallMs()
    this.#askedMs = askedMs
    try {
      this.#members = await this.#answer(askedMs)
    } catch {
      // The last known facts stay in use; `ready` reports when there are none.
    }
  }

  async #answer(askedMs: number): Promise<readonly Member[]> {
    const asked = await this.#call('/latest/api/token', 'PUT', {
      'x-aws-ec2-metadata-token-ttl-seconds': TOKEN_SECONDS
    })
    const headers = { 'x-aws-ec2-metadata-token': asked }
    const document = jsonFields(await this.#call('/latest/dynamic/instance-identity/document', 'GET', headers)) ?? {}
    const facts = NAMES.map(([name, theirs]) => ({ name, json: JSON.stringify(document[theirs] ?? null) }))
    const tags = JSON.stringify(await this.#tags(headers))
    return [
      ...facts,
      { name: 'metadataTimestamp', json: JSON.stringify(isoTime(askedMs)) },
      { name: 'tags', json: tags }
    ]
  }

  /** The service has tags only if the instance allows it. */
  async #tags(headers: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
    const path = '/latest/meta-data/tags/instance'
    const listed = await this.#call(path, 'GET', headers).catch(() => '')
    const names = listed.split('\n').filter(name => name !== '')
    const tags: [string, string][] = []
    for (const name of names.slice(0, MAX_TAGS)) {
      tags.push([name, await this.#call(`${path}/${encodeURIComponent(name)}`, 'GET', headers)])
    }
    return Object.fromEntries(tags)
  }

  async #call(path: string, method: string, headers: Readonly<Record<string, string>>): Promise<string> {
    const { endpoint = ENDPOINT } = this.#options
    const answer = await this.#options.fetch(`${endpoint}${path}`, {
      method,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS)
    })
    const text = await answer.text()
    if (!answer.ok) throw new CliError('CLI_ERR_SERVICE', `the metadata service answered ${answer.status}`)
    return text
  }
}

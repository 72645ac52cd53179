/**
 * The calls to Glue: a command enters, its answer or a schema error leaves.
 * Invariant: at most MAX_CALLS are under way, each try is bounded, and what passes is tried again by p-retry. Only here is the
 * SDK's package loaded.
 */
import pRetry from 'p-retry'
import { SchemaError, type SchemaErrorCode, type SchemaFacts } from '../model/errors.ts'
import type { Clock } from '../model/ports.ts'
import { type GlueClientLike, readVersion, regionOf, type VersionAnswer } from './glue-client.ts'
import { failureOf, isPassing, isRefusal, type Refusal, refusalOf } from './service-failure.ts'

const MAX_CALLS = 4
const RETRY_MIN_MS = 200
const RETRY_MAX_MS = 20_000

export interface GlueCallsOptions {
  readonly client: GlueClientLike
  readonly clock: Clock
  /** Tries after the first. */
  readonly retries: number
  /** For one try. */
  readonly requestTimeoutMs: number
}

/** The module of the SDK, loaded at the first call. */
type GlueModule = typeof import('@aws-sdk/client-glue')

/** The schema's facts, for the error of a call. */
export type CallFacts = Pick<SchemaFacts, 'registryName' | 'schemaName' | 'versionId'>

export class GlueCalls {
  readonly #options: GlueCallsOptions
  readonly #waiting: (() => void)[] = []
  #freeCount = MAX_CALLS

  constructor(options: GlueCallsOptions) {
    this.#options = options
  }

  /** Makes a call whose answer is a version. Rejects with SchemaError for all but what the caller has an answer to. */
  async version(
    operation: string,
    make: (glue: GlueModule) => object,
    facts: CallFacts
  ): Promise<VersionAnswer | Refusal> {
    const answer = await this.call(operation, make, facts)
    if (isRefusal(answer)) return answer
    const version = readVersion(answer)
    if (version !== undefined) return version
    return this.fail(
      'KPL_ERR_SCHEMA_UNAVAILABLE',
      `the answer of ${operation} names no version by its UUID, or no status`,
      facts
    )
  }

  /** Makes a call. Rejects with SchemaError, as above. */
  async call(operation: string, make: (glue: GlueModule) => object, facts: CallFacts): Promise<unknown> {
    await this.#takeSlot()
    try {
      const glue = await import('@aws-sdk/client-glue')
      return await pRetry(() => this.#bounded(make(glue)), {
        retries: this.#options.retries,
        minTimeout: RETRY_MIN_MS,
        maxTimeout: RETRY_MAX_MS,
        randomize: true,
        shouldRetry: ({ error }) => isPassing(error)
      })
    } catch (thrown) {
      const refusal = refusalOf(thrown)
      if (refusal !== undefined) return refusal
      const { code, text, action, serviceCode } = failureOf(thrown, operation)
      return await this.fail(code, text, { ...facts, action, serviceCode })
    } finally {
      this.#freeSlot()
    }
  }

  /** Throws the schema error with all that is known of the schema in its message. */
  async fail(code: SchemaErrorCode, text: string, facts: SchemaFacts): Promise<never> {
    const region = await regionOf(this.#options.client)
    const { registryName, schemaName, versionId } = facts
    const where = [
      ...(registryName === undefined ? [] : [`registry ${registryName}`]),
      ...(schemaName === undefined ? [] : [`schema ${schemaName}`]),
      ...(versionId === undefined ? [] : [`version ${versionId}`]),
      `region ${region ?? 'unknown'}`
    ]
    throw new SchemaError(code, `${where.join(', ')}: ${text}`, { ...facts, region })
  }

  #bounded(command: object): Promise<unknown> {
    const { client, clock, requestTimeoutMs } = this.#options
    const aborter = new AbortController()
    return new Promise((resolve, reject) => {
      const timer = clock.schedule(clock.nowMs() + requestTimeoutMs, () => {
        reject(new CallTimeout(requestTimeoutMs))
        aborter.abort()
      })
      const sent = async (): Promise<unknown> => client.send(command, { abortSignal: aborter.signal })
      sent()
        .then(resolve, reject)
        .finally(() => timer.cancel())
    })
  }

  async #takeSlot(): Promise<void> {
    if (this.#freeCount > 0) this.#freeCount--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /** The next call in line gets the slot itself, so that no other call takes it. */
  #freeSlot(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#freeCount++
    else next()
  }
}

class CallTimeout extends Error {
  override readonly name = 'TimeoutError'

  constructor(timeoutMs: number) {
    super(`no answer came within ${timeoutMs} ms`)
  }
}

/**
 * Stands between our own client and its credentials: bounded, one call at a time, renewed when the service refuses them.
 * Invariant: a bounded call settles within `CREDENTIALS_TIMEOUT_MS`, with credentials or a `TransportError`; a refusal costs one renewal, however many requests it met;
 * what was good once is kept when a renewal fails, and the service decides whether it still is. Nothing is logged.
 */
import { identityFault } from '../model/client-options.ts'
import type { Clock } from '../model/ports.ts'
import { CREDENTIALS_FAULT } from '../model/service-errors.ts'
import { credentialsFailure, notSent } from './classify-failure.ts'
import { armDeadline } from './deadline.ts'

/** A call of a credentials provider that takes longer has failed. */
export const CREDENTIALS_TIMEOUT_MS = 5_000
const PART_OF_REQUEST = 0.9

/** Codes that new credentials may help against. */
const REFUSALS: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidClientTokenIdException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException'
])

/** The SDK's function for credentials. The SDK's own cache understands `forceRefresh`. */
export type Provider<Identity> = (options?: Readonly<Record<string, unknown>>) => Promise<Identity>

export class CredentialGuard {
  readonly #clock: Clock
  readonly #timeoutMs: number
  /** Counts renewals, so that requests signed before the last one do not ask for another. */
  #generation = 0
  #isRenewalDue = false

  /** A request's own time-out says nothing of credentials, so theirs comes before it. */
  constructor(clock: Clock, requestTimeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = Math.min(CREDENTIALS_TIMEOUT_MS, requestTimeoutMs * PART_OF_REQUEST)
  }

  /** To be noted when a request begins, and given back when it was refused. */
  get generation(): number {
    return this.#generation
  }

  /** Has credentials renewed before the next request, when they are what `errorCode` is about. */
  refused(errorCode: string, generation: number): void {
    if (!REFUSALS.has(errorCode) || generation !== this.#generation) return
    this.#generation++
    this.#isRenewalDue = true
  }

  /** Returns `provider` with the bound. One of the user's needs it before the SDK waits for it, which it does for ever. */
  bounded<Identity>(provider: Provider<Identity>): Provider<Identity> {
    // Also for one that throws at once, or is no promise after all.
    const call: Provider<Identity> = async options => {
      const identity = await provider(options)
      const fault = identityFault(identity)
      if (fault === undefined) return identity
      throw notSent(CREDENTIALS_FAULT, `the credentials provider gave no credentials: ${fault}; nothing was sent.`)
    }
    return options => this.#within(call(options))
  }

  /** Returns what the client is to use in place of `inner`, its own memory of credentials, which must be bounded. */
  over<Identity>(inner: Provider<Identity>): Provider<Identity> & { readonly memoized: true } {
    let pending: Promise<Identity> | undefined
    let lastGood: { readonly identity: Identity } | undefined
    const fetch = async (options: Readonly<Record<string, unknown>> | undefined): Promise<Identity> => {
      const forceRefresh = this.#isRenewalDue
      this.#isRenewalDue = false
      try {
        const identity = await inner(forceRefresh ? { ...options, forceRefresh } : options)
        lastGood = { identity }
        return identity
      } catch (error) {
        if (lastGood === undefined) throw error
        return lastGood.identity
      }
    }
    const provide: Provider<Identity> = options => {
      pending ??= fetch(options).finally(() => {
        pending = undefined
      })
      return pending
    }
    return Object.assign(provide, { memoized: true as const })
  }

  #within<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const deadline = armDeadline(this.#clock, this.#clock.nowMs() + this.#timeoutMs, () =>
        reject(
          notSent(
            CREDENTIALS_FAULT,
            `the credentials provider did not answer within ${this.#timeoutMs} ms; nothing was sent.`
          )
        )
      )
      promise.then(resolve, (thrown: unknown) => reject(credentialsFailure(thrown))).finally(() => deadline.cancel())
    })
  }
}

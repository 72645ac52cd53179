/**
 * The faults of one run: the fate of every request and call, drawn from the seed's own streams.
 * Invariant: the fate depends on the seed, the class and how often the class was asked, never on another class's draws;
 * after `calm` nothing goes wrong any more.
 */
import { TransportError } from '../../src/model/errors.ts'
import type { SeededRandom } from '../../src/testing/index.ts'
import type { RateFault, SpellFault, SwarmConfig } from './swarm.ts'

/** How a request ends when not with its answer: an error, or silence until the time-out. */
export type Ending = TransportError | 'silence'

export interface EntryFault {
  readonly errorCode: string
  readonly isStored: boolean
}

export interface RequestFate {
  readonly requestDelayMs: number
  readonly answerDelayMs: number
  /** Ends before the service applied it, or after. */
  readonly before: Ending | undefined
  readonly after: Ending | undefined
  readonly countDifference: number
}

export interface ListingFate {
  readonly delayMs: number
  readonly agoMs: number
  readonly isFailed: boolean
  readonly isMalformed: boolean
}

/** The shard whose throttles an isolation run is about. */
export const VICTIM_SHARD = 'shardId-000000000000'

const THROTTLES = [
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'KMSThrottlingException',
  'ThrottlingException'
]
const SPELL_CODES: Readonly<Record<Exclude<SpellFault, 'throttledShards'>, readonly string[]>> = {
  notFound: ['ResourceNotFoundException'],
  denied: ['AccessDeniedException'],
  kms: ['KMSDisabledException', 'KMSInvalidStateException', 'KMSNotFoundException'],
  expiredToken: ['ExpiredTokenException'],
  outage: ['ENOTFOUND', 'ECONNREFUSED'],
  localFault: ['ClientFault', 'CredentialsProviderError', 'RegionMissing'],
  down: ['ServiceUnavailable']
}

const WITHOUT_ANSWER: ReadonlySet<SpellFault> = new Set<SpellFault>(['outage', 'localFault'])

export class Faults {
  /** Faults that happened. */
  count = 0
  #isCalm = false
  readonly #config: SwarmConfig
  readonly #random: SeededRandom
  readonly #streams = new Map<string, SeededRandom>()
  readonly #startMs: number

  constructor(config: SwarmConfig, random: SeededRandom, startMs: number) {
    this.#config = config
    this.#random = random
    this.#startMs = startMs
  }

  /** The liveness phase begins. */
  calm(): void {
    this.#isCalm = true
  }

  get isCalm(): boolean {
    return this.#isCalm
  }

  happens(fault: RateFault): boolean {
    const rate = this.#config.rates[fault]
    const doesHappen = rate > 0 && !this.#isCalm && this.draw(fault) < rate
    if (doesHappen) this.count++
    return doesHappen
  }

  draw(name: string): number {
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      stream = this.#random.split(name)
      this.#streams.set(name, stream)
    }
    return stream()
  }

  isSpell(fault: SpellFault, nowMs: number): boolean {
    const atMs = nowMs - this.#startMs
    return (
      !this.#isCalm &&
      this.#config.spells.some(spell => spell.fault === fault && spell.fromMs <= atMs && atMs < spell.untilMs)
    )
  }

  /** The error that meets every request of this moment, or undefined. */
  spellError(nowMs: number): TransportError | undefined {
    for (const fault of Object.keys(SPELL_CODES) as (keyof typeof SPELL_CODES)[]) {
      if (!this.isSpell(fault, nowMs)) continue
      this.count++
      return errorOf(
        this.#pick(SPELL_CODES[fault], fault),
        fault === 'down' ? 503 : WITHOUT_ANSWER.has(fault) ? undefined : 400
      )
    }
    return undefined
  }

  /** Undefined: the entry is left alone. */
  entryFault(shardId: string, nowMs: number): EntryFault | undefined {
    const isThrottled =
      this.isSpell('throttledShards', nowMs) && (shardId === VICTIM_SHARD || !this.#config.isIsolation)
    if (isThrottled || this.happens('entryThrottle')) {
      this.count++
      return { errorCode: 'ProvisionedThroughputExceededException', isStored: false }
    }
    if (this.happens('entryInternal')) {
      return { errorCode: 'InternalFailure', isStored: this.draw('stored') < 0.5 }
    }
    return this.happens('entryUnknown') ? { errorCode: 'Odd', isStored: this.draw('stored') < 0.5 } : undefined
  }

  requestFate(nowMs: number): RequestFate {
    const timeoutMs = this.#config.requestTimeoutMs
    const isLate = this.happens('late')
    const isZombie = this.happens('zombie')
    return {
      requestDelayMs: isZombie ? timeoutMs * (0.5 + this.draw('delay') * 2.5) : 0,
      answerDelayMs: isLate ? timeoutMs * (0.5 + this.draw('delay')) : 0,
      before: this.spellError(nowMs) ?? this.#before(),
      after: this.#after(),
      countDifference: this.happens('countMismatch') ? (this.draw('stored') < 0.5 ? -1 : 1) : 0
    }
  }

  listingFate(nowMs: number): ListingFate {
    return {
      delayMs: this.happens('listSlow') ? this.draw('delay') * 3_000 : 0,
      agoMs: this.happens('listStale') ? this.draw('delay') * 5_000 : 0,
      isFailed: this.spellError(nowMs) !== undefined || this.#happensOften('listFail'),
      isMalformed: this.#happensOften('listMalformed')
    }
  }

  /** Undefined: the summary comes. */
  describeFailure(nowMs: number): TransportError | undefined {
    const spellError = this.spellError(nowMs)
    return this.#happensOften('describeFail') ? errorOf('AccessDeniedException', 400) : spellError
  }

  /** Listings are few: their faults come five times as often. */
  #happensOften(fault: RateFault): boolean {
    return !this.#isCalm && this.draw(fault) < this.#config.rates[fault] * 5
  }

  #before(): Ending | undefined {
    if (this.happens('requestThrottle')) return errorOf(this.#pick(THROTTLES, 'code'), 400)
    if (this.happens('requestUnknown4xx')) return errorOf('OddException', 418)
    if (this.happens('unreachable')) return errorOf('ECONNREFUSED', undefined)
    if (this.draw('stored') < 0.5) return undefined
    return this.#unclear()
  }

  #after(): Ending | undefined {
    if (this.happens('garbled')) return errorOf('MalformedAnswer', 200)
    return this.#unclear()
  }

  #unclear(): Ending | undefined {
    if (this.happens('request5xx')) return errorOf(this.#pick(['InternalFailure', 'ServiceUnavailable'], 'code'), 500)
    if (this.happens('reset')) return errorOf('ECONNRESET', undefined)
    return this.happens('lost') ? 'silence' : undefined
  }

  #pick(codes: readonly string[], name: string): string {
    return codes[Math.floor(this.draw(name) * codes.length)]!
  }
}

const DEFINITE_CODES = new Set([
  'ENOTFOUND',
  'ECONNREFUSED',
  'ClientFault',
  'CredentialsProviderError',
  'RegionMissing'
])

/** Returns the error as a transport tells it: a status below 500 but not 200 means that nothing was stored. */
export function errorOf(errorCode: string, statusCode: number | undefined): TransportError {
  const isDefinite = statusCode === undefined ? DEFINITE_CODES.has(errorCode) : statusCode >= 400 && statusCode < 500
  const persisted = isDefinite ? 'no' : 'maybe'
  return new TransportError({ errorCode, message: 'by the simulation', statusCode, persisted })
}

/**
 * The time of one invocation.
 * Invariant: a part of the time is always kept in reserve, and a part comes before it, unless no time was left at the start.
 */
import { ConsumerError, invalidInput } from '../deaggregate/consumer-error.ts'
import type { LambdaContext } from './event.ts'
import { warn } from './failures.ts'

/** The longest that a timer of Node.js takes. */
const MAX_TIMER_MS = 2 ** 31 - 1
/** The part that is kept in reserve when the reserve would take all of the time. */
const SHORT_RESERVE_SHARE = 0.5

export class Deadline {
  /** Fires when only the reserve is left. */
  readonly signal: AbortSignal
  readonly #context: LambdaContext
  readonly #startMs: number
  readonly #reserveMs: number

  /** Throws KPL_ERR_INVALID_INPUT for a context that does not say how much time is left. */
  constructor(context: LambdaContext, reserveMs: number, timeoutSignal: (ms: number) => AbortSignal) {
    this.#context = context
    this.#startMs = remainingMs(context)
    this.#reserveMs = reserveMs
    if (this.#startMs <= reserveMs) {
      this.#reserveMs = this.#startMs * SHORT_RESERVE_SHARE
      const fact = `${Math.round(this.#startMs)} ms are left at the start, and reserveMs is ${reserveMs}`
      warn('KPL_WARN_RESERVE', `${fact}: half of it is kept in reserve; raise the function timeout, or lower reserveMs`)
    }
    const timeMs = Math.floor(this.#startMs - this.#reserveMs)
    this.signal = timeoutSignal(Math.min(timeMs, MAX_TIMER_MS))
    if (!isSignal(this.signal)) throw invalidInput('timeoutSignal()', 'an AbortSignal', this.signal)
  }

  hasTime(): boolean {
    return !this.signal.aborted && this.#context.getRemainingTimeInMillis() > this.#reserveMs
  }

  /** Returns KPL_ERR_TIME_UP; `when` ends the sentence. */
  timeUp(when: string): ConsumerError {
    const times = `${Math.round(this.#startMs)} ms at the start, ${Math.round(this.#reserveMs)} of them in reserve`
    return new ConsumerError('KPL_ERR_TIME_UP', `the time ended (${times}) ${when}`)
  }
}

/** Takes a signal of this realm, of another realm, or of a polyfill. */
function isSignal(value: unknown): boolean {
  const { aborted, addEventListener, removeEventListener } = Object(value) as Readonly<Record<string, unknown>>
  const canListen = typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  return typeof aborted === 'boolean' && canListen
}

function remainingMs(context: unknown): number {
  const lambdaContext = Object(context) as { getRemainingTimeInMillis?: unknown }
  if (typeof lambdaContext.getRemainingTimeInMillis !== 'function') {
    throw invalidInput('context', "Lambda's, with getRemainingTimeInMillis()", context)
  }
  const ms: unknown = lambdaContext.getRemainingTimeInMillis()
  if (typeof ms === 'number' && ms >= 0 && ms < Number.POSITIVE_INFINITY) return ms
  const got = typeof ms === 'number' ? ms : typeof ms
  throw new ConsumerError(
    'KPL_ERR_INVALID_INPUT',
    `context.getRemainingTimeInMillis() must return ms from 0, got ${got}`
  )
}

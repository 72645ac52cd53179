/**
 * How far a call came, and the one way in which it ends: an answer, a failure, its deadline or a signal.
 * Invariant: the promise settles at the deadline or at the signal, the first of the two, and only once; after that `isOver` is
 * set, and nothing more of the call may be sent.
 */
import { setMaxListeners } from 'node:events'
import type { TransportError } from '../model/errors.ts'
import type { Clock } from '../model/ports.ts'
import { type CallFacts, classifyFailure, givenUp } from './classify-failure.ts'
import { armDeadline } from './deadline.ts'
import type { Passage } from './http-door.ts'

/** Written on the way of the request, read by the classification. */
export interface Progress {
  /** Unset while the client has not run our middleware; a client of another make may never do so. */
  isHanded: boolean | undefined
  isOver: boolean
  /** The client builds its middleware for the command, as the SDK's do. */
  isTaken: boolean
  /** Some code has read the data to send: the command's input, or the request's body. */
  isRead: boolean
  /** The caller knows that nothing was sent, because nothing had read the request. So nothing may read it from now on. */
  isWithdrawn: boolean
  passage: Passage | undefined
  statusCode: number | undefined
}

export interface EndingOptions {
  readonly clock: Clock
  /** For the whole call: credentials, connection, request and answer. */
  readonly timeoutMs: number
  /** Any of them ends the call. */
  readonly signals: readonly AbortSignal[]
}

/** The events that end a call. Only the first counts. */
export interface Ending<Answer> {
  readonly succeed: (answer: Answer) => void
  readonly fail: (error: TransportError) => void
}

/** Returns the progress of a call that has not begun. */
export function newProgress(): Progress {
  return {
    isHanded: undefined,
    isOver: false,
    isTaken: false,
    isRead: false,
    isWithdrawn: false,
    passage: undefined,
    statusCode: undefined
  }
}

/** Calls `begin`, and settles as it says; `cut` is called after a call that was given up, to end what is under way. */
export function settledOnce<Answer>(
  { clock, timeoutMs, signals }: EndingOptions,
  progress: Progress,
  cut: () => void,
  begin: (ending: Ending<Answer>) => void
): Promise<Answer> {
  if (signals.some(signal => signal.aborted)) return Promise.reject(givenUp('AbortError', false))
  return new Promise((resolve, reject) => {
    const isFirst = (): boolean => {
      if (progress.isOver) return false
      progress.isOver = true
      deadline.cancel()
      for (const signal of signals) signal.removeEventListener('abort', onSignal)
      return true
    }
    const succeed = (answer: Answer): void => {
      if (isFirst()) resolve(answer)
    }
    const fail = (error: TransportError): void => {
      if (isFirst()) reject(error)
    }
    const giveUp = (errorCode: 'AbortError' | 'TimeoutError'): void => {
      fail(givenUp(errorCode, mayHaveLeft(progress)))
      cut()
    }
    const onSignal = (): void => giveUp('AbortError')
    const deadline = armDeadline(clock, clock.nowMs() + timeoutMs, () => giveUp('TimeoutError'))
    for (const signal of signals) {
      // As many listeners as requests in flight are no leak; each is removed when its call ends.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', onSignal)
    }
    begin({ succeed, fail })
  })
}

/** Whether a byte of the request may have left; undefined when neither client nor handler tells. */
export function mayHaveLeft({ isHanded, passage }: Progress): boolean | undefined {
  return isHanded === false ? false : passage?.isOpen
}

/** Returns what a thrown value means for a call that came so far, and withdraws a request that nobody has read. */
export function failureOf(
  thrown: unknown,
  progress: Progress,
  partitionKeys: CallFacts['partitionKeys']
): TransportError {
  const { statusCode, isRead } = progress
  const facts = { mayHaveLeft: mayHaveLeft(progress), isUnread: !isRead, statusCode, partitionKeys }
  const failure = classified(thrown, facts)
  progress.isWithdrawn = !isRead && failure.persisted === 'no'
  return failure
}

/** A thrown value may itself throw when it is read. Then only the progress of the call is known. */
function classified(thrown: unknown, facts: CallFacts): TransportError {
  try {
    return classifyFailure(thrown, facts)
  } catch {
    return classifyFailure(new Error('What was thrown throws when it is looked at.'), facts)
  }
}

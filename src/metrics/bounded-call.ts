/**
 * A call of the user's code that may never settle, with a time-out.
 * Invariant: settles within `timeoutMs`, or at once when `cut` fires, whatever the call does; the call's own signal fires then, too.
 */
import type { Clock, Timer } from '../model/ports.ts'

export interface CallBounds {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly cut: AbortSignal
}

/** Resolves and rejects as `call`, unless a bound comes first. */
export function boundedCall(
  { clock, timeoutMs, cut }: CallBounds,
  call: (signal: AbortSignal) => unknown
): Promise<unknown> {
  const aborter = new AbortController()
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined
    const end = (settle: () => void): void => {
      timer?.cancel()
      cut.removeEventListener('abort', onCut)
      settle()
    }
    const giveUp = (reason: unknown): void => {
      end(() => reject(reason))
      aborter.abort(reason)
    }
    const onCut = (): void => giveUp(cut.reason)
    if (cut.aborted) {
      onCut()
      return
    }
    cut.addEventListener('abort', onCut)
    const expire = (): void => giveUp(new Error(`no answer came within ${timeoutMs} ms`))
    timer = clock.schedule(clock.nowMs() + timeoutMs, expire)
    new Promise(settle => settle(call(aborter.signal))).then(
      value => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error))
    )
  })
}

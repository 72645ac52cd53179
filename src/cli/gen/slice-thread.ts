/**
 * A slice of `gen` in its thread: the job comes in, progress, seconds, errors and the end go out.
 * Invariant: the thread writes nothing itself. Errors are counted and told together, so a million of them are few messages.
 */
import { shownError } from '../errors.ts'
import type { Host } from '../ports.ts'
import { Session } from '../session.ts'
import { runSlice, type SliceProgress } from './run-slice.ts'
import { type FromSlice, type SliceJob, STOP, type ToldError } from './slice-messages.ts'

const TELL_MS = 200

/** The thread's end of the line. */
export interface Channel {
  post(message: FromSlice): void
  onMessage(listener: (message: unknown) => void): void
}

export async function runSliceThread(host: Host, job: SliceJob, channel: Channel): Promise<void> {
  const stops: (() => void)[] = []
  channel.onMessage(message => {
    if (message === STOP) for (const stop of stops) stop()
  })
  // A thread gets no signals; the command says when to stop.
  const onSignal: Host['onSignal'] = (name, listener) => {
    if (name === 'SIGTERM') stops.push(listener)
    return () => {}
  }
  const session = new Session({ ...host, onSignal }, 'gen', job.globals)
  const teller = new Teller(host, channel)
  try {
    const end = await runSlice({
      ...job,
      session,
      errors: teller,
      onSecond: second => channel.post({ kind: 'second', second }),
      onStart: seen => teller.start(seen)
    })
    teller.stop()
    channel.post({ kind: 'end', end })
  } catch (error) {
    teller.stop()
    const { code, message, fix } = shownError(error)
    channel.post({ kind: 'fault', error: { code, message, fix } })
  } finally {
    session.close()
  }
}

class Teller {
  readonly #host: Host
  readonly #channel: Channel
  readonly #errors = new Map<string, { readonly error: ToldError; times: number }>()
  #seen: (() => SliceProgress) | undefined
  #timer: { cancel(): void } | undefined

  constructor(host: Host, channel: Channel) {
    this.#host = host
    this.#channel = channel
  }

  start(seen: () => SliceProgress): void {
    this.#seen = seen
    this.#arm()
  }

  tell(code: string, message: string, fix?: string): void {
    const known = this.#errors.get(code)
    if (known === undefined) this.#errors.set(code, { error: { code, message, fix }, times: 1 })
    else known.times++
  }

  stop(): void {
    this.#timer?.cancel()
    this.#send()
  }

  #arm(): void {
    const { clock } = this.#host
    this.#timer = clock.schedule(clock.nowMs() + TELL_MS, () => {
      this.#send()
      this.#arm()
    })
  }

  #send(): void {
    if (this.#seen !== undefined) this.#channel.post({ kind: 'progress', progress: this.#seen() })
    for (const each of this.#errors.values()) this.#channel.post({ kind: 'error', ...each })
    this.#errors.clear()
  }
}

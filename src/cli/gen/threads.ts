/**
 * `gen --workers N`: a thread for each slice, with a producer of its own.
 * Invariant: all threads have the same seed, so the same flags give the same records; when one of them fails, the others stop.
 */
import { CLI_ERRORS, CliError, type CliErrorCode } from '../errors.ts'
import type { Session } from '../session.ts'
import type { GenFlags } from './gen-flags.ts'
import type { SliceEnd, SliceOptions, SliceProgress } from './run-slice.ts'
import type { Slice } from './slice.ts'
import { type FromSlice, type SliceJob, STOP, type ToldError } from './slice-messages.ts'

export interface ThreadsOptions extends Pick<SliceOptions, 'stream' | 'onSecond' | 'onStart'> {
  readonly session: Session
  readonly flags: GenFlags
}

const NOTHING: SliceProgress = { put: 0, bytes: 0, unsettled: 0, dropped: 0, throttled: 0 }

/** Resolves when every slice is done. Throws the first fault of a thread. */
export async function runInThreads({ session, flags, ...options }: ThreadsOptions): Promise<readonly SliceEnd[]> {
  const failed = new AbortController()
  const stop = AbortSignal.any([session.stop, failed.signal])
  const seeded = { ...flags, seed: flags.seed ?? String(session.host.random()) }
  const runs = Array.from({ length: flags.workers }, async (_, index) => {
    try {
      return await runInThread({ ...options, session, flags: seeded }, { index, count: flags.workers }, stop)
    } catch (error) {
      failed.abort()
      throw error
    }
  })
  const ends = await Promise.allSettled(runs)
  return ends.map(end => {
    if (end.status === 'rejected') throw end.reason
    return end.value
  })
}

async function runInThread(options: ThreadsOptions, slice: Slice, stop: AbortSignal): Promise<SliceEnd> {
  const { session, flags, stream, onSecond, onStart } = options
  const job: SliceJob = { globals: session.flags, flags, stream, slice }
  let progress = NOTHING
  let end: SliceEnd | undefined
  let fault: ToldError | undefined
  onStart(() => progress)
  const thread = session.host.startThread('gen-slice', job, given => {
    const message = fromSlice(given)
    if (message.kind === 'progress') progress = message.progress
    else if (message.kind === 'second') onSecond(message.second)
    else if (message.kind === 'end') end = message.end
    else if (message.kind === 'fault') fault = message.error
    else session.errors.tell(message.error.code, message.error.message, message.error.fix, message.times)
  })
  const tellStop = () => thread.post(STOP)
  if (stop.aborted) tellStop()
  stop.addEventListener('abort', tellStop, { once: true })
  await thread.ended
  stop.removeEventListener('abort', tellStop)
  if (end !== undefined) return end
  throw errorOf(fault ?? { code: 'CLI_ERR_INTERNAL', message: 'a thread ended without its figures', fix: undefined })
}

/** Of our own thread, which sends nothing else. */
function fromSlice(message: unknown): FromSlice {
  return message as FromSlice
}

function errorOf({ code, message, fix }: ToldError): CliError {
  if (isCliCode(code)) return new CliError(code, message, { fix })
  return new CliError('CLI_ERR_INTERNAL', `${code}: ${message}`)
}

function isCliCode(code: string): code is CliErrorCode {
  return Object.hasOwn(CLI_ERRORS, code)
}

/**
 * One call to the service: a command, its deadline, and what became of it.
 * Invariant: settles within `timeoutMs` or at the signal, whichever is first, with an answer or a `TransportError`;
 * makes one attempt, also on a client that would retry; after it settled nothing more is sent.
 */
import { setMaxListeners } from 'node:events'
import type {
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand
} from '@aws-sdk/client-kinesis'
import type { TransportError } from '../model/errors.ts'
import { classifyFailure, givenUp } from './classify-failure.ts'

/** One of the three commands we send. */
export type Command = PutRecordsCommand | ListShardsCommand | DescribeStreamSummaryCommand

/** A client's `send`. */
export type Send = (command: Command, options: { readonly abortSignal: AbortSignal }) => Promise<unknown>

export interface ExchangeOptions {
  /** For the whole call: credentials, connection, request and answer. */
  readonly timeoutMs: number
  /** Any of them ends the call. */
  readonly signals: readonly AbortSignal[]
  /** Throws a `TransportError` when a request must not go to this place. */
  readonly assertDestination?: ((protocol: string, hostname: string) => void) | undefined
}

/** How far a call came. Written by the middleware, read by the classification. */
interface Progress {
  /** Unset while the client has not run our middleware; a client of another make may never do so. */
  isHanded: boolean | undefined
  isOver: boolean
  statusCode: number | undefined
  retryAfter: string | undefined
  failure: TransportError | undefined
}

/** Sends `command`, which must be fresh, once; resolves to its output, undecoded. */
export function exchange(send: Send, command: Command, options: ExchangeOptions): Promise<unknown> {
  const { timeoutMs, signals, assertDestination } = options
  if (signals.some(signal => signal.aborted)) return Promise.reject(givenUp('AbortError', false))
  const progress: Progress = {
    isHanded: undefined,
    isOver: false,
    statusCode: undefined,
    retryAfter: undefined,
    failure: undefined
  }
  watch(command, progress, assertDestination)
  const aborter = new AbortController()
  const deadline = AbortSignal.timeout(timeoutMs)
  return new Promise((resolve, reject) => {
    const isFirst = (): boolean => {
      if (progress.isOver) return false
      progress.isOver = true
      deadline.removeEventListener('abort', onDeadline)
      for (const signal of signals) signal.removeEventListener('abort', onSignal)
      return true
    }
    const giveUp = (errorCode: 'AbortError' | 'TimeoutError'): void => {
      if (!isFirst()) return
      reject(givenUp(errorCode, progress.isHanded))
      aborter.abort()
    }
    const onDeadline = (): void => giveUp('TimeoutError')
    const onSignal = (): void => giveUp('AbortError')
    deadline.addEventListener('abort', onDeadline)
    for (const signal of signals) {
      // As many listeners as requests in flight are no leak; each is removed when its call ends.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', onSignal)
    }
    send(command, { abortSignal: aborter.signal }).then(
      output => {
        if (isFirst()) resolve(output)
      },
      (thrown: unknown) => {
        if (isFirst()) reject(progress.failure ?? classifyFailure(thrown, progress))
      }
    )
  })
}

/** Adds three observers to the command: at its start, right inside the retry loop, and at the handler's door. */
function watch(command: Command, progress: Progress, assertDestination: ExchangeOptions['assertDestination']): void {
  // The commands differ in the types of input and output only, which these observers do not look at.
  const stack = command.middlewareStack as unknown as KinesisClient['middlewareStack']
  stack.add(
    next => args => {
      progress.isHanded = false
      return next(args)
    },
    { step: 'initialize', priority: 'high', name: 'kplStart' }
  )
  stack.addRelativeTo(
    <Args, Result>(next: (args: Args) => Promise<Result>) =>
      async (args: Args): Promise<Result> => {
        try {
          return await next(args)
        } catch (error) {
          progress.failure = classifyFailure(error, progress)
          // An error that no retry strategy knows is never retried, whatever the client's maxAttempts.
          throw new Error('The attempt failed.')
        }
      },
    { relation: 'after', toMiddleware: 'retryMiddleware', name: 'kplOneAttempt' }
  )
  stack.add(
    next => async args => {
      const { protocol, hostname } = destinationOf(args.request)
      assertDestination?.(protocol, hostname)
      // The caller was told that nothing was sent; keep it so.
      if (progress.isOver) throw givenUp('AbortError', false)
      progress.isHanded = true
      const answer = await next(args)
      noteAnswer(answer.response, progress)
      return answer
    },
    { step: 'deserialize', priority: 'low', name: 'kplHandOver' }
  )
}

function destinationOf(request: unknown): { protocol: string; hostname: string } {
  const protocol = textField(request, 'protocol') ?? ''
  return { protocol, hostname: textField(request, 'hostname') ?? '' }
}

function noteAnswer(response: unknown, progress: Progress): void {
  if (typeof response !== 'object' || response === null) return
  if ('statusCode' in response && typeof response.statusCode === 'number') progress.statusCode = response.statusCode
  if ('headers' in response) progress.retryAfter = textField(response.headers, 'retry-after')
}

function textField(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  const field: unknown = Reflect.get(value, name)
  return typeof field === 'string' ? field : undefined
}

/**
 * One call to the service: a command, its deadline, and what became of it.
 * Invariant: settles at the deadline or at the signal, whichever is first, with an answer or a `TransportError`; makes
 * one attempt, also on a client that would retry; after it settled nothing more is sent.
 */
import { setMaxListeners } from 'node:events'
import { ClientRequest, IncomingMessage } from 'node:http'
import type {
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand
} from '@aws-sdk/client-kinesis'
import type { TransportError } from '../model/errors.ts'
import type { Clock } from '../model/ports.ts'
import { classifyFailure, givenUp } from './classify-failure.ts'
import { armDeadline } from './deadline.ts'
import type { Passage } from './http-door.ts'

/** One of the three commands we send. */
export type Command = PutRecordsCommand | ListShardsCommand | DescribeStreamSummaryCommand

/** A client's `send`. */
export type Send = (command: Command, options: { readonly abortSignal: AbortSignal }) => Promise<unknown>

export interface ExchangeOptions {
  readonly clock: Clock
  /** For the whole call: credentials, connection, request and answer. */
  readonly timeoutMs: number
  /** Any of them ends the call. */
  readonly signals: readonly AbortSignal[]
  /** Throws a `TransportError` when a request must not go to this place. */
  readonly assertDestination?: ((protocol: string, hostname: string) => void) | undefined
  /** Told where each request goes: host and port. */
  readonly noteDestination?: ((endpoint: string) => void) | undefined
  /** Has the handler tell how far a request comes; without it that is guessed from what is thrown. */
  readonly track?: ((request: object, passage: Passage) => void) | undefined
  /** Of the entries: keys that no error may tell. */
  readonly partitionKeys?: (() => readonly string[]) | undefined
  /** Called at most once, when nobody reads the request's body any more; for unknown handlers never. */
  readonly onBodyFree?: (() => void) | undefined
}

/** How far a call came. Written by the middleware, read by the classification. */
interface Progress {
  /** Unset while the client has not run our middleware; a client of another make may never do so. */
  isHanded: boolean | undefined
  isOver: boolean
  passage: Passage | undefined
  statusCode: number | undefined
  retryAfter: string | undefined
}

/** Sends `command`, which must be fresh, once; resolves to its output, undecoded. */
export function exchange(send: Send, command: Command, options: ExchangeOptions): Promise<unknown> {
  const { clock, timeoutMs, signals } = options
  if (signals.some(signal => signal.aborted)) return Promise.reject(givenUp('AbortError', false))
  const progress: Progress = {
    isHanded: undefined,
    isOver: false,
    passage: undefined,
    statusCode: undefined,
    retryAfter: undefined
  }
  const aborter = new AbortController()
  return new Promise((resolve, reject) => {
    const isFirst = (): boolean => {
      if (progress.isOver) return false
      progress.isOver = true
      deadline.cancel()
      for (const signal of signals) signal.removeEventListener('abort', onSignal)
      return true
    }
    const fail = (error: TransportError): void => {
      if (isFirst()) reject(error)
    }
    const giveUp = (errorCode: 'AbortError' | 'TimeoutError'): void => {
      fail(givenUp(errorCode, mayHaveLeft(progress)))
      aborter.abort()
    }
    const onSignal = (): void => giveUp('AbortError')
    const deadline = armDeadline(clock, clock.nowMs() + timeoutMs, () => giveUp('TimeoutError'))
    for (const signal of signals) {
      // As many listeners as requests in flight are no leak; each is removed when its call ends.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', onSignal)
    }
    watch(command, progress, options, fail)
    const { partitionKeys } = options
    send(command, { abortSignal: aborter.signal }).then(
      output => {
        if (isFirst()) resolve(output)
      },
      (thrown: unknown) => fail(failureOf(thrown, progress, partitionKeys))
    )
  })
}

/** Adds three observers to the command: at its start, right inside the retry loop, and at the handler's door. */
function watch(
  command: Command,
  progress: Progress,
  { assertDestination, noteDestination, track, onBodyFree, partitionKeys }: ExchangeOptions,
  fail: (error: TransportError) => void
): void {
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
          // The call is over here. What the client's retry strategy makes of it stays without effect: see the door.
          fail(failureOf(error, progress, partitionKeys))
          throw new Error('The attempt failed.')
        }
      },
    { relation: 'after', toMiddleware: 'retryMiddleware', name: 'kplOneAttempt' }
  )
  stack.add(
    next => async args => {
      const { protocol, hostname, port } = destinationOf(args.request)
      noteDestination?.(`${hostname}:${port}`)
      assertDestination?.(protocol, hostname)
      // The caller was told what became of the call; keep it so.
      if (progress.isOver) throw givenUp('AbortError', false)
      progress.isHanded = true
      if (track !== undefined && typeof args.request === 'object' && args.request !== null) {
        progress.passage = { isOpen: false, onFree: () => onBodyFree?.() }
        track(args.request, progress.passage)
      }
      const answer = await next(args)
      noteAnswer(answer.response, progress)
      if (progress.passage === undefined && onBodyFree !== undefined) whenFree(answer.response, onBodyFree)
      return answer
    },
    { step: 'deserialize', priority: 'low', name: 'kplHandOver' }
  )
}

function failureOf(
  thrown: unknown,
  progress: Progress,
  partitionKeys: ExchangeOptions['partitionKeys']
): TransportError {
  const { statusCode, retryAfter } = progress
  return classifyFailure(thrown, { mayHaveLeft: mayHaveLeft(progress), statusCode, retryAfter, partitionKeys })
}

/** Whether a byte of the request may have left; undefined when neither client nor handler tells. */
function mayHaveLeft({ isHanded, passage }: Progress): boolean | undefined {
  return isHanded === false ? false : passage?.isOpen
}

/** Other handlers that are Node.js's own underneath: the request of an answer tells when its body is free. */
function whenFree(response: unknown, onBodyFree: () => void): void {
  const body: unknown = typeof response === 'object' && response !== null ? Reflect.get(response, 'body') : undefined
  const request: unknown = body instanceof IncomingMessage ? Reflect.get(body, 'req') : undefined
  if (request instanceof ClientRequest) request.once('close', onBodyFree)
}

function destinationOf(request: unknown): { protocol: string; hostname: string; port: number } {
  const protocol = textField(request, 'protocol') ?? ''
  const port: unknown = typeof request === 'object' && request !== null ? Reflect.get(request, 'port') : undefined
  const usualPort = protocol === 'http:' ? 80 : 443
  return { protocol, hostname: textField(request, 'hostname') ?? '', port: typeof port === 'number' ? port : usualPort }
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

/**
 * One call to the service: a command, its deadline, and what became of it.
 * Invariant: settles at the deadline or at the signal, the first of the two, with an answer or a `TransportError`; makes
 * one attempt, also on a client that would retry; after it settled nothing more is sent.
 */
import { ClientRequest, IncomingMessage } from 'node:http'
import type {
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand
} from '@aws-sdk/client-kinesis'
import type { TransportError } from '../model/errors.ts'
import { kindOf } from '../model/records.ts'
import { classifyFailure, givenUp } from './classify-failure.ts'
import type { Passage } from './http-door.ts'
import { fieldOf, textOf } from './node-fault.ts'
import { type EndingOptions, failureOf, mayHaveLeft, newProgress, type Progress, settledOnce } from './one-ending.ts'

/** One of the three commands we send. */
export type Command = PutRecordsCommand | ListShardsCommand | DescribeStreamSummaryCommand

/** A client's `send`. May throw instead of giving a promise. */
export type Send = (command: Command, options: { readonly abortSignal: AbortSignal }) => Promise<unknown>

export interface ExchangeOptions<Answer> extends EndingOptions {
  /** Reads the output; throws a `TransportError` for one that is no answer. */
  readonly read: (output: unknown) => Answer
  /** Throws a `TransportError` when a request must not go to this place. */
  readonly assertDestination?: ((protocol: string, hostname: string) => void) | undefined
  /** Told where each request goes: host and port. */
  readonly noteDestination?: ((endpoint: string) => void) | undefined
  /** Rejects with a `TransportError` when the client must not use the stream. */
  readonly assertStream?: (() => Promise<void>) | undefined
  /** Has the handler tell how far a request comes; without it that is guessed from what is thrown. */
  readonly track?: ((request: object, passage: Passage) => void) | undefined
  /** Of the entries: keys that no error may tell. */
  readonly partitionKeys?: (() => readonly string[]) | undefined
  /** Called at most once, when nobody reads the request's body any more; for unknown handlers never. */
  readonly onBodyFree?: (() => void) | undefined
  /** Called when `send` is not the SDK's: a stub, which keeps the command, and the bytes that it names. */
  readonly onStandIn?: (() => void) | undefined
}

/** Sends `command`, which must be fresh, once; resolves to its answer. */
export function exchange<Answer>(send: Send, command: Command, options: ExchangeOptions<Answer>): Promise<Answer> {
  const progress = newProgress()
  const aborter = new AbortController()
  const cut = (): void => aborter.abort()
  return settledOnce<Answer>(options, progress, cut, ({ succeed, fail }) => {
    watch(command, progress, options, fail)
    observe(command, 'input', progress, {})
    const { partitionKeys, read, onStandIn } = options
    try {
      const sent = send(command, { abortSignal: aborter.signal })
      if (!progress.isTaken) onStandIn?.()
      sent
        .then(output => succeed(readAnswer(output, read, progress)))
        .catch((thrown: unknown) => fail(failureOf(thrown, progress, partitionKeys)))
    } catch (thrown) {
      // Before `send` gave a promise nothing was sent: it found the command, or itself, to be wrong.
      fail(classifyFailure(thrown, { mayHaveLeft: mayHaveLeft(progress), isUnread: true, partitionKeys }))
    }
  })
}

/** An answer of a client that never read its request does not count, unless it has a status: that came from somewhere. */
function readAnswer<Answer>(output: unknown, read: (output: unknown) => Answer, progress: Progress): Answer {
  try {
    return read(output)
  } catch (error) {
    if (progress.isRead || progress.statusCode !== undefined) throw error
    const kind = output === null ? 'null' : typeof output
    throw new TypeError(`The client answered with ${kind}, and never looked at the request.`)
  }
}

/**
 * Adds observers to the command: when a client takes it, at its start, right inside the retry loop, and at the handler's
 * door.
 */
function watch<Answer>(
  command: Command,
  progress: Progress,
  { assertDestination, noteDestination, assertStream, track, onBodyFree, partitionKeys }: ExchangeOptions<Answer>,
  fail: (error: TransportError) => void
): void {
  // The commands differ in the types of input and output only, which these observers do not look at.
  const resolveMiddleware: unknown = Reflect.get(command, 'resolveMiddleware')
  if (typeof resolveMiddleware === 'function') {
    const value = (...args: readonly unknown[]): unknown => {
      progress.isTaken = true
      return Reflect.apply(resolveMiddleware, command, args)
    }
    Object.defineProperty(command, 'resolveMiddleware', { configurable: true, value })
  }
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
          // The call is over here. The client's retry strategy has no effect on it: see the door.
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
      if (assertStream !== undefined) await assertStream()
      // The caller has the result of the call; keep it so.
      if (progress.isOver) throw givenUp('AbortError', false)
      progress.isHanded = true
      if (track !== undefined && typeof args.request === 'object' && args.request !== null) {
        progress.passage = { isOpen: false, onFree: () => onBodyFree?.() }
        track(args.request, progress.passage)
      } else if (typeof args.request === 'object' && args.request !== null) {
        // Serializing and signing have read the request; from here on it is the handler that may.
        progress.isRead = false
        observe(args.request, 'body', progress, new Uint8Array(0))
      }
      const answer = await handled(() => next(args))
      if (!isAnswer(answer)) throw new TypeError('The request handler gave no response with a status.')
      noteAnswer(answer.response, progress)
      if (progress.passage === undefined && onBodyFree !== undefined) whenFree(answer.response, onBodyFree)
      return answer
    },
    { step: 'deserialize', priority: 'low', name: 'kplHandOver' }
  )
}

/** The SDK's middleware reads fields of whatever a handler throws, and hides `null` behind a TypeError of its own. */
async function handled<Answer>(handle: () => Promise<Answer>): Promise<Answer> {
  try {
    return await handle()
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null) throw thrown
    throw new Error(`The request handler threw ${textOf(thrown) || kindOf(thrown)}.`)
  }
}

/**
 * Notes when a field of something that is handed to foreign code is read: a client or a handler that fails before it looked
 * can have sent nothing. Once that was reported, the field holds `nothing`, also for code that goes on in the background.
 */
function observe(target: object, name: string, progress: Progress, nothing: object): void {
  let value: unknown = Reflect.get(target, name)
  Object.defineProperty(target, name, {
    enumerable: true,
    configurable: true,
    get: () => {
      progress.isRead = true
      return progress.isWithdrawn ? nothing : value
    },
    set: (next: unknown) => {
      value = next
    }
  })
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

/** Handlers are foreign code, whatever their types say. */
function isAnswer(answer: unknown): boolean {
  const response = fieldOf(answer, 'response')
  return typeof fieldOf(response, 'statusCode') === 'number'
}

function noteAnswer(response: unknown, progress: Progress): void {
  if (typeof response !== 'object' || response === null) return
  if ('statusCode' in response && typeof response.statusCode === 'number') progress.statusCode = response.statusCode
}

function textField(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  const field: unknown = Reflect.get(value, name)
  return typeof field === 'string' ? field : undefined
}

/**
 * The HTTP/1.1 handler of our own client: one request, one connection from the agents, one answer.
 * Invariant: a passage is `isOpen` as soon as a byte of its request may have left, TLS included, and not before; it is
 * free once nobody reads its body any more: written and answered, or the connection is gone. Nothing is retried,
 * redirected or decompressed.
 */
import { type ClientRequest, type Agent as HttpAgent, request as httpRequest, IncomingMessage } from 'node:http'
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { BODY_BYTES_PER_TURN } from '../model/limits.ts'
import type { Clock } from '../model/ports.ts'
import { collectAnswer } from './answer-collector.ts'
import { armDeadline } from './deadline.ts'
import { RepeatedAnswers } from './repeated-answers.ts'

export interface HttpDoorOptions {
  /** For PutRecords. */
  readonly data: Agents
  /** For everything else: listings that hang must not keep records from a connection. */
  readonly control: Agents
  /** For name resolution, TCP and TLS together. */
  readonly connectTimeoutMs: number
  readonly clock: Clock
}

export interface Agents {
  readonly httpAgent: HttpAgent
  readonly httpsAgent: HttpsAgent
}

/** How far a request came. Filled in by the door, read by the exchange. */
export interface Passage {
  isOpen: boolean
  /** Called once, when the body may be used for something else; perhaps never. */
  onFree: () => void
  /** Set by the door: ends the request, whatever became of it. */
  cut?: () => void
}

/** The members of the SDK's request that matter here. */
export interface SdkRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string | undefined
}

/** A response, as the SDK expects it. */
export interface SdkResponse {
  readonly statusCode: number
  readonly headers: IncomingMessage['headers']
  /** Bytes when it had to be read first. */
  readonly body: IncomingMessage | Uint8Array
}

export class HttpDoor {
  /** The SDK asks for it when it names the protocol in its user agent. */
  readonly metadata = { handlerProtocol: 'http/1.1' }
  readonly #options: HttpDoorOptions
  readonly #passages = new WeakMap<object, Passage>()
  readonly #repeatedAnswers = new RepeatedAnswers()

  constructor(options: HttpDoorOptions) {
    this.#options = options
  }

  /** Tells `passage` how far `request` came. */
  track(request: object, passage: Passage): void {
    this.#passages.set(request, passage)
  }

  /** Part of the SDK's interface. Rejects with what Node.js says of the connection. */
  async handle(request: SdkRequest, options: { abortSignal?: AbortSignal } = {}): Promise<{ response: SdkResponse }> {
    const { abortSignal } = options
    abortSignal?.throwIfAborted()
    const passage = this.#passages.get(request) ?? { isOpen: false, onFree: () => {} }
    const onAbort = (): void => passage.cut?.()
    abortSignal?.addEventListener('abort', onAbort)
    const { onFree } = passage
    passage.onFree = () => {
      abortSignal?.removeEventListener('abort', onAbort)
      onFree()
    }
    return this.pass(request, passage)
  }

  /** Sends `request`, and tells `passage` how far it came. Rejects with Node.js's error of the connection. */
  pass(request: SdkRequest, passage: Passage): Promise<{ response: SdkResponse }> {
    return new Promise((resolve, reject) => {
      const sent = this.#open(request)
      passage.cut = () => void sent.destroy(namedError('AbortError', 'The request was aborted.'))
      sent.once('socket', socket => this.#watch(socket, sent, passage))
      sent.once('response', head => {
        const answer = (body: SdkResponse['body']): void =>
          resolve({ response: { statusCode: head.statusCode ?? 0, headers: head.headers, body } })
        if (!this.#repeatedAnswers.arrived(head)) {
          answer(head)
          return
        }
        const { socket } = head
        const onRepeated = (): void => {
          socket.destroy()
          reject(namedError('RepeatedAnswer', 'An answer came a second time.'))
        }
        head.once('error', reject)
        this.#repeatedAnswers.examine(head, onRepeated, answer)
      })
      sent.on('error', reject)
      sent.once('close', () => passage.onFree())
      pour(request.body, sent)
    })
  }

  /** For the client's `streamCollector` option: reads the body of an answer. */
  async collect(body: unknown): Promise<Uint8Array> {
    const bytes = await collectAnswer(body)
    if (body instanceof IncomingMessage) this.#repeatedAnswers.note(body, bytes)
    return bytes
  }

  /** Part of the SDK's interface; the agents belong to their maker. */
  destroy(): void {}

  /** Part of the SDK's interface: nothing can be changed afterwards. */
  updateHttpClientConfig(): void {}

  /** Part of the SDK's interface. */
  httpHandlerConfigs(): object {
    return {}
  }

  #open({ protocol, hostname, port, method, path, headers }: SdkRequest): ClientRequest {
    const isData = headers['x-amz-target']?.endsWith('.PutRecords') === true
    const { httpAgent, httpsAgent } = isData ? this.#options.data : this.#options.control
    // As in a URL, an IPv6 address comes in brackets.
    const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    const common = { host, port, method, path, headers }
    return protocol === 'http:'
      ? httpRequest({ ...common, agent: httpAgent })
      : httpsRequest({ ...common, agent: httpsAgent })
  }

  /** A connection that is kept is open; a new one opens with its last handshake, or is given up. */
  #watch(socket: Socket, sent: ClientRequest, passage: Passage): void {
    const { clock, connectTimeoutMs } = this.#options
    const isTls = socket instanceof TLSSocket
    // Our agents never accept a certificate that fails, so a finished handshake is one that was authorized.
    const isNew = isTls ? !socket.authorized : socket.connecting
    if (!isNew) {
      passage.isOpen = true
      return
    }
    const timer = armDeadline(clock, clock.nowMs() + connectTimeoutMs, () =>
      sent.destroy(namedError('TimeoutError', `No connection within ${connectTimeoutMs} ms.`))
    )
    // Bytes that Node.js got before the connection was there leave after these events, never before.
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      timer.cancel()
      passage.isOpen = true
    })
    sent.once('close', () => timer.cancel())
  }
}

/** Sends the body, a chunk for each turn of the event loop. A request that is destroyed takes no more. */
function pour(body: SdkRequest['body'], sent: ClientRequest): void {
  if (body === undefined || typeof body === 'string' || body.length <= BODY_BYTES_PER_TURN) {
    sent.end(body)
    return
  }
  let at = 0
  const next = (error?: Error | null): void => {
    if (error != null) return
    const chunk = body.subarray(at, at + BODY_BYTES_PER_TURN)
    at += chunk.length
    if (at === body.length) sent.end(chunk)
    else sent.write(chunk, next)
  }
  // On its own: with the header in one write, Node.js copies the chunk to join them.
  sent.flushHeaders()
  next()
}

function namedError(name: 'AbortError' | 'TimeoutError' | 'RepeatedAnswer', message: string): Error {
  return Object.assign(new Error(message), { name })
}

/**
 * A TCP proxy in front of an HTTP/1.1 server, in process, that spoils single connections and single requests on demand.
 * It reads just enough HTTP to tell one request from the next; all bytes pass as they came, unless a toxic says other.
 * Invariant: a request reaches the server at most once; after `close` resolves there is no socket and no listener.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Clock } from '../../src/model/ports.ts'
import { realClock } from '../../src/testing/real-time.ts'
import { headEnd, messageBytes } from './http-framing.ts'
import { type Client, type RequestHead, RequestReader, waiting } from './request-reader.ts'

/** One thing done to a client: send bytes, wait, cut with RST, end with FIN, or say nothing until the client goes. */
export type Step = Buffer | ((clock: Clock) => Promise<unknown>) | 'reset' | 'end' | 'silence'

/** What happens to one request and its answer. */
export interface Toxic {
  /** Request bytes, head included, at which `reply` begins; the rest is read after it. Default: all of them. */
  readonly readBytes?: number
  /** Bytes a second at which the request is read. Default: as fast as it comes. */
  readonly readBytesPerSecond?: number
  /** Waited for between reading the request and passing it on, also when the client has gone meanwhile. */
  readonly hold?: () => Promise<unknown>
  /** Whether the server gets the request. */
  readonly isApplied: boolean
  /** What the client gets, made of the server's answer; that is empty when the server was not asked. */
  readonly reply: (answer: Buffer) => Iterable<Step>
}

/** What happens to a connection of which nothing is read as HTTP. */
export interface ConnectionToxic {
  /** Whether the client must have sent something first. */
  readonly isAfterFirstBytes: boolean
  readonly steps: readonly Step[]
}

/** A request that was read to its end. */
export interface SeenRequest {
  readonly operation: string
  /** Whether its body is the one that was signed. */
  readonly isIntact: boolean
}

export interface ChaosProxyOptions {
  readonly targetPort: number
  /** PEM texts; with them clients speak TLS to the proxy. The server is spoken to in clear text in any case. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer } | undefined
  /** Tells the time that steps take. Default: the machine's. */
  readonly clock?: Clock | undefined
}

const PASS: Toxic = { isApplied: true, reply: answer => [answer] }
const NO_ANSWER = Buffer.alloc(0)

export class ChaosProxy {
  readonly #options: ChaosProxyOptions
  readonly #clock: Clock
  readonly #clients = new Set<Client>()
  readonly #requests: SeenRequest[] = []
  #server: Server | undefined
  #port = 0
  #connectionCount = 0
  #onQuiet: (() => void)[] = []
  #onRequest: (() => void)[] = []
  /** Decides about each request once its head is read. */
  toxicFor: (operation: string) => Toxic | undefined = () => undefined
  /** Decides about each connection when it is accepted. */
  connectionToxicFor: () => ConnectionToxic | undefined = () => undefined
  /** Bytes that clients were sent and the system took. */
  sentBytes = 0

  constructor(options: ChaosProxyOptions) {
    this.#options = options
    this.#clock = options.clock ?? realClock
  }

  /** Set once `start` has resolved. */
  get port(): number {
    return this.#port
  }

  /** Connections accepted since the beginning. */
  get connectionCount(): number {
    return this.#connectionCount
  }

  get openCount(): number {
    return this.#clients.size
  }

  /** Whether the client at this port has been sent all that it gets before time passes, or the test goes on, and has read it. */
  isWaiting(port: number, readBytes: number): boolean {
    const client = [...this.#clients].find(({ raw }) => raw.remotePort === port)
    return client?.isWaiting === true && client.raw.bytesWritten === readBytes
  }

  /** Requests in the order in which they were read to their end. */
  get requests(): readonly SeenRequest[] {
    return this.#requests
  }

  /** Listens; after a `close`, on the same port as before. */
  async start(): Promise<void> {
    this.#server = createServer(raw => this.#accept(raw)).listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Cuts all connections and refuses new ones from here on. Idempotent. */
  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const { raw } of this.#clients) raw.destroy()
    await closed
  }

  /** Resolves when no client is connected. */
  async quiet(): Promise<void> {
    while (this.#clients.size > 0) await new Promise<void>(resolve => this.#onQuiet.push(resolve))
  }

  /** Resolves when this many requests were read to their end. */
  async sawRequests(count: number): Promise<void> {
    while (this.#requests.length < count) await new Promise<void>(resolve => this.#onRequest.push(resolve))
  }

  /** Ends the connections that wait for a request; resolves when their clients have closed them too. */
  async endIdle(): Promise<void> {
    const idle = [...this.#clients].filter(client => !client.isBusy)
    for (const { socket } of idle) socket.end()
    await Promise.all(idle.map(client => client.gone))
  }

  #accept(raw: Socket): void {
    const toxic = this.connectionToxicFor()
    const { tls } = this.#options
    raw.setNoDelay(true)
    const socket = tls === undefined || toxic !== undefined ? raw : new TLSSocket(raw, { ...tls, isServer: true })
    // Whatever goes wrong with a client's connection is what the tests are about.
    for (const each of [raw, socket]) each.on('error', () => {})
    const gone = new Promise<void>(resolve => raw.once('close', () => resolve()))
    const client: Client = { raw, socket, gone, isBusy: false, isWaiting: false }
    this.#connectionCount++
    this.#clients.add(client)
    void gone.then(() => this.#forget(client))
    const serving = toxic === undefined ? this.#serve(client) : this.#spoil(client, toxic)
    serving.catch(() => raw.destroy())
  }

  #forget(client: Client): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    for (const tell of this.#onQuiet.splice(0)) tell()
  }

  async #spoil(client: Client, { isAfterFirstBytes, steps }: ConnectionToxic): Promise<void> {
    if (isAfterFirstBytes) await Promise.race([once(client.raw, 'readable'), client.gone])
    await this.#run(client, steps)
  }

  /** Takes one request after the other from a connection. */
  async #serve(client: Client): Promise<void> {
    const reader = new RequestReader(client, this.#clock)
    for (let head = await reader.head(); head !== undefined; head = await reader.head()) {
      client.isBusy = true
      const isWhole = await this.#exchange(client, reader, head)
      client.isBusy = false
      if (!isWhole) return
    }
  }

  /** Returns whether the request was read to its end. */
  async #exchange(client: Client, reader: RequestReader, { operation, bytes }: RequestHead): Promise<boolean> {
    const toxic = this.toxicFor(operation) ?? PASS
    const { readBytes, readBytesPerSecond, hold, isApplied, reply } = toxic
    if (readBytes !== undefined) {
      const isThere = await reader.upTo(Math.min(readBytes, bytes))
      if (isThere) await this.#run(client, reply(NO_ANSWER))
    }
    if (!(await reader.upTo(bytes, readBytesPerSecond))) return false
    const request = reader.take(bytes)
    this.#requests.push({ operation, isIntact: isIntact(request) })
    for (const tell of this.#onRequest.splice(0)) tell()
    if (readBytes !== undefined) return true
    if (hold !== undefined) await waiting(client, hold())
    await this.#run(client, reply(isApplied ? await ask(this.#options.targetPort, request) : NO_ANSWER))
    return true
  }

  async #run(client: Client, steps: Iterable<Step>): Promise<void> {
    for (const step of steps) {
      if (client.raw.destroyed) return
      if (step === 'reset') client.raw.resetAndDestroy()
      else if (step === 'end') await drain(client, client.socket.end())
      else if (step === 'silence') await waiting(client, drain(client, client.socket))
      else if (typeof step === 'function') await waiting(client, Promise.race([step(this.#clock), client.gone]))
      else if (await send(client, step)) this.sentBytes += step.length
    }
  }
}

/** Waits until the client goes, and reads on meanwhile, or its going would not be noticed. */
function drain({ gone }: Client, socket: Socket): Promise<void> {
  socket.resume()
  return gone
}

/** Resolves once the bytes are with the system; to false when the client went before. */
function send({ socket, gone }: Client, bytes: Buffer): Promise<boolean> {
  const written = new Promise<boolean>(resolve => socket.write(bytes, error => resolve(!error)))
  return Promise.race([written, gone.then(() => false)])
}

/** Returns the server's whole answer. Rejects when there is none. */
async function ask(port: number, request: Buffer): Promise<Buffer> {
  const upstream = connect(port, '127.0.0.1')
  try {
    upstream.write(request)
    let answer = NO_ANSWER
    for await (const chunk of upstream) {
      answer = Buffer.concat([answer, chunk as Buffer])
      const end = headEnd(answer)
      if (end !== undefined && answer.length >= messageBytes(answer, end)) return answer
    }
    throw new Error('The server went away.')
  } finally {
    upstream.destroy()
  }
}

function isIntact(request: Buffer): boolean {
  const end = headEnd(request) ?? 0
  const signed = /\r\nx-amz-content-sha256: ?([0-9a-f]{64})/i.exec(request.toString('latin1', 0, end))?.[1]
  return signed === createHash('sha256').update(request.subarray(end)).digest('hex')
}

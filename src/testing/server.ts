/**
 * The fake Kinesis on a real port, so that any SDK in any language can talk to it: HTTP/1.1 and HTTP/2 on the same
 * port, in clear text or, with a key and certificate, in TLS.
 * Invariant: after `close` resolves no socket and no timer is left; the model is untouched and can be served again.
 */
import { createServer as createHttp1Server } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { OptionRules } from '../consumer/deaggregate/given-options.ts'
import type { Clock, Timer } from '../model/ports.ts'
import { FakeKinesis } from './fake-kinesis.ts'
import { FakeService } from './fake-service.ts'
import type { FaultPlan } from './fault-plan.ts'
import { assertGiven, CLOCK, FAULTS, KINESIS, PORT, TEXT } from './given.ts'
import { type HttpResponse, httpHandler } from './http-handler.ts'
import { resetSocket, sniffHttpVersion } from './port-sniffer.ts'
import { realClock } from './real-time.ts'

/** The options of `startFakeKinesisServer`. */
export interface FakeKinesisServerOptions {
  /** The address to listen on. Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** The port to listen on. Default: 0, a free port. */
  readonly port?: number | undefined
  /** PEM texts; without them the server speaks clear text. */
  readonly tls?:
    | {
        /** The private key. */
        readonly key: string | Buffer
        /** The certificate. */
        readonly cert: string | Buffer
      }
    | undefined
  /** Tells the delays of the fault plan, and the time of a model made here. Default: the machine's clock. */
  readonly clock?: Clock | undefined
  /** The model to serve, for instance one that a closed server left. Default: a new, empty one. */
  readonly kinesis?: FakeKinesis | undefined
  /** Faults of requests. Default: none. */
  readonly faults?: FaultPlan | undefined
}

const RULES: OptionRules<FakeKinesisServerOptions> = {
  host: TEXT,
  port: PORT,
  tls: {
    must: '{ key, cert }',
    isMet: value => Object(value)['key'] !== undefined && Object(value)['cert'] !== undefined
  },
  clock: CLOCK,
  kinesis: KINESIS,
  faults: FAULTS
}

/** A fake Kinesis that listens. */
export interface FakeKinesisServer {
  /** `http://127.0.0.1:4567`, or with `https` when TLS is on: the `endpoint` of an SDK client. */
  readonly endpoint: string
  /** The port that it listens on. */
  readonly port: number
  /** The model that it serves. */
  readonly kinesis: FakeKinesis
  /**
   * Cuts all connections and frees the port; idempotent.
   *
   * @example
   * const server = await startFakeKinesisServer()
   * await server.close()
   */
  close(): Promise<void>
}

/** Bytes in flight that an HTTP/2 client may send before it must wait; the default of 64 KiB would stall 5 MiB bodies. */
const HTTP2_WINDOW_BYTES = 16 * 1_048_576

/**
 * Starts a server; resolves once it listens, rejects with the system's error (EADDRINUSE, ...) when it cannot.
 * Signatures are not checked: any credentials will do. Beside the API it answers `GET /healthcheck` and `GET /_stats`
 * (JSON: the counters of every stream, shard and operation).
 *
 * @example
 * const server = await startFakeKinesisServer()
 * server.kinesis.createStream({ StreamName: 'orders', ShardCount: 4 })
 * const { endpoint } = server
 * const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
 * const producer = new KinesisProducer({ streamName: 'orders', region: 'us-east-1', endpoint, credentials })
 * await producer.put({ partitionKey: 'user-1', data: 'hello' })
 * await producer.close()
 * await server.close()
 */
export async function startFakeKinesisServer(options: FakeKinesisServerOptions = {}): Promise<FakeKinesisServer> {
  assertGiven('startFakeKinesisServer', options, RULES)
  const { host = '127.0.0.1', port = 0, tls, faults } = options
  const clock = trackingClock(options.clock ?? realClock)
  const kinesis = options.kinesis ?? new FakeKinesis({ nowMs: () => clock.nowMs() })
  const service = new FakeService(kinesis, faults, () => clock.nowMs())
  const sockets = new Set<Socket>()
  const accept = acceptor(httpHandler({ kinesis, service, clock }, resetResponse))
  const server =
    tls === undefined
      ? createTcpServer(accept)
      : createTlsServer({ key: tls.key, cert: tls.cert, ALPNProtocols: ['h2', 'http/1.1'] }, accept)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // The server ignores a client that cuts its connection.
    socket.on('error', () => {})
  })
  server.on('tlsClientError', () => {})
  const boundPort = await listen(server, port, host)
  const close = (): Promise<void> => {
    clock.cancelAll()
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    return closed
  }
  const endpoint = `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${boundPort}`
  return { endpoint, port: boundPort, kinesis, close }
}

/** Returns what takes a new connection: two HTTP servers that never listen themselves. */
function acceptor(handle: ReturnType<typeof httpHandler>): (socket: Socket) => void {
  const http1 = createHttp1Server({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, handle)
  const http2 = createHttp2Server({ settings: { initialWindowSize: HTTP2_WINDOW_BYTES } }, handle)
  http2.on('session', session => session.setLocalWindowSize?.(HTTP2_WINDOW_BYTES))
  return socket => {
    socket.setNoDelay(true)
    socket.on('error', () => {})
    sniffHttpVersion(socket, {
      onHttp1: connection => void http1.emit('connection', connection),
      onHttp2: connection => void http2.emit('connection', connection)
    })
  }
}

function resetResponse(response: HttpResponse): void {
  if ('stream' in response) response.stream.session?.destroy(new Error('reset by the fault plan'))
  else if (response.socket !== null) resetSocket(response.socket)
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** Remembers the wake-ups of one server, so that closing it leaves none behind. */
function trackingClock(clock: Clock): Clock & { cancelAll(): void } {
  const timers = new Set<Timer>()
  return {
    nowMs: () => clock.nowMs(),
    schedule: (atMs, wake) => {
      const timer = clock.schedule(atMs, () => {
        timers.delete(timer)
        wake()
      })
      timers.add(timer)
      return timer
    },
    cancelAll: () => {
      for (const timer of timers) timer.cancel()
      timers.clear()
    }
  }
}

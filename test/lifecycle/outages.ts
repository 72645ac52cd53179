/**
 * Outages on real sockets: each is something to connect to and what a producer is told beside.
 * Invariant: all that `open` starts is ended by the functions it gave to `onEnd`.
 */
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import type { ProducerOptions } from '../../src/index.ts'
import { type FaultAction, FaultPlan, type FaultRule, startFakeKinesisServer } from '../../src/testing/index.ts'

export type Ends = (end: () => unknown) => void
export type Outage = (onEnd: Ends) => Promise<ProducerOptions>

const JSON_TYPE = 'application/x-amz-json-1.1'
const CREDENTIALS = { accessKeyId: 'any', secretAccessKey: 'any' }
const BACKLOG_FILLERS = 8

/** The options without an endpoint; names are resolved nowhere, so all of it stays on this machine. */
const COMMON: ProducerOptions = { streamName: 'orders', region: 'us-east-1', credentials: CREDENTIALS }

export const OUTAGES: Readonly<Record<string, Outage>> = {
  'nobody listens': async () => ({ ...COMMON, endpoint: `http://127.0.0.1:${await freePort()}` }),
  'the connection is never taken': async onEnd => ({ ...COMMON, endpoint: await deafEndpoint(onEnd) }),
  'connections are reset at once': onEnd => tcp(onEnd, socket => socket.resetAndDestroy()),
  'connections are ended at once': onEnd => tcp(onEnd, socket => socket.end()),
  'connections are taken and never read': onEnd => tcp(onEnd, socket => socket.pause()),
  'requests are read and never answered': onEnd => fake(onEnd, { action: { kind: 'silence' } }),
  'the TLS handshake never ends': async onEnd => {
    const options = await tcp(onEnd, socket => socket.resume())
    return { ...options, endpoint: options.endpoint?.replace('http:', 'https:') }
  },
  'the answer ends after its head': onEnd =>
    http(onEnd, (request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': 1000 }).flushHeaders()
    }),
  'the answer drips, a byte at a time': onEnd =>
    http(onEnd, (request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': JSON_TYPE })
      const drip = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(drip))
    }),
  'every request fails with 500': onEnd => fake(onEnd, failing('InternalFailure', 500)),
  'every request fails with 503': onEnd => fake(onEnd, failing('ServiceUnavailable', 503)),
  'a proxy answers with 502 and a page': onEnd =>
    fake(onEnd, {
      action: { kind: 'rawAnswer', statusCode: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' }
    }),
  'a portal answers with 200 and a page': onEnd =>
    fake(onEnd, { action: { kind: 'rawAnswer', statusCode: 200, contentType: 'text/html', body: '<h1>Log in</h1>' } }),
  'every record is throttled': onEnd => fake(onEnd, putsOnly({ kind: 'throttle' })),
  'every request is throttled': onEnd => fake(onEnd, failing('LimitExceededException', 400)),
  'every record fails with InternalFailure': onEnd =>
    fake(onEnd, putsOnly({ kind: 'failRecords', errorCode: 'InternalFailure' })),
  'ListShards hangs and puts are silent': onEnd =>
    fake(onEnd, { match: { operation: 'ListShards' }, action: { kind: 'silence' } }, putsOnly({ kind: 'silence' })),
  'all but PutRecords hangs, and that is throttled': onEnd =>
    fake(
      onEnd,
      { match: { when: ({ operation }) => operation !== 'PutRecords' }, action: { kind: 'silence' } },
      putsOnly({ kind: 'throttle' })
    ),
  'the credentials never come': async onEnd => ({
    ...(await fake(onEnd)),
    credentials: () => new Promise<typeof CREDENTIALS>(() => {})
  }),
  'the credentials are refused by their provider': async onEnd => ({
    ...(await fake(onEnd)),
    credentials: () => Promise.reject(new Error('no credentials today'))
  }),
  'the key is refused': onEnd => fake(onEnd, failing('UnrecognizedClientException', 400)),
  'the HTTP handler never settles and ignores its signal': async () => ({
    ...COMMON,
    requestHandler: { handle: () => new Promise(() => {}), metadata: { handlerProtocol: 'http/1.1' } }
  }),
  'the client never settles': async () => ({ streamName: 'orders', client: { send: () => new Promise(() => {}) } })
}

function failing(errorCode: string, statusCode: number): FaultRule {
  return { action: { kind: 'failRequest', errorCode, statusCode } }
}

function putsOnly(action: FaultAction): FaultRule {
  return { match: { operation: 'PutRecords' }, action }
}

async function fake(onEnd: Ends, ...rules: FaultRule[]): Promise<ProducerOptions> {
  const server = await startFakeKinesisServer({ faults: new FaultPlan(rules) })
  onEnd(() => server.close())
  server.kinesis.createStream({ StreamName: 'orders', ShardCount: 4 })
  return { ...COMMON, endpoint: server.endpoint }
}

async function http(onEnd: Ends, handle: RequestListener): Promise<ProducerOptions> {
  const server = createServer(handle)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onEnd(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return { ...COMMON, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function tcp(onEnd: Ends, take: (socket: Socket) => void): Promise<ProducerOptions> {
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    take(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onEnd(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => server.close(resolve))
  })
  return { ...COMMON, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function freePort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** A port whose backlog is full and whose thread sleeps: a SYN to it is never answered. */
async function deafEndpoint(onEnd: Ends): Promise<string> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
     const server = require('node:net').createServer()
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port)
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
     })`,
    { eval: true }
  )
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  const fillers = Array.from({ length: BACKLOG_FILLERS }, () => connect(port, '127.0.0.1').on('error', () => {}))
  onEnd(async () => {
    for (const filler of fillers) filler.destroy()
    await worker.terminate()
  })
  return `http://127.0.0.1:${port}`
}

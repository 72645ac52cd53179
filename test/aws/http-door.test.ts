/** The HTTP handler of our own client: what it tells of a request, over clear text and over TLS. */
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, Agent as HttpAgent, type RequestListener } from 'node:http'
import { createServer as createHttpsServer, Agent as HttpsAgent } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { HttpDoor, type Passage } from '../../src/aws/http-door.ts'
import { systemClock } from '../../src/system.ts'
import { closeAll, onClose } from './fixture.ts'

afterEach(closeAll)

const key = readFileSync(new URL('../testing/self-signed-key.pem', import.meta.url))
const cert = readFileSync(new URL('../testing/self-signed-cert.pem', import.meta.url))

const echo: RequestListener = async (incoming, response) => {
  const body = await text(incoming)
  response.writeHead(200, { 'content-type': 'text/plain' }).end(`${incoming.method} ${incoming.url} ${body}`)
}

type Protocol = 'http:' | 'https:'

async function listening(protocol: Protocol, handle: RequestListener, host = '127.0.0.1'): Promise<number> {
  const server: Server & { closeAllConnections(): void } =
    protocol === 'http:' ? createHttpServer(handle) : createHttpsServer({ key, cert }, handle)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  onClose(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function openDoor(agents: { keepAlive?: boolean; maxSockets?: number; ca?: Buffer } = {}): HttpDoor {
  const { ca = cert, ...options } = agents
  const httpAgent = new HttpAgent({ keepAlive: true, ...options })
  const httpsAgent = new HttpsAgent({
    keepAlive: true,
    rejectUnauthorized: true,
    ca,
    servername: 'localhost',
    ...options
  })
  onClose(() => {
    httpAgent.destroy()
    httpsAgent.destroy()
  })
  const both = { httpAgent, httpsAgent }
  return new HttpDoor({ data: both, control: both, connectTimeoutMs: 5_000, clock: systemClock })
}

interface Passed {
  readonly answer: string
  readonly isOpen: boolean
  /** Resolves to how often the passage became free, when it did. */
  readonly freed: Promise<number>
}

/** Sends a body and reads the whole answer; an error is told by its code. */
async function pass(
  door: HttpDoor,
  protocol: Protocol,
  port: number,
  options: { readonly hostname?: string; readonly signal?: AbortSignal } = {}
): Promise<Passed> {
  let freeCount = 0
  let onFree: () => void = () => {}
  const freed = new Promise<number>(resolve => {
    onFree = () => {
      freeCount++
      setImmediate(() => resolve(freeCount))
    }
  })
  const passage: Passage = { isOpen: false, onFree }
  const { hostname = '127.0.0.1', signal } = options
  const sdkRequest = { protocol, hostname, port, method: 'POST', path: '/', headers: {}, body: Buffer.from('body') }
  door.track(sdkRequest, passage)
  const answer = await door.handle(sdkRequest, signal === undefined ? {} : { abortSignal: signal }).then(
    async ({ response }) => `${response.statusCode} ${Buffer.from(await door.collect(response.body))}`,
    (error: { code?: string; name: string }) => error.code ?? error.name
  )
  return { answer, isOpen: passage.isOpen, freed }
}

describe.each<Protocol>(['http:', 'https:'])('over %s', protocol => {
  test('a request on a new and on a kept connection is open, answered and free', async () => {
    const port = await listening(protocol, echo)
    const door = openDoor()

    const passed = [await pass(door, protocol, port), await pass(door, protocol, port)]

    expect(passed.map(({ answer, isOpen }) => [answer, isOpen])).toEqual(Array(2).fill(['200 POST / body', true]))
    expect(await Promise.all(passed.map(({ freed }) => freed))).toEqual([1, 1])
  })

  test('a request on a new connection each time is open, also when its session is resumed', async () => {
    const port = await listening(protocol, echo)
    const door = openDoor({ keepAlive: false })

    const passed = [
      await pass(door, protocol, port),
      await pass(door, protocol, port),
      await pass(door, protocol, port)
    ]

    expect(passed.map(({ answer, isOpen }) => [answer, isOpen])).toEqual(Array(3).fill(['200 POST / body', true]))
  })

  test('requests that wait for one connection are open when they get it', async () => {
    const port = await listening(protocol, echo)
    const door = openDoor({ maxSockets: 1 })

    const passed = await Promise.all([1, 2, 3, 4].map(() => pass(door, protocol, port)))

    expect(passed.map(({ answer, isOpen }) => [answer, isOpen])).toEqual(Array(4).fill(['200 POST / body', true]))
    expect(await Promise.all(passed.map(({ freed }) => freed))).toEqual([1, 1, 1, 1])
  })

  test('a request that is refused a connection was never open, and is free', async () => {
    const port = await listening(protocol, echo)
    await closeAll()

    const { answer, isOpen, freed } = await pass(openDoor(), protocol, port)

    expect([answer, isOpen, await freed]).toEqual(['ECONNREFUSED', false, 1])
  })

  test('a request whose connection is cut was open, and is free', async () => {
    const port = await listening(protocol, incoming => incoming.socket.destroy())

    const { answer, isOpen, freed } = await pass(openDoor(), protocol, port)

    expect([answer, isOpen, await freed]).toEqual(['ECONNRESET', true, 1])
  })

  test('a request that is aborted is free once its connection is gone', async () => {
    const aborter = new AbortController()
    const port = await listening(protocol, () => aborter.abort())

    const { answer, isOpen, freed } = await pass(openDoor(), protocol, port, { signal: aborter.signal })

    expect([answer, isOpen, await freed]).toEqual(['AbortError', true, 1])
  })

  test('a request that was aborted before is not made', async () => {
    const port = await listening(protocol, echo)

    const { answer, isOpen } = await pass(openDoor(), protocol, port, { signal: AbortSignal.abort() })

    expect([answer, isOpen]).toEqual([20, false])
  })
})

test('a certificate that nobody vouches for ends a request before it was open', async () => {
  const port = await listening('https:', echo)

  const { answer, isOpen } = await pass(openDoor({ ca: Buffer.alloc(0) }), 'https:', port)

  expect([answer, isOpen]).toEqual(['DEPTH_ZERO_SELF_SIGNED_CERT', false])
})

const hasIpv6 = Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'))

test.skipIf(!hasIpv6)('an IPv6 address may come in brackets, as in a URL', async () => {
  const port = await listening('http:', echo, '::1')

  const { answer } = await pass(openDoor(), 'http:', port, { hostname: '[::1]' })

  expect(answer).toBe('200 POST / body')
})

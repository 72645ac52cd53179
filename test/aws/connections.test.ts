/** What the connection does to a request: handshakes that hang, answers that come early, bodies that are still being sent. */
import { createHash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterEach, describe, expect, test } from 'vitest'
import type { WireFormat } from '../../src/aws/body-protocol.ts'
import type { PutRecordsEntry } from '../../src/model/ports.ts'
import { seededRandom } from '../../src/testing/index.ts'
import {
  closeAll,
  failure,
  failureOf,
  JSON_TYPE,
  onClose,
  putAnswer,
  rawServer,
  request,
  STREAM,
  transportTo
} from './fixture.ts'

afterEach(closeAll)

const FORMATS: readonly [WireFormat][] = [['json'], ['cbor']]
const HEAD_END = '\r\n\r\n'

/** A TCP server; each connection is given to `serve`. */
async function tcpServer(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onClose(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function megabytes(count: number, fill: string): PutRecordsEntry[] {
  return Array.from({ length: count }, (_, i) => ({ data: Buffer.alloc(1_000_000, `${fill}${i}`), partitionKey: fill }))
}

describe('a TLS handshake that hangs', () => {
  test('until the deadline stored nothing', async () => {
    const port = await tcpServer(socket => socket.resume())

    const transport = transportTo(`https://127.0.0.1:${port}`, { requestTimeoutMs: 100 })

    expect(await failureOf(transport.putRecords(request()))).toEqual(failure('TimeoutError', 'no'))
  })

  test('ends after connectTimeoutMs and stored nothing', async () => {
    const port = await tcpServer(socket => socket.resume())

    const transport = transportTo(`https://127.0.0.1:${port}`, { connectTimeoutMs: 100, requestTimeoutMs: 60_000 })

    expect(await failureOf(transport.putRecords(request()))).toEqual(failure('TimeoutError', 'no'))
  })

  test('and is aborted stored nothing', async () => {
    const aborter = new AbortController()
    const port = await tcpServer(socket => socket.once('data', () => aborter.abort()))

    const transport = transportTo(`https://127.0.0.1:${port}`)

    expect(await failureOf(transport.putRecords(request(['a'], aborter.signal)))).toEqual(failure('AbortError', 'no'))
  })

  test('under a handler of the user may have stored something, for all that is known', async () => {
    const port = await tcpServer(socket => socket.resume())
    const requestHandler = new NodeHttpHandler()
    onClose(() => requestHandler.destroy())

    const transport = transportTo(`https://127.0.0.1:${port}`, { requestHandler, requestTimeoutMs: 500 })

    expect(await failureOf(transport.putRecords(request()))).toEqual(failure('TimeoutError', 'maybe'))
  })
})

test('a connection that was closed while idle may have stored what was written to it', async () => {
  let served = 0
  const port = await tcpServer(socket => {
    socket.on('data', data => {
      if (!data.includes(HEAD_END)) return
      // The second request meets a connection that is already gone on the other side.
      if (served++ === 0) socket.write(answerText(putAnswer(1)))
      else socket.resetAndDestroy()
    })
  })
  const transport = transportTo(`http://127.0.0.1:${port}`)
  await transport.putRecords(request())

  const outcome = await failureOf(transport.putRecords(request()))

  expect(outcome).toEqual(failure('ECONNRESET', 'maybe'))
})

describe.each(FORMATS)('with an early answer to a body in %s', wireFormat => {
  test.each([
    ['success', '200 OK', putAnswer(5), undefined],
    ['a refusal', '400 Bad Request', '{"__type":"AccessDeniedException"}', 'AccessDeniedException']
  ])('of %s the rest of the body is sent as it was', async (_, status, body, errorCode) => {
    let headCount = 0
    const arrived: { readonly promised: string; readonly hash: string }[] = []
    const areAllHere = new EventEmitter()
    let resumeFirst: () => void = () => {}
    const port = await tcpServer(socket => {
      const onHead = () => {
        headCount++
        socket.write(answerText(body, status))
        // The first body stays with the client: its connection is not read for now.
        if (headCount > 1) return
        socket.pause()
        resumeFirst = () => socket.resume()
      }
      readRequests(socket, onHead, (bytes, promised) => {
        arrived.push({ promised, hash: createHash('sha256').update(bytes).digest('hex') })
        if (arrived.length === 3) areAllHere.emit('now')
      })
    })
    const transport = transportTo(`http://127.0.0.1:${port}`, { wireFormat })
    const put = (fill: string) =>
      transport.putRecords({ stream: STREAM, entries: megabytes(5, fill) }).then(
        () => undefined,
        (error: { errorCode: string }) => error.errorCode
      )

    const outcomes = [await put('first'), await put('second'), await put('third')]
    const allHere = once(areAllHere, 'now')
    resumeFirst()
    await allHere

    expect(outcomes).toEqual([errorCode, errorCode, errorCode])
    expect(arrived.map(({ hash }) => hash)).toEqual(arrived.map(({ promised }) => promised))
    expect(new Set(arrived.map(({ hash }) => hash)).size).toBe(3)
  })
})

describe.each(FORMATS)('bodies in %s', wireFormat => {
  test('are what was signed, whatever becomes of the requests', async () => {
    const random = seededRandom(7)
    const isIntact: boolean[] = []
    const { endpoint } = await rawServer((incoming, response) => {
      const hash = createHash('sha256')
      const fate = random()
      const answer = (status: number) => response.writeHead(status, { 'content-type': JSON_TYPE }).end(putAnswer(2))
      if (fate < 0.2) answer(200)
      else if (fate < 0.3) answer(400)
      incoming.on('error', () => {})
      incoming.on('data', (chunk: Buffer) => {
        hash.update(chunk)
        if (fate > 0.9) incoming.socket.resetAndDestroy()
      })
      incoming.on('end', () => {
        isIntact.push(hash.digest('hex') === incoming.headers['x-amz-content-sha256'])
        if (fate >= 0.3 && fate < 0.8) answer(fate < 0.7 ? 200 : 500)
      })
    })
    const transport = transportTo(endpoint, { wireFormat, maxInFlightRequests: 8, requestTimeoutMs: 100 })
    const put = async (index: number) => {
      for (let i = 0; i < 12; i++) {
        const bytes = Math.floor(random() * 200_000)
        const entries = [0, 1].map(part => ({ data: Buffer.alloc(bytes, `${index}.${i}.${part}`), partitionKey: 'k' }))
        await transport.putRecords({ stream: STREAM, entries }).catch(() => {})
      }
    }

    await Promise.all(Array.from({ length: 8 }, (_, index) => put(index)))

    expect(isIntact.filter(intact => !intact)).toEqual([])
    expect(isIntact.length).toBeGreaterThan(40)
  })
})

function answerText(body: string, status = '200 OK'): string {
  return [`HTTP/1.1 ${status}`, `content-type: ${JSON_TYPE}`, `content-length: ${body.length}`, '', body].join('\r\n')
}

/** Reads requests one after the other: tells of a head as soon as it is read, then the body and the hash the head promised. */
function readRequests(socket: Socket, onHead: () => void, onBody: (body: Buffer, promised: string) => void): void {
  let received: Buffer = Buffer.alloc(0)
  // Of the body; undefined in a head.
  let bodyBytes: number | undefined
  let promised = ''
  socket.on('data', (data: Buffer) => {
    received = Buffer.concat([received, data])
    // A read may hold the end of one request and the head of the next: those that were answered early.
    for (;;) {
      if (bodyBytes === undefined) {
        const headEnd = received.indexOf(HEAD_END)
        if (headEnd < 0) return
        const head = received.toString('latin1', 0, headEnd)
        bodyBytes = Number(/^content-length: (\d+)/im.exec(head)?.[1])
        received = received.subarray(headEnd + HEAD_END.length)
        promised = /^x-amz-content-sha256: (\w+)/im.exec(head)?.[1] ?? ''
        onHead()
      }
      if (received.length < bodyBytes) return
      onBody(received.subarray(0, bodyBytes), promised)
      received = received.subarray(bodyBytes)
      bodyBytes = undefined
    }
  })
}

/** Every way a call fails, against servers that really fail so. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { startFakeKinesisServer } from '../../src/testing/index.ts'
import {
  answering,
  CREDENTIALS,
  closeAll,
  failure,
  failureOf,
  JSON_TYPE,
  onClose,
  putAnswer,
  rawServer,
  request,
  transportError,
  transportOver,
  transportTo,
  userClient
} from './fixture.ts'

afterEach(closeAll)

const key = readFileSync(new URL('../testing/self-signed-key.pem', import.meta.url))
const cert = readFileSync(new URL('../testing/self-signed-cert.pem', import.meta.url))

function apiError(code: string): string {
  return JSON.stringify({ __type: code, message: 'as the service says' })
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

describe('an answer with an error', () => {
  const rows: [number, string, ReturnType<typeof failure>][] = [
    [400, apiError('ResourceNotFoundException'), failure('ResourceNotFoundException', 'no', { statusCode: 400 })],
    [
      400,
      apiError('com.amazonaws.kinesis#ProvisionedThroughputExceededException'),
      failure('ProvisionedThroughputExceededException', 'no', { statusCode: 400 })
    ],
    [400, apiError('AccessDeniedException'), failure('AccessDeniedException', 'no', { statusCode: 400 })],
    [400, apiError('aws.new#NeverSeenBefore'), failure('NeverSeenBefore', 'no', { statusCode: 400 })],
    [400, apiError('InternalFailure'), failure('InternalFailure', 'maybe', { statusCode: 400 })],
    [500, apiError('InternalFailure'), failure('InternalFailure', 'maybe', { statusCode: 500 })],
    [503, apiError('ServiceUnavailable'), failure('ServiceUnavailable', 'maybe', { statusCode: 503 })],
    [403, '<html>forbidden</html>', failure('Http403', 'no', { statusCode: 403 })],
    [413, '', failure('Http413', 'no', { statusCode: 413 })],
    [502, '<html>bad gateway</html>', failure('Http502', 'maybe', { statusCode: 502 })],
    [504, '', failure('Http504', 'maybe', { statusCode: 504 })]
  ]
  test.each(rows)('with status %i and body %s says whether something was stored', async (status, body, expected) => {
    const { endpoint } = await answering(status, body)

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect(outcome).toEqual(expected)
  })

  test.each([300, 301, 302, 303, 304, 307, 308])('with status %i, a redirect, is not followed', async statusCode => {
    const target = await answering(200, putAnswer(1))
    const { endpoint } = await answering(statusCode, '', { location: target.endpoint })

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect([outcome, target.connectionCount()]).toEqual([
      failure('UnexpectedRedirect', 'maybe', { code: 'KPL_ERR_PROTOCOL', statusCode }),
      0
    ])
  })

  test.each([
    [undefined, 'AccessDeniedException: the answer has no message'],
    [null, 'AccessDeniedException: the answer has no message'],
    ['', 'AccessDeniedException: the answer has no message'],
    ['no', 'AccessDeniedException: no'],
    ['AccessDeniedException: no', 'AccessDeniedException: no'],
    ['com.amazonaws.kinesis#AccessDeniedException: AccessDeniedException: no', 'AccessDeniedException: no'],
    ['AccessDeniedExceptions: no', 'AccessDeniedException: AccessDeniedExceptions: no']
  ])('and the message %o says its code once, and something', async (message, said) => {
    const { endpoint } = await answering(400, JSON.stringify({ __type: 'AccessDeniedException', message }))

    const error = await transportError(transportTo(endpoint).putRecords(request()))

    expect(error.message).toBe(said)
  })

  test.each([
    ['with control characters', 'cust\tomer\u0085', ''],
    ['at the end of what is shown', 'customer-of-a-shop', 'x '.repeat(509)]
  ])('never tells a partition key, also one %s', async (_, partitionKey, before) => {
    const message = `${before}${partitionKey} is bad`
    const { endpoint } = await answering(400, JSON.stringify({ __type: 'ValidationException', message }))
    const entries = [{ data: new Uint8Array(1), partitionKey }]

    const error = await transportError(transportTo(endpoint).putRecords({ ...request(), entries }))

    expect(error.message).toBe(
      before === '' ? 'ValidationException: [key] is bad' : `ValidationException: ${before}[key] ...`
    )
  })

  test('of a proxy that wants a password stored nothing', async () => {
    const { endpoint } = await answering(407, '<html></html>', {
      'proxy-authenticate': 'Basic',
      'content-type': 'text/html'
    })

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect(outcome).toEqual(failure('Http407', 'no', { statusCode: 407 }))
  })
})

describe('an answer with status 200', () => {
  const malformed = failure('MalformedAnswer', 'maybe', { code: 'KPL_ERR_PROTOCOL', statusCode: 200 })
  test.each([
    ['<html>please log in</html>'],
    [''],
    ['{}'],
    ['[]'],
    ['null'],
    ['7'],
    ['{"Records":'],
    ['{"Records":{}}'],
    ['{"Records":[null]}'],
    ['{"Records":[{"ShardId":7}]}']
  ])('and the body %s is no answer', async body => {
    const { endpoint } = await answering(200, body)

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect(outcome).toEqual(malformed)
  })

  test('and a body beyond the bound is no answer', async () => {
    const { endpoint } = await answering(200, `{"Records":[],"Padding":"${'x'.repeat(5_000_000)}"}`)

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect(outcome).toEqual(malformed)
  })

  test('and the page of a captive portal is no answer', async () => {
    const { endpoint } = await answering(200, '<html>please log in</html>', { 'content-type': 'text/html' })

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect(outcome).toEqual(malformed)
  })

  test('and a compressed body is not decompressed, and no answer', async () => {
    const body = gzipSync(putAnswer(1))
    const { endpoint } = await rawServer((incoming, response) => {
      const headers = { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' }
      incoming.resume().on('end', () => response.writeHead(200, headers).end(body))
    })

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect(outcome).toEqual(malformed)
  })

  test('and another number of records is not matched with the entries', async () => {
    const { endpoint } = await answering(200, putAnswer(1))

    const outcome = await failureOf(transportTo(endpoint).putRecords(request(['one', 'two'])))

    expect(outcome).toEqual(failure('RecordCountMismatch', 'maybe', { code: 'KPL_ERR_PROTOCOL', statusCode: 200 }))
  })

  test('that breaks off may have been stored', async () => {
    const { endpoint } = await rawServer((_, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"Records":[')
      setImmediate(() => response.destroy())
    })

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect(outcome).toEqual(failure('ECONNRESET', 'maybe', { statusCode: 200 }))
  })
})

test('an answer that breaks off is told without the advice that the SDK adds to it', async () => {
  const { endpoint } = await rawServer((_, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('{"Records":[')
    setImmediate(() => response.destroy())
  })

  const { message } = await transportError(transportTo(endpoint).putRecords(request()))

  expect(message).toBe('ECONNRESET: aborted')
})

describe('a connection', () => {
  test('that is refused stored nothing', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect(outcome).toEqual(failure('ECONNREFUSED', 'no'))
  })

  test('to a name that does not resolve stored nothing', async () => {
    const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND nowhere.invalid'), {
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo'
    })
    const requestHandler = { handle: () => Promise.reject(notFound) }

    const outcome = await failureOf(transportTo('https://nowhere.invalid', { requestHandler }).putRecords(request()))

    expect(outcome).toEqual(failure('ENOTFOUND', 'no'))
  })

  test('that is reset after the request may have stored it', async () => {
    const { endpoint } = await rawServer(incoming => {
      incoming.resume().on('end', () => incoming.socket.resetAndDestroy())
    })

    const outcome = await failureOf(transportTo(endpoint).putRecords(request()))

    expect(outcome).toEqual(failure('ECONNRESET', 'maybe'))
  })

  test('with a certificate nobody vouches for stored nothing', async () => {
    const server = await startFakeKinesisServer({ tls: { key, cert } })
    onClose(() => server.close())

    const outcome = await failureOf(transportTo(server.endpoint).putRecords(request()))

    expect(outcome).toEqual(failure('DEPTH_ZERO_SELF_SIGNED_CERT', 'no'))
  })

  test('that ends in the middle of the TLS handshake stored nothing', async () => {
    const server = createTcpServer(socket => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onClose(() => server.close())
    const { port } = server.address() as AddressInfo

    const outcome = await failureOf(transportTo(`https://127.0.0.1:${port}`).putRecords(request()))

    expect(outcome).toEqual(failure('ECONNRESET', 'no'))
  })

  test('that is not made in time stored nothing', async () => {
    const timeout = Object.assign(
      new Error('the request socket did not establish a connection with the server within the configured timeout'),
      { name: 'TimeoutError' }
    )
    const requestHandler = { handle: () => Promise.reject(timeout) }

    const outcome = await failureOf(transportTo('https://kinesis.example', { requestHandler }).putRecords(request()))

    expect(outcome).toEqual(failure('TimeoutError', 'no'))
  })
})

describe('a deadline', () => {
  test('that passes before any answer leaves it open whether something was stored', async () => {
    const { endpoint } = await rawServer(() => {})

    const outcome = await failureOf(transportTo(endpoint, { requestTimeoutMs: 80 }).putRecords(request()))

    expect(outcome).toEqual(failure('TimeoutError', 'maybe'))
  })

  test('counts for the whole answer, also when its head came and its body does not', async () => {
    const { endpoint } = await rawServer((_, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{')
    })

    const outcome = await failureOf(transportTo(endpoint, { requestTimeoutMs: 80 }).putRecords(request()))

    expect({ ...outcome, statusCode: undefined }).toEqual(failure('TimeoutError', 'maybe'))
  })

  test('that passes while credentials are awaited stored nothing, and nothing is sent later', async () => {
    const server = await answering(200, putAnswer(1))
    let give: (value: typeof CREDENTIALS) => void = () => {}
    const credentials = () => new Promise<typeof CREDENTIALS>(resolve => (give = resolve))

    const outcome = await failureOf(
      transportTo(server.endpoint, { credentials, requestTimeoutMs: 50 }).putRecords(request())
    )
    give(CREDENTIALS)
    await new Promise(resolve => setImmediate(resolve))

    expect([outcome, server.connectionCount()]).toEqual([failure('CredentialsProviderError', 'no'), 0])
  })
})

describe('a signal', () => {
  test('that fired before the call stores nothing', async () => {
    const server = await answering(200, putAnswer(1))

    const outcome = await failureOf(transportTo(server.endpoint).putRecords(request(['a'], AbortSignal.abort())))

    expect([outcome, server.connectionCount()]).toEqual([failure('AbortError', 'no'), 0])
  })

  test('that fires while an answer is awaited leaves it open whether something was stored', async () => {
    const aborter = new AbortController()
    const { endpoint } = await rawServer(() => aborter.abort())

    const outcome = await failureOf(transportTo(endpoint).putRecords(request(['a'], aborter.signal)))

    expect(outcome).toEqual(failure('AbortError', 'maybe'))
  })

  test('does not hold on to a call that is over', async () => {
    const { endpoint } = await answering(200, putAnswer(1))
    const listeners = new Set<unknown>()
    const { signal } = new AbortController()
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners.add(args[1])
      addEventListener.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners.delete(args[1])
      removeEventListener.apply(signal, args)
    }

    await transportTo(endpoint).putRecords(request(['a'], signal))

    expect(listeners.size).toBe(0)
  })
})

test('a credential provider that fails stored nothing and keeps its name', async () => {
  const { endpoint } = await answering(200, putAnswer(1))
  const credentials = () => Promise.reject(Object.assign(new Error('no profile'), { name: 'CredentialsProviderError' }))

  const outcome = await failureOf(transportTo(endpoint, { credentials }).putRecords(request()))

  expect(outcome).toEqual(failure('CredentialsProviderError', 'no'))
})

test('a client of another make that says nothing of its progress is believed in nothing', async () => {
  const client = {
    send: async ({ input }: { input: object }) => {
      throw Object.assign(new Error('something went wrong'), { input })
    }
  }

  const outcome = await failureOf(transportOver(client).putRecords(request()))

  expect(outcome).toEqual(failure('Error', 'maybe'))
})

test.each([
  ['an error of the service', () => answering(400, apiError('ValidationException'))],
  ['an error page', () => answering(500, '<html></html>')],
  ['a malformed answer', () => answering(200, '{"Records":')],
  ['a reset', () => rawServer(incoming => incoming.socket.destroy())]
])('after %s the error holds no payload and no credentials', async (_, start) => {
  const { endpoint } = await start()
  const canary = 'CANARY-PAYLOAD'

  const errors = await Promise.all([
    transportError(transportTo(endpoint).putRecords(request([canary]))),
    transportError(transportOver(userClient(endpoint, { maxAttempts: 1 })).putRecords(request([canary])))
  ])

  const text = inspect(errors, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null })
  const secrets = [canary, btoa(canary), ...Object.values(CREDENTIALS), 'AWS4-HMAC']
  expect(secrets.filter(secret => text.includes(secret))).toEqual([])
})

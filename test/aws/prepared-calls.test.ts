/** PutRecords without the SDK's middleware: the same requests, the same outcomes, and when the SDK is asked again. */
import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { SdkRequest } from '../../src/aws/http-door.ts'
import { PreparedRequest } from '../../src/aws/prepared-request.ts'
import type { PutRecordsResponse, Transport } from '../../src/model/ports.ts'
import { systemClock } from '../../src/system.ts'
import {
  CREDENTIALS,
  closeAll,
  JSON_TYPE,
  onClose,
  putAnswer,
  rawServer,
  request,
  STREAM,
  transportError,
  transportTo
} from './fixture.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await closeAll()
})

/** Requests that went through the SDK's middleware. */
let sdkCount = 0

beforeEach(() => {
  sdkCount = 0
  const { resolveMiddleware } = PutRecordsCommand.prototype
  vi.spyOn(PutRecordsCommand.prototype, 'resolveMiddleware').mockImplementation(function (this: never, ...args) {
    sdkCount++
    return Reflect.apply(resolveMiddleware, this, args)
  })
})

interface Seen {
  readonly headers: Record<string, string>
  readonly body: Buffer
}

/** A server that answers request n as `answers[n]` says, the last one for all that follow; it keeps what it saw. */
async function serverOf(...answers: RequestListener[]): Promise<{ endpoint: string; seen: Seen[] }> {
  const seen: Seen[] = []
  const { endpoint } = await rawServer(async (incoming, response) => {
    const body = await buffer(incoming)
    const answer = answers[Math.min(seen.length, answers.length - 1)]!
    seen.push({ headers: textsOf(incoming.headers), body })
    answer(incoming, response)
  })
  return { endpoint, seen }
}

const good: RequestListener = (_, response) =>
  void response.writeHead(200, { 'content-type': JSON_TYPE }).end(putAnswer(1))

/** Puts one record; a form that its request gave is there afterwards. */
async function put(transport: Transport, text = 'payload', stream = STREAM): Promise<PutRecordsResponse> {
  const response = await transport.putRecords({ ...request([text]), stream })
  await new Promise(setImmediate)
  return response
}

function textsOf(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

describe('a request after the first', () => {
  test.each(['json', 'cbor'] as const)('is the one that the SDK would have made, in %s', async wireFormat => {
    const { endpoint, seen } = await serverOf(good)
    const ours = transportTo(endpoint, { wireFormat })
    await put(ours, 'one')
    await put(ours, 'another one')
    const theirs = transportTo(endpoint, { wireFormat })
    await put(theirs, 'another one')

    const [, mine, sdk] = seen.map(constantOf)

    expect([sdkCount, mine]).toEqual([2, sdk])
  })

  test('has the signature that the SDK gives, from whichever request the form was made', async () => {
    const { endpoint, seen } = await serverOf(good)
    await transportTo(endpoint).putRecords(request(['one']))
    await transportTo(endpoint).putRecords(request(['another one']))
    const [first, second] = seen.map(({ headers, body }) => ({ headers: signedOnly(headers), body }))
    const form = PreparedRequest.of(sdkRequest(first!), CREDENTIALS)

    const filled = form?.fill({
      body: second!.body,
      digest: second!.headers['x-amz-content-sha256']!,
      longDate: second!.headers['x-amz-date']!,
      invocationId: second!.headers['amz-sdk-invocation-id']!
    })

    expect([filled?.headers, form?.destination]).toEqual([second!.headers, 'kinesis.example:443'])
  })

  test('answers as the first, and its memory is used again', async () => {
    const { endpoint, seen } = await serverOf(good)
    const transport = transportTo(endpoint)

    const answers: unknown[] = []
    for (const text of ['a', 'b', 'c']) answers.push(await put(transport, text.repeat(20_000)))

    const datas = seen.map(({ body }) => JSON.parse(String(body)).Records[0].Data)
    expect(datas).toEqual(['a', 'b', 'c'].map(text => btoa(text.repeat(20_000))))
    expect([sdkCount, answers[1], answers[2]]).toEqual([1, answers[0], answers[0]])
  })
})

describe('the SDK makes the next request', () => {
  test('after one that failed', async () => {
    const bad: RequestListener = (_, response) => void response.writeHead(500).end()
    const { endpoint } = await serverOf(good, bad, good)
    const transport = transportTo(endpoint)
    await put(transport)
    await transportError(transport.putRecords(request()))

    const counts = [sdkCount]
    for (let i = 0; i < 2; i++) {
      await put(transport)
      counts.push(sdkCount)
    }

    expect(counts).toEqual([1, 2, 2])
  })

  test('once the credentials are others, and the one after that is signed with them', async () => {
    const { endpoint, seen } = await serverOf(good)
    let credentials = CREDENTIALS
    // About to expire, so that the SDK asks for others each time.
    const provider = async () => ({ ...credentials, expiration: new Date(Date.now() + 10_000) })
    const transport = transportTo(endpoint, { credentials: provider })
    await put(transport)
    await put(transport)
    credentials = { accessKeyId: 'AKIDOTHER', secretAccessKey: 'other', sessionToken: 'other-token' }

    await put(transport)
    await put(transport)

    const keys = seen.map(({ headers }) => /Credential=(\w+)/.exec(headers['authorization']!)?.[1])
    const tokens = seen.map(({ headers }) => headers['x-amz-security-token'])
    expect([sdkCount, keys, tokens]).toEqual([
      2,
      ['AKIDCANARYKEY', 'AKIDCANARYKEY', 'AKIDOTHER', 'AKIDOTHER'],
      ['canary-token', 'canary-token', 'other-token', 'other-token']
    ])
  })

  test.each([
    ['secret', { secretAccessKey: 'renewed' }],
    ['token', { sessionToken: 'renewed' }],
    ['account, which is part of the host name', { accountId: '123456789012' }]
  ])('once a provider that fills one object again and again gives another %s', async (_, renewed) => {
    const { endpoint } = await serverOf(good)
    const credentials = { ...CREDENTIALS, expiration: new Date(Date.now() + 10_000) }
    const transport = transportTo(endpoint, { credentials: async () => credentials })
    await put(transport)
    await put(transport)
    const before = sdkCount

    Object.assign(credentials, renewed)
    await put(transport)

    expect([before, sdkCount]).toEqual([1, 2])
  })

  test('to another stream', async () => {
    const { endpoint, seen } = await serverOf(good)
    const transport = transportTo(endpoint)
    for (const streamName of ['one', 'other', 'one', 'other']) await put(transport, 'payload', { streamName })

    const names = seen.map(({ body }) => JSON.parse(String(body)).StreamName)

    expect([sdkCount, names]).toEqual([2, ['one', 'other', 'one', 'other']])
  })

  test('while somebody else stands in for its send', async () => {
    const { endpoint } = await serverOf(good)
    const transport = transportTo(endpoint)
    await put(transport)
    const stub = { FailedRecordCount: 0, Records: [{ ShardId: 'stub', SequenceNumber: '7' }] }
    vi.spyOn(KinesisClient.prototype, 'send').mockImplementation((async () => stub) as never)

    const { records } = await put(transport)

    expect(records.map(({ shardId }) => shardId)).toEqual(['stub'])
  })

  test.each<[string, () => void]>([
    ['a spy watches', () => vi.spyOn(KinesisClient.prototype, 'send')],
    ['a tracer that marks its work wraps', () => wrapSend({ __wrapped: true })],
    ['a tracer that leaves no mark wraps', () => wrapSend({})]
  ])('each time while %s its send, from before there was a client', async (_, stepIn) => {
    stepIn()
    const { endpoint } = await serverOf(good)
    const transport = transportTo(endpoint)

    for (let i = 0; i < 2; i++) await put(transport)

    expect(sdkCount).toBe(2)
  })

  test('each time in a Lambda function, whose requests carry the trace of their invocation', async () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'f')
    const { endpoint, seen } = await serverOf(good)
    const transport = transportTo(endpoint)
    for (const trace of ['Root=1', 'Root=2']) {
      vi.stubEnv('_X_AMZN_TRACE_ID', trace)
      await put(transport)
    }

    const traces = seen.map(({ headers }) => headers['x-amzn-trace-id'])

    expect([sdkCount, traces]).toEqual([2, ['Root=1', 'Root=2']])
  })
})

describe('a form is not made', () => {
  const headers = {
    host: 'kinesis.example',
    'x-amz-date': '20261128T013000Z',
    'x-amz-content-sha256': '0'.repeat(64),
    'content-length': '3',
    'amz-sdk-invocation-id': 'id',
    authorization: `AWS4-HMAC-SHA256 Credential=AKIDCANARYKEY/20261128/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`
  }

  test.each<[string, Partial<SdkRequest>]>([
    ['of a signature that is not the one made here', { headers }],
    ['of a request with a header that nobody knows', { headers: { ...headers, traceparent: '00' } }],
    ['of a request that is not signed', { headers: { host: 'kinesis.example' } }],
    ['of a request to a path', { headers, path: '/proxy/' }]
  ])('%s', (_, more) => {
    const form = PreparedRequest.of({ ...sdkRequest({ headers, body: Buffer.from('{}') }), ...more }, CREDENTIALS)

    expect(form).toBe(undefined)
  })
})

describe('a request after the first fails as the first does', () => {
  const answers: [string, RequestListener][] = [
    ['a refusal', said(400, '{"__type":"ResourceNotFoundException","message":"Stream orders not found, key key"}')],
    ['a refusal of credentials', said(400, '{"__type":"ExpiredTokenException","message":"expired"}')],
    ['a fault of the service', said(500, '{"__type":"InternalFailure"}')],
    ['a page of something between', said(502, '<html>bad gateway</html>', 'text/html')],
    ['a redirect', said(301, '')],
    ['an answer that is no JSON', said(200, '{')],
    ['an answer with too few records', said(200, putAnswer(2))],
    [
      'an error in CBOR',
      said(400, Buffer.from('a2665f5f747970656141676d6573736167656142', 'hex'), 'application/x-amz-cbor-1.1')
    ],
    ['a reset', incoming => void incoming.socket.destroy()],
    [
      'an answer that breaks off',
      (incoming, response) => {
        response.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': 100 }).write('{"Records":')
        setImmediate(() => incoming.socket.destroy())
      }
    ]
  ]

  test.each(answers)('%s', async (_, answer) => {
    const { endpoint } = await serverOf(good, answer)
    const cold = await serverOf(answer)
    const transport = transportTo(endpoint)
    await put(transport)

    const failures = [
      await transportError(transport.putRecords(request())),
      await transportError(transportTo(cold.endpoint).putRecords(request()))
    ]

    const [prepared, sdk] = failures.map(({ code, errorCode, statusCode, persisted, message, cause }) => [
      { code, errorCode, statusCode, persisted, message, cause }
    ])
    expect([sdkCount, prepared]).toEqual([2, sdk])
  })

  test.each<[string, 'no' | 'maybe', (abort: () => void) => RequestListener]>([
    ['AbortError', 'maybe', abort => () => abort()],
    ['TimeoutError', 'maybe', () => () => {}]
  ])('%s', async (errorCode, persisted, answer) => {
    const aborter = new AbortController()
    const { endpoint } = await serverOf(
      good,
      answer(() => aborter.abort())
    )
    const transport = transportTo(endpoint, { requestTimeoutMs: errorCode === 'TimeoutError' ? 300 : 5_000 })
    await put(transport)

    const failure = await transportError(transport.putRecords(request(['payload'], aborter.signal)))

    expect([failure.errorCode, failure.persisted, sdkCount]).toEqual([errorCode, persisted, 1])
  })

  test('sends nothing once it was aborted before its turn', async () => {
    const { endpoint, seen } = await serverOf(good)
    const aborter = new AbortController()
    const transport = transportTo(endpoint)
    await put(transport)

    const call = transport.putRecords(request(['payload'], aborter.signal))
    aborter.abort()
    const { errorCode, persisted } = await transportError(call)

    expect([errorCode, persisted, seen.length]).toEqual(['AbortError', 'no', 1])
  })
})

test('a machine whose clock is wrong signs with the clock of the service', async () => {
  const serviceDate = 'Sat, 28 Nov 2026 12:00:00 GMT'
  const { endpoint, seen } = await serverOf((_, response) => {
    response.writeHead(200, { 'content-type': JSON_TYPE, date: serviceDate }).end(putAnswer(1))
  })
  const transport = transportTo(endpoint, { clock: systemClock })
  for (let i = 0; i < 3; i++) await put(transport)

  const hours = seen.map(({ headers }) => headers['x-amz-date']?.slice(0, 11))

  expect([sdkCount, hours.slice(1)]).toEqual([1, ['20261128T12', '20261128T12']])
})

function wrapSend(mark: object): void {
  const { send } = KinesisClient.prototype
  const wrapper = function (this: KinesisClient, ...args: Parameters<typeof send>): unknown {
    return Reflect.apply(send, this, args)
  }
  KinesisClient.prototype.send = Object.assign(wrapper, mark) as never
  onClose(() => Reflect.deleteProperty(KinesisClient.prototype, 'send'))
}

function said(status: number, body: string | Buffer, type = JSON_TYPE): RequestListener {
  return (_, response) => void response.writeHead(status, { 'content-type': type }).end(body)
}

/** What does not differ between two requests with one body. */
function constantOf({ headers, body }: Seen): object {
  const constant = Object.entries(headers).filter(([name]) => name !== 'amz-sdk-invocation-id')
  const masked = constant.map(([name, text]) => [
    name,
    name === 'x-amz-date' ? text.slice(0, 8) : text.replace(/Signature=\w{64}$/, 'Signature=')
  ])
  return { headers: Object.fromEntries(masked), body: String(body) }
}

/** Without the header that Node.js adds. */
function signedOnly({ connection: _, ...headers }: Record<string, string>): Record<string, string> {
  return headers
}

function sdkRequest({ headers, body }: Seen): SdkRequest {
  return { protocol: 'https:', hostname: 'kinesis.example', method: 'POST', path: '/', headers, body }
}

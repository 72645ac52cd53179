/** Credentials that are late, expired or refused, and a clock that is wrong. */
import { afterEach, describe, expect, test } from 'vitest'
import { CREDENTIALS_TIMEOUT_MS } from '../../src/aws/credential-guard.ts'
import { VirtualClock } from '../../src/testing/index.ts'
import {
  CREDENTIALS,
  closeAll,
  failure,
  failureOf,
  JSON_TYPE,
  putAnswer,
  rawServer,
  request,
  transportTo
} from './fixture.ts'

afterEach(closeAll)

const REFUSED = (code: string) => failure(code, 'no', { statusCode: 400 })
const TIMED_OUT = failure('CredentialsProviderError', 'no')

/** A server that knows one session token; whoever comes with another is answered with `code`. */
async function knowing(
  token: () => string,
  code = 'ExpiredTokenException'
): Promise<{ endpoint: string; tokens: string[] }> {
  const tokens: string[] = []
  const { endpoint } = await rawServer((incoming, response) => {
    const sent = String(incoming.headers['x-amz-security-token'])
    tokens.push(sent)
    const isKnown = sent === token()
    const body = isKnown ? putAnswer(1) : JSON.stringify({ __type: code, message: 'as the service says' })
    incoming.resume().on('end', () => response.writeHead(isKnown ? 200 : 400, { 'content-type': JSON_TYPE }).end(body))
  })
  return { endpoint, tokens }
}

/** A provider of numbered tokens. */
function numbered(): { readonly provider: () => Promise<typeof CREDENTIALS>; readonly callCount: () => number } {
  let callCount = 0
  const provider = () => Promise.resolve({ ...CREDENTIALS, sessionToken: `token-${++callCount}` })
  return { provider, callCount: () => callCount }
}

function settled(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'stored',
    (error: { errorCode: string }) => error.errorCode
  )
}

describe('a credentials provider', () => {
  test('is asked once for many requests', async () => {
    const { provider, callCount } = numbered()
    const { endpoint } = await knowing(() => 'token-1')
    const transport = transportTo(endpoint, { credentials: provider })

    const outcomes = await Promise.all(Array.from({ length: 10 }, () => settled(transport.putRecords(request()))))

    expect([new Set(outcomes), callCount()]).toEqual([new Set(['stored']), 1])
  })

  test('may give them without a promise, or throw', async () => {
    const { endpoint } = await knowing(() => CREDENTIALS.sessionToken)
    const down = () => {
      throw Object.assign(new Error('down'), { name: 'CredentialsProviderError' })
    }

    const outcomes = await Promise.all(
      [() => CREDENTIALS as never, down].map(credentials =>
        settled(transportTo(endpoint, { credentials }).putRecords(request()))
      )
    )

    expect(outcomes).toEqual(['stored', 'CredentialsProviderError'])
  })

  test('that hangs is given five seconds, and nothing is sent', async () => {
    const clock = new VirtualClock()
    const { endpoint, tokens } = await knowing(() => 'token-1')
    const credentials = () => new Promise<never>(() => {})
    const transport = transportTo(endpoint, { credentials, clock, requestTimeoutMs: 60_000 })

    const outcomes = [1, 2].map(() => failureOf(transport.putRecords(request())))
    await turned()
    clock.advanceTo(CREDENTIALS_TIMEOUT_MS)

    expect([await Promise.all(outcomes), tokens]).toEqual([[TIMED_OUT, TIMED_OUT], []])
  })

  test('that hung is asked again for the next request', async () => {
    const clock = new VirtualClock()
    const { endpoint } = await knowing(() => CREDENTIALS.sessionToken)
    let callCount = 0
    const credentials = () => (callCount++ === 0 ? new Promise<never>(() => {}) : Promise.resolve(CREDENTIALS))
    const transport = transportTo(endpoint, { credentials, clock, requestTimeoutMs: 60_000 })
    const first = failureOf(transport.putRecords(request()))
    await turned()
    clock.advanceTo(CREDENTIALS_TIMEOUT_MS)

    const outcomes = [await first, await settled(transport.putRecords(request()))]

    expect(outcomes).toEqual([TIMED_OUT, 'stored'])
  })
})

describe.each([
  ['ExpiredTokenException'],
  ['UnrecognizedClientException'],
  ['InvalidClientTokenId'],
  ['MissingAuthenticationToken']
])('credentials that are refused with %s', code => {
  test('are renewed once, however many requests were refused, and the next request has the new ones', async () => {
    const { provider, callCount } = numbered()
    const { endpoint, tokens } = await knowing(() => 'token-2', code)
    const transport = transportTo(endpoint, { credentials: provider, maxInFlightRequests: 8 })

    const refused = await Promise.all(Array.from({ length: 8 }, () => failureOf(transport.putRecords(request()))))
    const stored = await settled(transport.putRecords(request()))

    expect([refused, stored, callCount(), tokens.at(-1)]).toEqual([
      Array(8).fill(REFUSED(code)),
      'stored',
      2,
      'token-2'
    ])
  })
})

describe('credentials', () => {
  test('are renewed again when the new ones are refused as well', async () => {
    const { provider } = numbered()
    const { endpoint } = await knowing(() => 'token-3')
    const transport = transportTo(endpoint, { credentials: provider })

    const outcomes = []
    for (let i = 0; i < 4; i++) outcomes.push(await settled(transport.putRecords(request())))

    expect(outcomes).toEqual(['ExpiredTokenException', 'ExpiredTokenException', 'stored', 'stored'])
  })

  test('are not renewed for other refusals', async () => {
    const { provider, callCount } = numbered()
    const { endpoint } = await knowing(() => 'never', 'AccessDeniedException')
    const transport = transportTo(endpoint, { credentials: provider })

    for (let i = 0; i < 3; i++) await failureOf(transport.putRecords(request()))

    expect(callCount()).toBe(1)
  })

  test('that were good are kept when renewing them fails', async () => {
    let token = 'token-1'
    let callCount = 0
    const credentials = () =>
      callCount++ === 0
        ? Promise.resolve({ ...CREDENTIALS, sessionToken: 'token-1' })
        : Promise.reject(new Error('down'))
    const { endpoint } = await knowing(() => token)
    const transport = transportTo(endpoint, { credentials })

    const before = await settled(transport.putRecords(request()))
    token = 'another'
    const refused = [await settled(transport.putRecords(request())), await settled(transport.putRecords(request()))]
    token = 'token-1'
    const after = await settled(transport.putRecords(request()))

    expect([before, refused, after]).toEqual(['stored', ['ExpiredTokenException', 'ExpiredTokenException'], 'stored'])
  })

  test('that do not change may be refused all the same', async () => {
    const { endpoint, tokens } = await knowing(() => 'another')
    const transport = transportTo(endpoint)

    const outcomes = [
      await failureOf(transport.putRecords(request())),
      await failureOf(transport.putRecords(request()))
    ]

    expect([outcomes, tokens]).toEqual([
      [REFUSED('ExpiredTokenException'), REFUSED('ExpiredTokenException')],
      [CREDENTIALS.sessionToken, CREDENTIALS.sessionToken]
    ])
  })
})

describe('a clock that is wrong', () => {
  test('costs one request: the service says the time, and the next is signed with it', async () => {
    const serverMs = Date.UTC(2035, 0, 1)
    const { endpoint } = await rawServer((incoming, response) => {
      const isInTime = Math.abs(signedAtMs(incoming.headers['x-amz-date']) - serverMs) < 300_000
      const headers = { date: new Date(serverMs).toUTCString(), 'content-type': JSON_TYPE }
      const body = isInTime ? putAnswer(1) : '{"__type":"RequestTimeTooSkewed"}'
      incoming.resume().on('end', () => response.writeHead(isInTime ? 200 : 403, headers).end(body))
    })
    const transport = transportTo(endpoint)

    const outcomes = []
    for (let i = 0; i < 3; i++) outcomes.push(await settled(transport.putRecords(request())))

    expect(outcomes).toEqual(['RequestTimeTooSkewed', 'stored', 'stored'])
  })
})

/** `20350101T000000Z`, as the signature has it. */
function signedAtMs(header: string | string[] | undefined): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(header)) ?? []
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
}

/** Everything that is due has run, the SDK's chain of promises too. */
async function turned(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
}

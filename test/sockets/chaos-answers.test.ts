/** Answers that are not the service's, or not whole: whatever may have been stored is sent again, and said to be so. */
import { describe, expect, test } from 'vitest'
import { httpAnswer } from './http-framing.ts'
import { again, CLEAN, failed, openWorld, type Scenario, testEach } from './scenario.ts'
import {
  answerWith,
  copied,
  earlyAnswer,
  endAfterHead,
  endless,
  type Fate,
  resetAfterAnswerBytes,
  truncate,
  twice,
  wrongLength
} from './toxics.ts'

const HTML = { 'content-type': 'text/html' }
const LOGIN_PAGE = httpAnswer('200 OK', '<html>Please log in.</html>', HTML)
const PROXY_PAGE = httpAnswer('407 Proxy Authentication Required', '<html>Who are you?</html>', HTML)
const FATES: readonly { readonly fate: Fate; readonly copies: number; readonly also: string }[] = [
  { fate: 'applied', copies: 2, also: 'although the request was applied' },
  { fate: 'lost', copies: 1, also: 'and the request was not applied' }
]

describe('an answer that is no answer of the service', () => {
  testEach(
    FATES.flatMap(({ fate, copies, also }): Scenario[] => [
      {
        name: `a captive portal's page with status 200, ${also}`,
        toxics: [answerWith(fate, LOGIN_PAGE)],
        expected: again('MalformedAnswer', copies)
      },
      {
        name: `an empty answer with status 200, ${also}`,
        toxics: [answerWith(fate, httpAnswer('200 OK', ''))],
        expected: again('MalformedAnswer', copies)
      },
      {
        name: `status 204, ${also}`,
        toxics: [answerWith(fate, httpAnswer('204 No Content', ''))],
        expected: again('MalformedAnswer', copies)
      },
      {
        name: `malformed JSON, ${also}`,
        toxics: [answerWith(fate, httpAnswer('200 OK', '{"FailedRecordCount":0,"Records":['))],
        expected: again('MalformedAnswer', copies)
      },
      {
        name: `an answer about more records than were sent, ${also}`,
        toxics: [answerWith(fate, httpAnswer('200 OK', '{"Records":[{},{}]}'))],
        expected: again('RecordCountMismatch', copies)
      },
      {
        name: `an answer that says it is compressed, ${also}`,
        toxics: [answerWith(fate, httpAnswer('200 OK', '\u001f\u008b', { 'content-encoding': 'gzip' }))],
        expected: again('MalformedAnswer', copies)
      },
      {
        name: `a redirect to where nobody is, ${also}`,
        toxics: [answerWith(fate, httpAnswer('302 Found', '', { location: 'http://127.0.0.1:1/' }))],
        expected: again('UnexpectedRedirect', copies)
      },
      {
        name: `a gateway's error page, ${also}`,
        toxics: [answerWith(fate, httpAnswer('502 Bad Gateway', '<html>Sorry.</html>', HTML))],
        expected: again('Http502', copies)
      },
      {
        name: `bytes that are no HTTP keep their code, ${also}`,
        toxics: [answerWith(fate, Buffer.from('\u0000\u0001 what?\r\n\r\n'))],
        expected: again('HPE_INVALID_CONSTANT', copies)
      }
    ])
  )

  testEach([
    {
      name: 'a login page for ever: the records fail in time and may be stored',
      options: { recordTtlMs: 300 },
      forever: answerWith('lost', LOGIN_PAGE),
      expected: failed('KPL_ERR_EXPIRED maybe', 'MalformedAnswer')
    },
    {
      name: 'a proxy that wants to be logged in to stored nothing, and says so for certain',
      toxics: [answerWith('lost', PROXY_PAGE)],
      expected: again('Http407')
    },
    {
      name: 'a proxy that wants to be logged in to for ever: the records fail and are certainly not stored',
      options: { recordTtlMs: 300 },
      forever: answerWith('lost', PROXY_PAGE),
      expected: failed('KPL_ERR_EXPIRED no', 'Http407')
    },
    {
      name: 'a head that never ends keeps its code',
      toxics: [answerWith('applied', httpAnswer('200 OK', '{}', { 'x-padding': 'x'.repeat(100_000) }))],
      expected: again('HPE_HEADER_OVERFLOW', 2)
    },
    {
      name: 'a switch to another protocol is not waited for beyond the timeout',
      options: { requestTimeoutMs: 400 },
      toxics: [
        answerWith('applied', httpAnswer('101 Switching Protocols', '', { connection: 'upgrade', upgrade: 'x' }))
      ],
      expected: again('TimeoutError', 2)
    }
  ])

  test.each(['301 Moved Permanently', '302 Found', '307 Temporary Redirect', '308 Permanent Redirect'])(
    'a redirect is never followed: %s',
    async status => {
      const elsewhere = await openWorld()
      const world = await openWorld()
      await world.warm()
      const location = `http://127.0.0.1:${elsewhere.proxy.port}/`
      world.spoil([answerWith('lost', httpAnswer(status, '', { location }))])
      world.put(8)
      await world.producer.flush()

      const outcome = await world.outcome()

      expect([outcome, elsewhere.proxy.connectionCount]).toEqual([{ ...CLEAN, ...again('UnexpectedRedirect') }, 0])
    }
  )
})

test('a refusal that comes before the request was read is believed, and each half goes by itself', async () => {
  const world = await openWorld({
    aggregationEnabled: false,
    collectionMaxShardBytes: 5_242_880,
    rateLimitPercent: 1_000_000,
    recordMaxBufferedTimeMs: 60_000
  })
  await world.warm()
  const refusal = httpAnswer('413 Content Too Large', '', { connection: 'close' })
  world.spoil([earlyAnswer(1_000, refusal, 'end')])
  world.put(4, 1_000_000)
  await world.producer.flush()

  const outcome = await world.outcome()

  expect(outcome).toEqual({ ...CLEAN, acknowledged: 4, histories: ['Http413, stored'], requests: 3 })
})

describe('an answer without an end', () => {
  test.each([
    ['200 OK', 'applied', again('MalformedAnswer', 2)],
    ['400 Bad Request', 'lost', again('Http400')],
    ['500 Internal Server Error', 'applied', again('Http500', 2)]
  ] as const)('is cut at 4 MiB: %s', async (status, fate, expected) => {
    const world = await openWorld()
    await world.warm()
    world.spoil([endless(fate, status)])
    world.put(8)
    await world.producer.flush()

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, ...expected })
    // What the system holds for a reader that has gone is not the reader's.
    expect(world.proxy.sentBytes).toBeLessThan(16 * 1_048_576)
  })
})

describe('an answer that breaks off after the request was applied', () => {
  testEach([
    { name: 'with an end before its last bytes', toxics: [truncate(20)], expected: again('ECONNRESET', 2) },
    { name: 'with an end after its head', toxics: [endAfterHead()], expected: again('ECONNRESET', 2) },
    { name: 'with a reset in its head', toxics: [resetAfterAnswerBytes(30)], expected: again('ECONNRESET', 2) },
    { name: 'with a reset in its body', toxics: [resetAfterAnswerBytes(220)], expected: again('ECONNRESET', 2) },
    {
      name: 'with an end that might be the right one, as no length was said',
      toxics: [answerWith('applied', Buffer.from('HTTP/1.1 200 OK\r\n\r\n{"Records":[{"Sha'), 'end')],
      expected: again('MalformedAnswer', 2)
    },
    {
      name: 'with an end in a chunk',
      toxics: [
        answerWith('applied', Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{"Re'), 'end')
      ],
      expected: again('ECONNRESET', 2)
    },
    {
      name: 'with a chunk that has no size',
      toxics: [answerWith('applied', Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'))],
      expected: again('ECONNRESET', 2)
    },
    {
      name: 'with fewer bytes than it said, and an open connection',
      options: { requestTimeoutMs: 400 },
      toxics: [wrongLength(10)],
      expected: again('TimeoutError', 2)
    },
    { name: 'with more bytes than it said', toxics: [wrongLength(-10)], expected: again('MalformedAnswer', 2) }
  ])
})

describe('an answer that comes twice', () => {
  testEach([{ name: 'in one piece counts once', toxics: [twice()], expected: {} }])

  test('leaves its connection unfit for the next request', async () => {
    const world = await openWorld()
    await world.warm()
    world.spoil([twice()])
    for (let i = 0; i < 3; i++) {
      world.put(8)
      await world.producer.flush()
    }

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, acknowledged: 24, requests: 3 })
  })

  test('does not acknowledge the next request', async () => {
    // HTTP/1.1 cannot tell the two apart, but the service's request id can: src/aws does not look at it.
    const world = await openWorld()
    await world.warm()
    let first = Buffer.alloc(0)
    const repeated = { readBytes: 1, isApplied: false, reply: () => [first] }
    world.spoil([copied(answer => (first = Buffer.from(answer))), repeated])
    world.put(8)
    await world.producer.flush()
    world.put(8)
    await world.producer.flush()

    const { violations } = await world.outcome()

    expect(violations).toEqual([])
  })
})

test('a request that was answered before it was sent is not overwritten by the next', async () => {
  const world = await openWorld({
    aggregationEnabled: false,
    maxUserRecordBytes: 9_000_000,
    collectionMaxBytes: 10_485_760,
    rateLimitPercent: 1_000_000,
    requestTimeoutMs: 5_000
  })
  await world.warm()
  let readOn: () => void = () => {}
  const rest = new Promise<void>(resolve => (readOn = resolve))
  const answer = '{"FailedRecordCount":0,"Records":[{"ShardId":"shardId-000000000000","SequenceNumber":"1"}]}'
  world.spoil([earlyAnswer(1_000, httpAnswer('200 OK', answer), () => rest)])
  const seenBefore = world.proxy.requests.length
  world.put(1, 8_000_000)
  await world.producer.flush()
  world.put(1, 8_000_000)
  await world.producer.flush()

  readOn()
  await world.proxy.sawRequests(seenBefore + 2)

  expect(world.proxy.requests.slice(seenBefore)).toEqual(Array(2).fill({ operation: 'PutRecords', isIntact: true }))
})

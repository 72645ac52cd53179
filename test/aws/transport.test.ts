/** The transport against the fake Kinesis over HTTP, and against servers that note what they are asked. */
import { buffer } from 'node:stream/consumers'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterEach, describe, expect, test } from 'vitest'
import type { PutRecordsEntry, Transport } from '../../src/model/ports.ts'
import { type FakeKinesisServer, FaultPlan, startFakeKinesisServer } from '../../src/testing/index.ts'
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
  STREAM,
  transportOver,
  transportTo,
  userClient
} from './fixture.ts'

afterEach(closeAll)

async function startFake(faults?: FaultPlan): Promise<FakeKinesisServer> {
  const server = await startFakeKinesisServer({ faults })
  onClose(() => server.close())
  server.kinesis.createStream({ StreamName: 'orders', ShardCount: 2 })
  return server
}

const ENTRIES: readonly PutRecordsEntry[] = [
  { data: Buffer.from([0, 255, 128]), partitionKey: 'a"\\\u0000\u2028\u{1f600}', explicitHashKey: '0' },
  { data: new Uint8Array(0), partitionKey: 'b', explicitHashKey: (2n ** 128n - 1n).toString() },
  { data: Buffer.alloc(70_000, 7), partitionKey: 'c' }
]

const TRANSPORTS: [string, (endpoint: string) => Transport][] = [
  ['our own client', endpoint => transportTo(endpoint)],
  ["a user's client", endpoint => transportOver(userClient(endpoint, { requestHandler: new NodeHttpHandler() }))]
]

describe.each(TRANSPORTS)('with %s', (_, open) => {
  test('stores every entry as it is and tells where', async () => {
    const server = await startFake()

    const { records } = await open(server.endpoint).putRecords({ stream: STREAM, entries: ENTRIES })

    const stored = server.kinesis.storedRecords('orders')
    const found = records.map(({ shardId, sequenceNumber }) => {
      const match = stored.find(each => each.shardId === shardId && each.sequenceNumber === sequenceNumber)
      return (
        match && {
          data: Buffer.from(match.data),
          partitionKey: match.partitionKey,
          explicitHashKey: match.explicitHashKey
        }
      )
    })
    expect(found).toEqual(
      ENTRIES.map(entry => ({ explicitHashKey: undefined, ...entry, data: Buffer.from(entry.data) }))
    )
  })

  test('sends a body that says exactly the request', async () => {
    const server = await answering(200, putAnswer(ENTRIES.length))

    await open(server.endpoint).putRecords({ stream: STREAM, entries: ENTRIES })

    expect(server.bodies.map(body => JSON.parse(body.toString()))).toEqual([
      {
        StreamName: 'orders',
        Records: ENTRIES.map(({ data, partitionKey, explicitHashKey }) => ({
          Data: Buffer.from(data).toString('base64'),
          PartitionKey: partitionKey,
          ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey })
        }))
      }
    ])
  })

  test('hands on the error of a single entry', async () => {
    const plan = new FaultPlan([
      {
        action: { kind: 'failRecords', errorCode: 'InternalFailure', errorMessage: 'sorry', records: { indexes: [0] } }
      }
    ])
    const server = await startFake(plan)

    const { records } = await open(server.endpoint).putRecords(request(['one']))

    expect(records).toEqual([
      { shardId: undefined, sequenceNumber: undefined, errorCode: 'InternalFailure', errorMessage: 'sorry' }
    ])
  })

  test('never tries PutRecords a second time', async () => {
    const server = await answering(500, '{"__type":"InternalFailure"}')

    const outcome = await failureOf(open(server.endpoint).putRecords(request()))

    expect([outcome, server.bodies.length]).toEqual([failure('InternalFailure', 'maybe', { statusCode: 500 }), 1])
  })
})

test("a client that would retry does not: one attempt for each call, whatever the client's maxAttempts", async () => {
  const server = await rawServer(incoming => incoming.socket.resetAndDestroy())
  const client = userClient(server.endpoint, { maxAttempts: 5, requestHandler: new NodeHttpHandler() })

  const outcome = await failureOf(transportOver(client).putRecords(request()))

  expect([outcome, server.connectionCount()]).toEqual([failure('ECONNRESET', 'maybe'), 1])
})

test('a client whose strategy retries everything makes one attempt all the same, and the first failure counts', async () => {
  const server = await rawServer((incoming, response) => {
    incoming
      .resume()
      .on('end', () => response.writeHead(400, { 'content-type': JSON_TYPE }).end('{"__type":"AccessDeniedException"}'))
  })
  const token = { getRetryCount: () => 1, getRetryDelay: () => 0 }
  const retryStrategy = {
    acquireInitialRetryToken: () => Promise.resolve(token),
    refreshRetryTokenForRetry: () => new Promise<typeof token>(resolve => setImmediate(resolve, token)),
    recordSuccess: () => {}
  }
  const client = userClient(server.endpoint, { retryStrategy, requestHandler: new NodeHttpHandler() })

  const outcome = await failureOf(transportOver(client).putRecords(request()))

  expect([outcome, server.connectionCount()]).toEqual([failure('AccessDeniedException', 'no', { statusCode: 400 }), 1])
})

describe('a client that hides attempts of its own', () => {
  const hidden = { $metadata: { attempts: 3, httpStatusCode: 400 }, $fault: 'client', name: 'AccessDeniedException' }

  test('is warned about once, and its failures never say that nothing was stored', async () => {
    const warnings: string[] = []
    const client = { send: () => Promise.reject(Object.assign(new Error('denied'), hidden)) }
    const transport = transportOver(client, code => warnings.push(code))

    const outcomes = [
      await failureOf(transport.putRecords(request())),
      await failureOf(transport.putRecords(request()))
    ]

    const expected = failure('AccessDeniedException', 'maybe', { statusCode: 400 })
    expect([outcomes, warnings]).toEqual([[expected, expected], ['KPL_WARN_SDK_RETRIES']])
  })

  test('is warned about when it succeeds as well', async () => {
    const warnings: string[] = []
    const output = { $metadata: { attempts: 2 }, Records: [{ ShardId: 's', SequenceNumber: '1' }] }
    const transport = transportOver({ send: () => Promise.resolve(output) }, code => warnings.push(code))

    await transport.putRecords(request())

    expect(warnings).toEqual(['KPL_WARN_SDK_RETRIES'])
  })

  test('that failed to connect at last may have stored something before', async () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', $metadata: { attempts: 2 } })

    const outcome = await failureOf(transportOver({ send: () => Promise.reject(refused) }).putRecords(request()))

    expect(outcome).toEqual(failure('ECONNREFUSED', 'maybe'))
  })
})

test('without a clock of its own a transport still has its time-outs', async () => {
  const { endpoint } = await rawServer(() => {})

  const outcome = await failureOf(
    transportTo(endpoint, { clock: undefined, requestTimeoutMs: 200 }).putRecords(request())
  )

  expect(outcome).toEqual(failure('TimeoutError', 'maybe'))
})

test('uses one connection for requests one after the other', async () => {
  const server = await answering(200, putAnswer(1))
  const transport = transportTo(server.endpoint)

  for (let i = 0; i < 20; i++) await transport.putRecords(request([`${i}`]))

  expect([server.bodies.length, server.connectionCount()]).toEqual([20, 1])
})

test('many requests at once each keep their own body', async () => {
  const server = await rawServer(async (incoming, response) => {
    const { Records } = JSON.parse((await buffer(incoming)).toString()) as { Records: { Data: string }[] }
    const answers = Records.map(({ Data }) => ({ ShardId: 'shardId-0', SequenceNumber: Data }))
    response
      .writeHead(200, { 'content-type': JSON_TYPE })
      .end(JSON.stringify({ FailedRecordCount: 0, Records: answers }))
  })
  const transport = transportTo(server.endpoint, { maxInFlightRequests: 8 })
  const texts = Array.from({ length: 100 }, (_, i) => `${i}`.repeat(1000 + i))

  const responses = await Promise.all(texts.map(text => transport.putRecords(request([text]))))

  expect(responses.map(({ records }) => atob(records[0]?.sequenceNumber ?? ''))).toEqual(texts)
})

describe("a user's client", () => {
  test('with the HTTP/2 handler is warned about once', () => {
    const warnings: string[] = []

    transportOver(userClient('http://127.0.0.1:1'), code => warnings.push(code))

    expect(warnings).toEqual(['KPL_WARN_HTTP2_HANDLER'])
  })

  test('with an HTTP/1.1 handler and retries is not warned about', () => {
    const warnings: string[] = []
    const client = userClient('http://127.0.0.1:1', { maxAttempts: 5, requestHandler: new NodeHttpHandler() })

    transportOver(client, code => warnings.push(code))

    expect(warnings).toEqual([])
  })

  test('is not destroyed, nor is a handler', () => {
    const destroyed: string[] = []
    const client = { send: () => Promise.resolve({}), destroy: () => destroyed.push('client') }
    const requestHandler = {
      handle: () => Promise.reject(new Error('unused')),
      destroy: () => destroyed.push('handler')
    }

    transportOver(client).close()
    transportTo('https://kinesis.example', { requestHandler }).close()

    expect(destroyed).toEqual([])
  })

  test('may be anything that sends', async () => {
    const client = { send: () => Promise.resolve({ Records: [{ ShardId: 's', SequenceNumber: '1' }] }) }

    const { records } = await transportOver(client).putRecords(request())

    expect(records).toEqual([{ shardId: 's', sequenceNumber: '1', errorCode: undefined, errorMessage: undefined }])
  })
})

describe('listing shards', () => {
  const range = { StartingHashKey: '0', EndingHashKey: '1' }

  /** A server that answers with the given pages in turn, and the bodies it was asked with. */
  async function paging(pages: readonly [number, object][]): Promise<{ endpoint: string; asked: unknown[] }> {
    const asked: unknown[] = []
    const { endpoint } = await rawServer(async (incoming, response) => {
      const [status, page] = pages[asked.length]!
      asked.push(JSON.parse((await buffer(incoming)).toString()))
      response.writeHead(status, { 'content-type': JSON_TYPE }).end(JSON.stringify(page))
    })
    return { endpoint, asked }
  }

  function page(shardId: string, NextToken?: string): [number, object] {
    return [200, { Shards: [{ ShardId: shardId, HashKeyRange: range, SequenceNumberRange: {} }], NextToken }]
  }

  const FIRST = { StreamName: 'orders', ShardFilter: { Type: 'AT_LATEST' }, MaxResults: 1000 }

  test('follows the pages, asking for each next one with its token alone', async () => {
    const { endpoint, asked } = await paging([page('a', 't1'), page('b', 't2'), page('c')])

    const shards = await transportTo(endpoint).listShards(STREAM)

    expect([shards.map(({ shardId }) => shardId), asked]).toEqual([
      ['a', 'b', 'c'],
      [FIRST, { NextToken: 't1' }, { NextToken: 't2' }]
    ])
  })

  test('leaves out the closed shards of an endpoint that ignores the filter, on every page', async () => {
    const shard = (ShardId: string, SequenceNumberRange: object | null | undefined) => ({
      ShardId,
      HashKeyRange: range,
      SequenceNumberRange
    })
    const closed = { StartingSequenceNumber: '1', EndingSequenceNumber: '9' }
    const open = { StartingSequenceNumber: '1' }
    const pages: [number, object][] = [
      [200, { Shards: [shard('parent', closed), shard('child', open)], NextToken: 't1' }],
      [
        200,
        { Shards: [shard('merged', closed), shard('null', { ...open, EndingSequenceNumber: null })], NextToken: 't2' }
      ],
      [
        200,
        { Shards: [shard('no range', null), shard('absent', undefined), shard('empty', { EndingSequenceNumber: '' })] }
      ]
    ]
    const { endpoint } = await paging(pages)

    const shards = await transportTo(endpoint).listShards(STREAM)

    expect(shards.map(({ shardId }) => shardId)).toEqual(['child', 'null', 'no range', 'absent', 'empty'])
  })

  test('leaves out a shard that another one names as its parent, also on another page, and takes an empty token for none', async () => {
    const pages: [number, object][] = [
      [200, { Shards: [{ ShardId: 'parent', HashKeyRange: range }], NextToken: 't1' }],
      [200, { Shards: [{ ShardId: 'child', HashKeyRange: range, ParentShardId: 'parent' }], NextToken: '' }]
    ]
    const { endpoint } = await paging(pages)

    const shards = await transportTo(endpoint).listShards(STREAM)

    expect(shards.map(({ shardId }) => shardId)).toEqual(['child'])
  })

  test('begins anew when a token expired', async () => {
    const expired: [number, object] = [400, { __type: 'ExpiredNextTokenException', message: 'late' }]
    const { endpoint, asked } = await paging([page('old', 't1'), expired, page('a', 't2'), page('b')])

    const shards = await transportTo(endpoint).listShards(STREAM)

    expect([shards.map(({ shardId }) => shardId), asked.length]).toEqual([['a', 'b'], 4])
  })

  test('ends when the pages do not', async () => {
    const { endpoint } = await answering(200, JSON.stringify(page('a', 'again')[1]))

    const outcome = await failureOf(transportTo(endpoint).listShards(STREAM))

    expect(outcome).toEqual(failure('TooManyPages', 'maybe', { code: 'KPL_ERR_PROTOCOL' }))
  })

  test('tries again when the service is in trouble', async () => {
    const trouble: [number, object] = [500, { __type: 'InternalFailure' }]
    const { endpoint } = await paging([trouble, trouble, page('a')])

    const shards = await transportTo(endpoint).listShards(STREAM)

    expect(shards).toEqual([{ shardId: 'a', startingHashKey: '0', endingHashKey: '1' }])
  })

  test.each([['ResourceNotFoundException'], ['AccessDeniedException'], ['SomethingNewException']])(
    'does not try again after %s',
    async code => {
      const server = await answering(400, JSON.stringify({ __type: code }))

      const outcome = await failureOf(transportTo(server.endpoint).listShards(STREAM))

      expect([outcome, server.bodies.length]).toEqual([failure(code, 'no', { statusCode: 400 }), 1])
    }
  )

  test('gives the open shards of a stream, by name and by ARN', async () => {
    const server = await startFake()
    const transport = transportTo(server.endpoint)
    const { StreamDescriptionSummary } = server.kinesis.describeStreamSummary({ StreamName: 'orders' })
    const half = 2n ** 127n

    const byName = await transport.listShards(STREAM)
    const byArn = await transportTo(server.endpoint, {}).listShards({ streamArn: StreamDescriptionSummary.StreamARN })

    expect([byName, byArn]).toEqual(
      Array(2).fill([
        { shardId: 'shardId-000000000000', startingHashKey: '0', endingHashKey: `${half - 1n}` },
        { shardId: 'shardId-000000000001', startingHashKey: `${half}`, endingHashKey: `${half * 2n - 1n}` }
      ])
    )
  })
})

describe('describing a stream', () => {
  test('says that the service places records itself, and how large they may be', async () => {
    const summary = { StreamStatus: 'ACTIVE', RecordDistributionStrategy: 'AUTO', MaxRecordSizeInKiB: 2048 }
    const { endpoint } = await answering(200, JSON.stringify({ StreamDescriptionSummary: summary }))

    const description = await transportTo(endpoint).describeStream(STREAM)

    expect(description).toEqual({ status: 'ACTIVE', recordDistribution: 'AUTO', maxRecordBytes: 2_097_152 })
  })

  test('takes what is not said for a keyed stream', async () => {
    const { endpoint } = await answering(200, '{"StreamDescriptionSummary":{"StreamStatus":"UPDATING"}}')

    const description = await transportTo(endpoint).describeStream(STREAM)

    expect(description).toEqual({
      status: 'UPDATING',
      recordDistribution: 'USER_PARTITION_KEY',
      maxRecordBytes: undefined
    })
  })
})

describe('closing', () => {
  test('cuts what is in flight, refuses what comes after, and may be done twice', async () => {
    let transport: Transport | undefined
    const server = await rawServer(() => transport?.close())
    transport = transportTo(server.endpoint)
    const { signal } = new AbortController()

    const outcome = await failureOf(transport.putRecords(request(['in flight'], signal)))
    transport.close()
    const later = await failureOf(transport.putRecords(request()))

    expect([outcome, later]).toEqual([failure('AbortError', 'maybe'), failure('AbortError', 'no')])
  })
})

test('refuses plain http to another machine at the door, wherever the endpoint came from', async () => {
  const handled: unknown[] = []
  const requestHandler = { handle: (sent: unknown) => handled.push(sent) }
  process.env['AWS_ENDPOINT_URL_KINESIS'] = 'http://kinesis.example'
  onClose(() => delete process.env['AWS_ENDPOINT_URL_KINESIS'])
  const transport = transportTo(undefined, { requestHandler, credentials: CREDENTIALS })

  const outcome = await failureOf(transport.putRecords(request()))

  expect([outcome, handled]).toEqual([failure('InsecureEndpoint', 'no'), []])
})

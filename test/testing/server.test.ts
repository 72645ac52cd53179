import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { Agent } from 'node:https'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  CreateStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  SplitShardCommand,
  UpdateShardCountCommand
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterEach, describe, expect, test } from 'vitest'
import {
  FakeKinesis,
  type FakeKinesisServer,
  type FakeKinesisServerOptions,
  FaultPlan,
  startFakeKinesisServer,
  VirtualClock
} from '../../src/testing/index.ts'

const STREAM = { StreamName: 'orders' }
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const key = readFileSync(new URL('./self-signed-key.pem', import.meta.url))
const cert = readFileSync(new URL('./self-signed-cert.pem', import.meta.url))
const opened: { destroy(): void }[] = []
const started: FakeKinesisServer[] = []

afterEach(async () => {
  for (const client of opened.splice(0)) client.destroy()
  await Promise.all(started.splice(0).map(server => server.close()))
})

async function start(options: FakeKinesisServerOptions = {}): Promise<FakeKinesisServer> {
  const server = await startFakeKinesisServer(options)
  started.push(server)
  return server
}

const HANDLERS = {
  'the default HTTP/2 handler': () => undefined,
  'HTTP/1.1': () => new NodeHttpHandler()
} as const

function clientOf(server: FakeKinesisServer, requestHandler?: NodeHttpHandler): KinesisClient {
  const client = new KinesisClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
    ...(requestHandler === undefined ? {} : { requestHandler })
  })
  opened.push(client)
  return client
}

function call(server: FakeKinesisServer, operation: string, body: string): Promise<Response> {
  return fetch(server.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `Kinesis_20131202.${operation}` },
    body
  })
}

async function errorOf(promise: Promise<unknown>): Promise<{ name: string; message: string }> {
  const error: unknown = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason
  )
  return error instanceof Error ? error : new Error(String(error))
}

async function readAll(client: KinesisClient): Promise<string[]> {
  const { Shards = [] } = await client.send(new ListShardsCommand(STREAM))
  const texts: string[] = []
  for (const { ShardId } of Shards) {
    const start = new GetShardIteratorCommand({ ...STREAM, ShardId, ShardIteratorType: 'TRIM_HORIZON' })
    const { ShardIterator } = await client.send(start)
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }))
    texts.push(...Records.map(found => `${found.PartitionKey}=${Buffer.from(found.Data!).toString()}`))
  }
  return texts
}

describe.each(Object.entries(HANDLERS))('the SDK client with %s', (_name, handler) => {
  test('creates a stream, puts records and reads them back', async () => {
    const server = await start()
    const client = clientOf(server, handler())

    await client.send(new CreateStreamCommand({ ...STREAM, ShardCount: 2 }))
    const answer = await client.send(
      new PutRecordsCommand({
        ...STREAM,
        Records: [
          { Data: Buffer.from('one'), PartitionKey: 'a' },
          { Data: Buffer.from('two'), PartitionKey: 'b\u00e9"\\' },
          { Data: new Uint8Array(0), PartitionKey: 'c', ExplicitHashKey: '0' }
        ]
      })
    )
    const texts = await readAll(client)

    expect(answer.Records?.map(({ ShardId, ErrorCode }) => [ShardId, ErrorCode])).toEqual(
      kinesisShards(server, ['a', 'b\u00e9"\\', 'c'])
    )
    expect(texts.sort()).toEqual(['a=one', 'b\u00e9"\\=two', 'c='])
  })

  test('puts 100 records of 50 KB and a 10 MiB record', async () => {
    const server = await start({ kinesis: new FakeKinesis({ nowMs: () => 0, throughputLimits: false }) })
    server.kinesis.createStream({ ...STREAM, ShardCount: 1, MaxRecordSizeInKiB: 10_240 })
    const client = clientOf(server, handler())
    const blobs = Array.from({ length: 100 }, (_, i) => Buffer.alloc(50_000, i))
    const large = Buffer.alloc(10 * 1_048_576 - 1, 'large')

    const Records = blobs.map(Data => ({ Data, PartitionKey: 'k' }))
    await client.send(new PutRecordsCommand({ ...STREAM, Records }))
    await client.send(new PutRecordsCommand({ ...STREAM, Records: [{ Data: large, PartitionKey: 'k' }] }))

    const stored = server.kinesis.storedRecords('orders').map(found => Buffer.from(found.data))
    expect(stored.length).toBe(101)
    expect([...blobs, large].every((blob, i) => blob.equals(stored[i]!))).toBe(true)
  })

  test('gets typed errors with the text of the service', async () => {
    const server = await start()
    const client = clientOf(server, handler())

    const missing = await errorOf(client.send(new ListShardsCommand({ StreamName: 'none' })))
    const invalid = await errorOf(client.send(new PutRecordsCommand({ StreamName: 'none', Records: [] })))

    expect([missing.name, missing.message]).toEqual([
      'ResourceNotFoundException',
      'Stream none under account 000000000000 not found.'
    ])
    expect(invalid.name).toBe('ResourceNotFoundException')
  })

  test('fails when the connection is reset, before the commit or after it', async () => {
    const faults = new FaultPlan([
      { match: { operation: 'PutRecord', lastOrdinal: 1 }, action: { kind: 'reset' } },
      { match: { operation: 'PutRecord', firstOrdinal: 2, lastOrdinal: 2 }, action: { kind: 'reset', isApplied: true } }
    ])
    const server = await start({ faults })
    server.kinesis.createStream({ ...STREAM, ShardCount: 1 })
    const client = clientOf(server, handler())
    const put = () => client.send(new PutRecordCommand({ ...STREAM, Data: Buffer.from('x'), PartitionKey: 'k' }))
    const storedCount = () => server.kinesis.storedRecords('orders').length

    const counts: number[] = []
    const failed: boolean[] = []
    for (let i = 0; i < 3; i++) {
      failed.push(
        await put().then(
          () => false,
          () => true
        )
      )
      counts.push(storedCount())
    }

    expect({ failed, counts }).toEqual({ failed: [true, true, false], counts: [0, 1, 2] })
  })
})

function kinesisShards(server: FakeKinesisServer, partitionKeys: string[]): [string | undefined, undefined][] {
  const stored = server.kinesis.storedRecords('orders')
  return partitionKeys.map(name => [stored.find(found => found.partitionKey === name)?.shardId, undefined])
}

describe('the server', () => {
  test('speaks HTTP/1.1 over TLS to the SDK client', async () => {
    const server = await start({ tls: { key, cert } })
    server.kinesis.createStream({ ...STREAM, ShardCount: 1 })
    const httpsAgent = new Agent({ ca: cert, keepAlive: true })
    const client = clientOf(server, new NodeHttpHandler({ httpsAgent }))

    const { ShardId } = await client.send(
      new PutRecordCommand({ ...STREAM, Data: Buffer.from('secret'), PartitionKey: 'k' })
    )

    expect({ endpoint: server.endpoint, ShardId }).toEqual({
      endpoint: `https://127.0.0.1:${server.port}`,
      ShardId: 'shardId-000000000000'
    })
  })

  test('speaks HTTP/2 over TLS when the client asks for it', async () => {
    const server = await start({ tls: { key, cert } })
    const session = connectHttp2(server.endpoint, { ca: cert })
    opened.push(session)

    const request = session.request({ ':path': '/healthcheck' })
    const body = await text(request)

    expect({ body, protocol: session.alpnProtocol }).toEqual({ body: '{"status":"ok"}', protocol: 'h2' })
  })

  test('reshards, pages and describes through the SDK', async () => {
    const clock = new VirtualClock(1_700_000_000_500)
    const server = await start({ kinesis: new FakeKinesis({ nowMs: () => clock.nowMs() }) })
    server.kinesis.createStream({ ...STREAM, ShardCount: 2 })
    const client = clientOf(server, new NodeHttpHandler())
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'

    await client.send(
      new SplitShardCommand({ ...STREAM, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '10' })
    )
    await client.send(new UpdateShardCountCommand({ StreamARN, TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' }))
    const first = await client.send(
      new ListShardsCommand({ StreamARN, MaxResults: 3, ShardFilter: { Type: 'AT_LATEST' } })
    )
    const second = await client.send(new ListShardsCommand({ NextToken: first.NextToken }))
    const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand(STREAM))
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ ...STREAM, Limit: 2 }))

    expect([first.Shards?.length, second.Shards?.length, second.NextToken]).toEqual([3, 1, undefined])
    expect([StreamDescription?.Shards?.length, StreamDescription?.HasMoreShards]).toEqual([2, true])
    expect(StreamDescriptionSummary?.OpenShardCount).toBe(4)
    expect(StreamDescriptionSummary?.StreamCreationTimestamp?.getTime()).toBe(1_700_000_000_500)
  })

  test('answers errors with type, message, status and headers, and tolerates bad bodies', async () => {
    const server = await start()

    const answers = await Promise.all([
      call(server, 'DescribeStreamSummary', '{"StreamName":"none"}'),
      call(server, 'DescribeStreamSummary', 'not json'),
      call(server, 'PutRecords', '{"StreamName":7}'),
      call(server, 'PutRecords', '{"StreamName":"none","Records":[{"Data":"%%%%","PartitionKey":"k"}]}'),
      call(server, 'NoSuchThing', '{}')
    ])

    const seen = await Promise.all(
      answers.map(async answer => [answer.status, answer.headers.get('x-amzn-errortype'), await answer.json()])
    )
    expect(seen).toEqual([
      [
        400,
        'ResourceNotFoundException',
        { __type: 'ResourceNotFoundException', message: 'Stream none under account 000000000000 not found.' }
      ],
      [400, 'SerializationException', { __type: 'SerializationException', message: 'The body is not JSON.' }],
      [
        400,
        'SerializationException',
        { __type: 'SerializationException', message: 'Expected a string for StreamName.' }
      ],
      [400, 'SerializationException', { __type: 'SerializationException', message: 'Expected a blob for Data.' }],
      [
        400,
        'UnknownOperationException',
        { __type: 'UnknownOperationException', message: 'The fake Kinesis has no operation NoSuchThing.' }
      ]
    ])
    expect(answers[0]!.headers.get('x-amzn-requestid')).toMatch(/^00000000-0000-4000-8000-\d{12}$/)
  })

  test('tells its health and counters', async () => {
    const server = await start()
    server.kinesis.createStream({ ...STREAM, ShardCount: 1 })
    await call(server, 'PutRecord', '{"StreamName":"orders","Data":"eA==","PartitionKey":"k"}')

    const health: unknown = await (await fetch(`${server.endpoint}/healthcheck`)).json()
    const stats: unknown = await (await fetch(`${server.endpoint}/_stats`)).json()

    expect(health).toEqual({ status: 'ok' })
    expect(stats).toEqual({
      streams: server.kinesis.stats(),
      operations: { PutRecord: { requestCount: 1, failedCount: 0 } }
    })
  })

  test('answers late when the fault plan says so, on its own clock, and with raw answers', async () => {
    const clock = new VirtualClock()
    const faults = new FaultPlan([
      { match: { lastOrdinal: 1 }, action: { kind: 'delay', delayMs: 3_600_000 } },
      {
        match: { firstOrdinal: 2 },
        action: { kind: 'rawAnswer', statusCode: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }
      }
    ])
    const server = await start({ clock, faults })
    server.kinesis.createStream({ ...STREAM, ShardCount: 1 })

    const late = call(server, 'DescribeStreamSummary', '{"StreamName":"orders"}')
    const raw = await (async () => {
      while (clock.pendingCount === 0) await fetch(`${server.endpoint}/healthcheck`)
      return call(server, 'DescribeStreamSummary', '{"StreamName":"orders"}')
    })()
    clock.advanceBy(3_600_000)

    expect([raw.status, await raw.text()]).toEqual([502, '<h1>Bad gateway</h1>'])
    expect((await late).status).toBe(200)
  })

  test('tells HTTP/2 from HTTP/1.1 when the first bytes come one by one', async () => {
    const server = await start()
    const socket = connect(server.port, '127.0.0.1')
    const answer = new Promise<string>(resolve => {
      let received = ''
      socket.on('data', chunk => {
        received += chunk.toString()
        if (received.includes('"ok"')) resolve(received.split('\r\n')[0]!)
      })
    })

    for (const letter of 'GET /healthcheck HTTP/1.1\r\nhost: x\r\n\r\n') {
      await new Promise<void>(resolve => socket.write(letter, () => resolve()))
    }
    const statusLine = await answer
    socket.destroy()

    expect(statusLine).toBe('HTTP/1.1 200 OK')
  })

  test.each(Object.entries(HANDLERS))(
    'closes at once and serves the same streams again on the same port: %s',
    async (_name, handler) => {
      const first = await start({
        faults: new FaultPlan([{ match: { operation: 'ListShards' }, action: { kind: 'silence' } }])
      })
      first.kinesis.createStream({ ...STREAM, ShardCount: 1 })
      const client = clientOf(first, handler())
      const put = () => client.send(new PutRecordCommand({ ...STREAM, Data: Buffer.from('x'), PartitionKey: 'k' }))
      await put()
      const hanging = client.send(new ListShardsCommand(STREAM)).then(
        () => 'answered',
        () => 'cut'
      )

      await first.close()
      const whileDown = await put().then(
        () => 'answered',
        () => 'refused'
      )
      const second = await start({ port: first.port, kinesis: first.kinesis })
      await put()

      expect({ hanging: await hanging, whileDown, port: second.port }).toEqual({
        hanging: 'cut',
        whileDown: 'refused',
        port: first.port
      })
      expect(second.kinesis.storedRecords('orders').length).toBe(2)
    }
  )
})

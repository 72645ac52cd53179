/** The same PutRecords calls in JSON and in CBOR, on our fake and on a server that is not ours: the results are equal. */
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  SplitShardCommand
} from '@aws-sdk/client-kinesis'
import { cbor } from '@smithy/core/cbor'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { WireFormat } from '../../src/aws/body-protocol.ts'
import { OptionsError, TransportError } from '../../src/model/errors.ts'
import type { PutRecordsEntry, PutRecordsResponse } from '../../src/model/ports.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'
import { readStream } from '../../src/reader/read-stream.ts'
import { FakeKinesis, FaultPlan, startFakeKinesisServer } from '../../src/testing/index.ts'
import { startKinesisLocal } from '../referee/kinesis-local.ts'
import {
  answering,
  closeAll,
  failure,
  failureOf,
  JSON_TYPE,
  onClose,
  putAnswer,
  rawServer,
  request,
  STREAM,
  transportTo,
  userClient
} from './fixture.ts'

const FORMATS: readonly WireFormat[] = ['json', 'cbor']
const CBOR_TYPE = 'application/x-amz-cbor-1.1'
const servers = new Map<string, { readonly endpoint: string; close(): unknown }>()

beforeAll(async () => {
  servers.set('the fake', await startFakeKinesisServer())
  servers.set('kinesis-local', await startKinesisLocal())
  for (const serverName of servers.keys()) await open(serverName, STREAM.streamName, 'json')
  await closeAll()
})

afterEach(closeAll)

afterAll(async () => {
  for (const server of servers.values()) await server.close()
})

const MAX_HASH_KEY = (2n ** 128n - 1n).toString()
const ENTRIES: readonly PutRecordsEntry[] = [
  { data: Buffer.from([0, 255, 128]), partitionKey: 'a"\\\u2028\u{1f600}', explicitHashKey: '0' },
  { data: Buffer.from('x'), partitionKey: '__proto__', explicitHashKey: MAX_HASH_KEY },
  { data: Buffer.alloc(70_000, 7), partitionKey: 'c' },
  { data: Buffer.alloc(300, 0xff), partitionKey: '\u00e9'.repeat(256) }
]

describe.each(['the fake', 'kinesis-local'])('on %s', serverName => {
  test('the same records are stored in the same shards', async () => {
    const [json, cbor] = await both(serverName, 'stored', async world => {
      const response = await world.transport.putRecords({ stream: world.stream, entries: ENTRIES })
      return { shards: shardsOf(response), stored: await world.read() }
    })

    expect(cbor).toEqual(json)
    expect(cbor.stored).toEqual(
      ENTRIES.map(({ data, partitionKey }, i) => [
        cbor.shards[i],
        partitionKey,
        Buffer.from(data).toString('hex')
      ]).sort()
    )
  })

  test('the records after a split are in the same child shards', async () => {
    const [json, cbor] = await both(serverName, 'split', async world => {
      const entry = { data: Buffer.from('x'), partitionKey: 'k', explicitHashKey: '0' }
      const before = await world.transport.putRecords({ stream: world.stream, entries: [entry] })
      await world.split('shardId-000000000000', (2n ** 126n).toString())
      const after = await world.transport.putRecords({ stream: world.stream, entries: [entry] })
      return [shardsOf(before), shardsOf(after), await world.read()]
    })

    expect(cbor).toEqual(json)
    expect(cbor.slice(0, 2)).toEqual([['shardId-000000000000'], ['shardId-000000000002']])
  })

  test.each([
    ['a missing stream', { stream: { streamName: 'nobody' }, entries: ENTRIES }, 'ResourceNotFoundException'],
    ['a hash key out of range', one({ explicitHashKey: `${2n ** 128n}` }), 'InvalidArgumentException']
  ])('%s fails alike', async (_, call, errorCode) => {
    const outcomes = await Promise.all(
      FORMATS.map(async wireFormat => {
        const { endpoint } = servers.get(serverName)!
        return failureOf(transportTo(endpoint, { wireFormat }).putRecords(call))
      })
    )

    const [json] = outcomes
    expect(outcomes).toEqual([json, json])
    expect(json).toEqual(failure(errorCode, 'no', { statusCode: 400 }))
  })
})

test('single records fail alike', async () => {
  const responses: PutRecordsResponse[] = []
  for (const wireFormat of FORMATS) {
    const records = { indexes: [1] }
    const faults = new FaultPlan([
      { action: { kind: 'failRecords', errorCode: 'InternalFailure', errorMessage: 's\u00f6rry', records } }
    ])
    const server = await startFakeKinesisServer({ faults, kinesis: new FakeKinesis({ nowMs: () => 0 }) })
    onClose(() => server.close())
    server.kinesis.createStream({ StreamName: 'orders', ShardCount: 2 })
    responses.push(await transportTo(server.endpoint, { wireFormat }).putRecords({ stream: STREAM, entries: ENTRIES }))
  }

  const [json, cbor] = responses
  expect(cbor).toEqual(json)
  expect(cbor?.records.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([
    [undefined, undefined],
    ['InternalFailure', 's\u00f6rry'],
    [undefined, undefined],
    [undefined, undefined]
  ])
})

test('a record of 10 MiB and 5 MiB of records arrive whole', async () => {
  const kinesis = new FakeKinesis({ nowMs: () => 0, throughputLimits: false })
  const server = await startFakeKinesisServer({ kinesis })
  onClose(() => server.close())
  kinesis.createStream({ StreamName: 'orders', ShardCount: 1, MaxRecordSizeInKiB: 10_240 })
  const transport = transportTo(server.endpoint, { wireFormat: 'cbor' })
  const large = [{ data: Buffer.alloc(10_485_759, 'large'), partitionKey: 'k' }]
  const many = Array.from({ length: 100 }, (_, i) => ({ data: Buffer.alloc(52_000, `${i}.`), partitionKey: `${i}` }))

  await transport.putRecords({ stream: STREAM, entries: large })
  await transport.putRecords({ stream: STREAM, entries: many })

  const stored = kinesis.storedRecords('orders')
  expect(stored.map(({ data }, i) => Buffer.compare(data, [...large, ...many][i]!.data))).toEqual(Array(101).fill(0))
})

test('a client that was given cannot be told to write CBOR', () => {
  const open = () => resolveOptions({ client: { send: () => Promise.resolve({}) }, wireFormat: 'cbor' })

  expect(open).toThrow(OptionsError)
})

describe('over CBOR', () => {
  const malformed = failure('MalformedAnswer', 'maybe', { code: 'KPL_ERR_PROTOCOL', statusCode: 200 })

  test('only PutRecords is asked in CBOR', async () => {
    const asked: (string | undefined)[] = []
    const { endpoint } = await rawServer((incoming, response) => {
      asked.push(incoming.headers['content-type'])
      incoming.resume().on('end', () => response.writeHead(200, { 'content-type': JSON_TYPE }).end(ANSWERS))
    })
    const ANSWERS = JSON.stringify({
      ...(JSON.parse(putAnswer(1)) as object),
      Shards: [],
      StreamDescriptionSummary: { StreamStatus: 'ACTIVE' }
    })
    const transport = transportTo(endpoint, { wireFormat: 'cbor' })

    await transport.putRecords(request())
    await transport.listShards(STREAM)
    await transport.describeStream(STREAM)

    expect(asked).toEqual([CBOR_TYPE, JSON_TYPE, JSON_TYPE])
  })

  test('an answer in JSON is read as well', async () => {
    const { endpoint } = await answering(200, putAnswer(1))

    const { records } = await transportTo(endpoint, { wireFormat: 'cbor' }).putRecords(request())

    expect(records.map(({ shardId }) => shardId)).toEqual(['shardId-000000000000'])
  })

  test.each([
    ['HTML that claims to be CBOR', '<html></html>', CBOR_TYPE],
    ['HTML', '<html></html>', 'text/html'],
    ['nothing', '', CBOR_TYPE],
    ['a map of nothing', '\xa0', CBOR_TYPE]
  ])('an answer of %s may have been stored', async (_, body, type) => {
    const { endpoint } = await rawServer((incoming, response) => {
      incoming.resume().on('end', () => response.writeHead(200, { 'content-type': type }).end(body, 'latin1'))
    })

    expect(await failureOf(transportTo(endpoint, { wireFormat: 'cbor' }).putRecords(request()))).toEqual(malformed)
  })

  test.each([
    ['named in its body', cbor.serialize({ __type: 'com.aws.kinesis#NewError', message: 'm' }), {}, 'NewError'],
    ['named in its header', new Uint8Array(0), { 'x-amzn-errortype': 'NewError:http://x' }, 'NewError'],
    ['without a name', cbor.serialize({ message: 'm' }), {}, 'Http400'],
    ['that is no CBOR', Buffer.from('<html>'), {}, 'Http400']
  ])('an error %s is believed', async (_, body, headers, code) => {
    const { endpoint } = await rawServer((incoming, response) => {
      const head = { 'content-type': CBOR_TYPE, ...headers }
      incoming.resume().on('end', () => response.writeHead(400, head).end(body))
    })

    const outcome = await failureOf(transportTo(endpoint, { wireFormat: 'cbor' }).putRecords(request()))

    expect(outcome).toEqual(failure(code, 'no', { statusCode: 400 }))
  })

  test('answers that somebody made up are a TransportError and nothing else', async () => {
    let seed = 1
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed >>> 8
    }
    const { endpoint } = await rawServer((incoming, response) => {
      const body = Buffer.from(Array.from({ length: random() % 60 }, () => random() & 0xff))
      const status = [200, 400, 500][random() % 3]!
      incoming.resume().on('end', () => response.writeHead(status, { 'content-type': CBOR_TYPE }).end(body))
    })
    const transport = transportTo(endpoint, { wireFormat: 'cbor' })

    const thrown = await Promise.all(
      Array.from({ length: 300 }, () =>
        transport.putRecords(request()).then(
          () => 'an answer',
          (error: unknown) => error
        )
      )
    )

    expect(thrown.filter(error => !(error instanceof TransportError))).toEqual([])
  })
})

function one(fields: Partial<PutRecordsEntry>) {
  return { stream: STREAM, entries: [{ data: Buffer.from('x'), partitionKey: 'k', ...fields }] }
}

function shardsOf({ records }: PutRecordsResponse): (string | undefined)[] {
  return records.map(({ shardId }) => shardId)
}

/** Runs the scenario on a fresh stream of two shards in each format, and returns both results. */
async function both<Result>(
  serverName: string,
  scenario: string,
  run: (world: Awaited<ReturnType<typeof open>>) => Promise<Result>
): Promise<[Result, Result]> {
  const results: Result[] = []
  for (const wireFormat of FORMATS)
    results.push(await run(await open(serverName, `${scenario}-${wireFormat}`, wireFormat)))
  return [results[0]!, results[1]!]
}

async function open(serverName: string, streamName: string, wireFormat: WireFormat) {
  const { endpoint } = servers.get(serverName)!
  const client = userClient(endpoint, { requestHandler: new NodeHttpHandler() })
  await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: 2 }))
  await active(client, streamName)
  return {
    stream: { streamName },
    transport: transportTo(endpoint, { wireFormat }),
    split: async (ShardToSplit: string, NewStartingHashKey: string) => {
      await client.send(new SplitShardCommand({ StreamName: streamName, ShardToSplit, NewStartingHashKey }))
      await active(client, streamName)
    },
    /** Shard, key and data of all that is stored. */
    read: async () => {
      const found: [string, string, string][] = []
      for await (const { shardId, partitionKey, data } of readStream(client, streamName, { follow: false })) {
        found.push([shardId, partitionKey, Buffer.from(data).toString('hex')])
      }
      return found.sort()
    }
  }
}

async function active(client: KinesisClient, StreamName: string): Promise<void> {
  for (;;) {
    const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }))
    if (StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** The fake server in CBOR, spoken to by hand with an encoder and a decoder that are not ours. */
import { cbor, tag } from '@smithy/core/cbor'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { FakeKinesis, type FakeKinesisServer, startFakeKinesisServer } from '../../src/testing/index.ts'
import { type CborValue, encodeSomehow } from './cbor-fixture.ts'
import { closeAll, onClose } from './fixture.ts'

afterEach(closeAll)

const NOW_MS = 1_700_000_000_123
const STREAM = { StreamName: 'orders' }

async function start(nowMs = () => NOW_MS): Promise<FakeKinesisServer> {
  const server = await startFakeKinesisServer({ kinesis: new FakeKinesis({ nowMs }) })
  onClose(() => server.close())
  server.kinesis.createStream({ ...STREAM, ShardCount: 1 })
  return server
}

async function call(server: FakeKinesisServer, operation: string, body: Uint8Array) {
  const response = await fetch(server.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-cbor-1.1', 'x-amz-target': `Kinesis_20131202.${operation}` },
    body
  })
  const answer = new Uint8Array(await response.arrayBuffer())
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    errorType: response.headers.get('x-amzn-errortype'),
    body: cbor.deserialize(answer) as Record<string, unknown>
  }
}

function ask(server: FakeKinesisServer, operation: string, input: object) {
  return call(server, operation, cbor.serialize(input))
}

describe('the fake server in CBOR', () => {
  test('stores records and gives them back, their times tagged and in milliseconds', async () => {
    const server = await start()
    const Records = [
      { Data: Uint8Array.of(0, 255), PartitionKey: '\u00e9' },
      { Data: new Uint8Array(0), PartitionKey: '__proto__', ExplicitHashKey: '0' }
    ]

    const put = await ask(server, 'PutRecords', { ...STREAM, Records })
    const ShardId = 'shardId-000000000000'
    const { body } = await ask(server, 'GetShardIterator', { ...STREAM, ShardId, ShardIteratorType: 'TRIM_HORIZON' })
    const got = await ask(server, 'GetRecords', body)

    expect([put.status, put.type, put.body['FailedRecordCount']]).toEqual([200, 'application/x-amz-cbor-1.1', 0])
    expect(got.body['Records']).toMatchObject(
      Records.map(({ Data, PartitionKey }) => ({
        Data,
        PartitionKey,
        ApproximateArrivalTimestamp: { tag: 1, value: NOW_MS }
      }))
    )
  })

  test('says of streams and shards what it says in JSON', async () => {
    const server = await start()

    const shards = await ask(server, 'ListShards', { ...STREAM, ShardFilter: { Type: 'AT_LATEST' } })
    const summary = await ask(server, 'DescribeStreamSummary', STREAM)

    const inJson = server.kinesis.describeStreamSummary(STREAM).StreamDescriptionSummary
    expect([shards.body, summary.body]).toEqual([
      server.kinesis.listShards({ ...STREAM, ShardFilter: { Type: 'AT_LATEST' } }),
      { StreamDescriptionSummary: { ...inJson, StreamCreationTimestamp: expect.objectContaining({ value: NOW_MS }) } }
    ])
  })

  test('takes a time as tagged milliseconds', async () => {
    let nowMs = NOW_MS
    const server = await start(() => nowMs)
    const put = (text: string) =>
      server.kinesis.putRecords({ ...STREAM, Records: [record({ Data: Buffer.from(text) })] })
    put('before')
    nowMs += 10
    put('after')
    const Timestamp = tag({ tag: 1, value: NOW_MS + 5 })

    const ShardId = 'shardId-000000000000'
    const { body } = await ask(server, 'GetShardIterator', {
      ...STREAM,
      ShardId,
      ShardIteratorType: 'AT_TIMESTAMP',
      Timestamp
    })
    const got = await ask(server, 'GetRecords', body)

    expect(got.body['Records']).toMatchObject([{ Data: new TextEncoder().encode('after') }])
  })

  test.each([
    ['PutRecords', { StreamName: 'nobody', Records: [record()] }, 'ResourceNotFoundException'],
    ['PutRecords', { ...STREAM, Records: [record({ PartitionKey: 'x'.repeat(257) })] }, 'ValidationException'],
    ['PutRecords', { ...STREAM, Records: [record({ ExplicitHashKey: `${2n ** 128n}` })] }, 'InvalidArgumentException'],
    ['PutRecords', { ...STREAM, Records: [record({ Data: new Uint8Array(1_048_576) })] }, 'ValidationException'],
    ['PutRecords', { ...STREAM, Records: Array.from({ length: 501 }, () => record()) }, 'ValidationException'],
    ['PutRecords', { ...STREAM, Records: [record({ Data: 'YQ==' })] }, 'SerializationException'],
    ['PutRecords', { ...STREAM, Records: [record({ PartitionKey: 7 })] }, 'SerializationException'],
    ['PutRecords', { ...STREAM, Records: {} }, 'SerializationException'],
    ['DoNothing', STREAM, 'UnknownOperationException']
  ])('refuses %s with %j in CBOR', async (operation, input, code) => {
    const server = await start()

    const answer = await ask(server, operation, input)

    expect({ ...answer, body: Object.keys(answer.body) }).toEqual({
      status: 400,
      type: 'application/x-amz-cbor-1.1',
      errorType: code,
      body: ['__type', 'message']
    })
    expect(answer.body['__type']).toBe(code)
  })

  test('reads a request in every way it can be written', async () => {
    const server = await start()
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    const entry = fc.record({ Data: fc.uint8Array({ minLength: 1, maxLength: 40 }), PartitionKey: text })
    const choices = fc.infiniteStream(fc.nat({ max: 1 << 20 }))

    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 4 }), choices, async (Records, numbers) => {
        const stored = server.kinesis.storedRecords('orders').length
        const input: CborValue = { ...STREAM, Records, Unknown: { deep: [null, true, 1.5, -7] } }
        const body = encodeSomehow(input, count => (numbers.next().value as number) % count)

        await call(server, 'PutRecords', body)

        const added = server.kinesis.storedRecords('orders').slice(stored)
        expect(added.map(({ data, partitionKey }) => [Buffer.from(data), partitionKey])).toEqual(
          Records.map(({ Data, PartitionKey }) => [Buffer.from(Data), PartitionKey])
        )
      }),
      { numRuns: 60 }
    )
  })

  test('answers what is not CBOR with SerializationException, whatever it is', async () => {
    const server = await start()
    const bodies = [
      'a1',
      'ff',
      '9f',
      '80',
      'a16000ff',
      'bbffffffffffffffff',
      `${'81'.repeat(50_000)}00`,
      '5fff',
      'a10102'
    ]

    const answers = await Promise.all(bodies.map(hex => call(server, 'PutRecords', Buffer.from(hex, 'hex'))))

    expect(answers.map(({ errorType }) => errorType)).toEqual(bodies.map(() => 'SerializationException'))
  })
})

function record(fields: object = {}): object {
  return { Data: Uint8Array.of(1), PartitionKey: 'k', ...fields }
}

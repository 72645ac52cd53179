import { describe, expect, test } from 'vitest'
import type { TransportError } from '../../src/model/errors.ts'
import type { PutRecordsRequest } from '../../src/model/ports.ts'
import {
  DiscardTransport,
  type FaultAction,
  FaultPlan,
  type FaultRule,
  InMemoryTransport,
  seededRandom
} from '../../src/testing/index.ts'
import { contents, fixture, STREAM } from './fixture.ts'

function request(...texts: string[]): PutRecordsRequest {
  return {
    stream: { streamName: 'orders' },
    entries: texts.map(text => ({ data: Buffer.from(text), partitionKey: 'key' }))
  }
}

function setUp(rules: readonly FaultRule[] = [], shardCount = 1) {
  const { clock, kinesis } = fixture(shardCount)
  const faults = new FaultPlan(rules, seededRandom(1))
  return { clock, kinesis, faults, transport: new InMemoryTransport({ kinesis, clock, faults, latencyMs: 5 }) }
}

/** What a promise became, without waiting for what never comes. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const failed = (error: TransportError) => ({
    code: error.code,
    errorCode: error.errorCode,
    statusCode: error.statusCode,
    persisted: error.persisted
  })
  return Promise.race([
    promise.catch(failed),
    Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => 'pending')
  ])
}

async function putUnder(action: FaultAction) {
  const { clock, kinesis, transport } = setUp([{ match: { operation: 'PutRecords' }, action, times: 1 }])
  const answer = transport.putRecords(request('x'))
  clock.advanceBy(6_000)
  return { answer: await outcome(answer), stored: contents(kinesis).length }
}

describe('InMemoryTransport', () => {
  test('answers after the latency of both ways, and copies the data', async () => {
    const { clock, kinesis, transport } = setUp()
    const put = request('one', 'two')

    const answer = transport.putRecords(put)
    put.entries[0]!.data.fill(0)
    clock.advanceBy(9)
    const early = transport.pendingCount
    clock.advanceBy(1)
    const { records } = await answer

    expect({ early, late: transport.pendingCount }).toEqual({ early: 1, late: 0 })
    expect(records.map(({ shardId, errorCode }) => ({ shardId, errorCode }))).toEqual([
      { shardId: 'shardId-000000000000', errorCode: undefined },
      { shardId: 'shardId-000000000000', errorCode: undefined }
    ])
    expect(contents(kinesis)).toEqual(['shardId-000000000000: one', 'shardId-000000000000: two'])
  })

  test('lists all pages of the open shards and describes the stream', async () => {
    const { clock, kinesis, transport } = setUp([], 2_500)
    kinesis.updateMaxRecordSize({ ...STREAM, MaxRecordSizeInKiB: 2_048 })

    const listing = transport.listShards({ streamName: 'orders' })
    const describing = transport.describeStream({ streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders' })
    clock.advanceBy(30)

    expect((await listing).length).toBe(2_500)
    expect(await describing).toEqual({
      status: 'ACTIVE',
      recordDistribution: 'USER_PARTITION_KEY',
      maxRecordBytes: 2 * 1_048_576
    })
    expect(transport.stats()).toEqual({
      ListShards: { requestCount: 3, failedCount: 0 },
      DescribeStreamSummary: { requestCount: 1, failedCount: 0 }
    })
  })

  test.each<[string, FaultAction, unknown, number]>([
    [
      'an error before it was applied',
      { kind: 'failRequest', errorCode: 'ExpiredTokenException' },
      { code: 'KPL_ERR_TRANSPORT', errorCode: 'ExpiredTokenException', statusCode: 400, persisted: 'no' },
      0
    ],
    [
      'an error after it was applied',
      { kind: 'failRequest', errorCode: 'InternalFailure', isApplied: true },
      { code: 'KPL_ERR_TRANSPORT', errorCode: 'InternalFailure', statusCode: 500, persisted: 'maybe' },
      1
    ],
    [
      'a reset before it was applied',
      { kind: 'reset' },
      { code: 'KPL_ERR_TRANSPORT', errorCode: 'ECONNRESET', statusCode: undefined, persisted: 'maybe' },
      0
    ],
    [
      'a reset after it was applied',
      { kind: 'reset', isApplied: true },
      { code: 'KPL_ERR_TRANSPORT', errorCode: 'ECONNRESET', statusCode: undefined, persisted: 'maybe' },
      1
    ],
    [
      'silence',
      { kind: 'silence', isApplied: true },
      { code: 'KPL_ERR_TRANSPORT', errorCode: 'TimeoutError', statusCode: undefined, persisted: 'maybe' },
      1
    ],
    [
      'an answer that comes too late',
      { kind: 'delay', delayMs: 6_000 },
      { code: 'KPL_ERR_TRANSPORT', errorCode: 'TimeoutError', statusCode: undefined, persisted: 'maybe' },
      1
    ],
    [
      'an answer that is not of the API',
      { kind: 'rawAnswer', statusCode: 200, contentType: 'text/html', body: '<html>' },
      { code: 'KPL_ERR_PROTOCOL', errorCode: 'MalformedAnswer', statusCode: 200, persisted: 'maybe' },
      1
    ]
  ])('tells %s', async (_name, action, answer, stored) => {
    const seen = await putUnder(action)

    expect(seen).toEqual({ answer, stored })
  })

  test('applies a held request after the client gave up', async () => {
    const { clock, kinesis, transport } = setUp([{ action: { kind: 'delay', delayMs: 10_000, of: 'request' } }])

    const answer = transport.putRecords(request('zombie'))
    clock.advanceBy(6_000)
    const atTimeout = { answer: await outcome(answer), contents: contents(kinesis) }
    clock.advanceBy(6_000)

    expect(atTimeout).toEqual({
      answer: { code: 'KPL_ERR_TRANSPORT', errorCode: 'TimeoutError', statusCode: undefined, persisted: 'maybe' },
      contents: []
    })
    expect(contents(kinesis)).toEqual(['shardId-000000000000: zombie'])
  })

  test('rejects at once when aborted, and everything when closed', async () => {
    const { transport } = setUp()
    const abortion = new AbortController()
    const aborted = transport.putRecords({ ...request('x'), signal: abortion.signal })
    const cut = transport.putRecords(request('x'))

    abortion.abort()
    transport.close()

    const failure = { code: 'KPL_ERR_TRANSPORT', errorCode: 'AbortError', statusCode: undefined, persisted: 'maybe' }
    expect([await outcome(aborted), await outcome(cut), transport.pendingCount]).toEqual([failure, failure, 0])
  })
})

describe('FaultPlan', () => {
  test('fails chosen records, stored or not', async () => {
    const { clock, kinesis, transport } = setUp([
      { action: { kind: 'failRecords', errorCode: 'InternalFailure', records: { indexes: [0] } } },
      { action: { kind: 'failRecords', errorCode: 'InternalFailure', isStored: true, records: { indexes: [1] } } }
    ])

    const answer = transport.putRecords(request('lost', 'kept', 'fine'))
    clock.advanceBy(10)
    const { records } = await answer

    expect(records.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([
      ['InternalFailure', 'Internal service failure.'],
      ['InternalFailure', 'Internal service failure.'],
      [undefined, undefined]
    ])
    expect(contents(kinesis)).toEqual(['shardId-000000000000: kept', 'shardId-000000000000: fine'])
  })

  test('throttles one shard for a span of time', async () => {
    const { clock, transport } = setUp(
      [
        {
          match: { fromMs: 1_000_100, untilMs: 1_000_200 },
          action: { kind: 'throttle', shardIds: ['shardId-000000000001'] }
        }
      ],
      2
    )
    const put: PutRecordsRequest = {
      stream: { streamName: 'orders' },
      entries: ['0', String(2n ** 127n)].map(explicitHashKey => ({
        data: Buffer.from('x'),
        partitionKey: 'k',
        explicitHashKey
      }))
    }

    const seen: unknown[] = []
    for (let i = 0; i < 3; i++) {
      const answer = transport.putRecords(put)
      clock.advanceBy(100)
      seen.push((await answer).records.map(({ errorMessage }) => errorMessage))
    }

    const text = 'Rate exceeded for shard shardId-000000000001 in stream orders under account 000000000000.'
    expect(seen).toEqual([
      [undefined, undefined],
      [undefined, text],
      [undefined, undefined]
    ])
  })

  test('answers with another count of records', async () => {
    const { clock, transport } = setUp([
      { match: { lastOrdinal: 1 }, action: { kind: 'recordCount', difference: -1 } },
      { match: { firstOrdinal: 2 }, action: { kind: 'recordCount', difference: 1 } }
    ])

    const answers = [transport.putRecords(request('a', 'b')), transport.putRecords(request('a', 'b'))]
    clock.advanceBy(10)

    expect((await Promise.all(answers)).map(answer => answer.records.length)).toEqual([1, 3])
  })

  test('answers ListShards with an old list, then refuses it', async () => {
    const { clock, kinesis, transport } = setUp([
      { match: { operation: 'ListShards' }, action: { kind: 'staleShards', agoMs: 1_000 }, times: 1 },
      {
        match: { operation: 'ListShards', firstOrdinal: 2 },
        action: { kind: 'failRequest', errorCode: 'LimitExceededException' }
      }
    ])
    clock.advanceBy(900)
    kinesis.reshard('orders', 2)

    const stale = transport.listShards({ streamName: 'orders' })
    const refused = transport.listShards({ streamName: 'orders' })
    clock.advanceBy(10)

    expect((await stale).map(range => range.shardId)).toEqual(['shardId-000000000000'])
    expect(await outcome(refused)).toEqual({
      code: 'KPL_ERR_TRANSPORT',
      errorCode: 'LimitExceededException',
      statusCode: 400,
      persisted: 'no'
    })
  })

  test('stores in another order than the request has, and answers in the order of the request', async () => {
    const { clock, kinesis, transport } = setUp([{ action: { kind: 'shuffle' } }])
    const texts = Array.from({ length: 20 }, (_, i) => String(i))

    const answer = transport.putRecords(request(...texts))
    clock.advanceBy(10)
    const { records } = await answer

    const stored = kinesis.storedRecords('orders')
    const order = stored.map(({ data }) => Buffer.from(data).toString())
    const bySequenceNumber = new Map(stored.map(found => [found.sequenceNumber, Buffer.from(found.data).toString()]))
    expect(order).not.toEqual(texts)
    expect(records.map(({ sequenceNumber }) => bySequenceNumber.get(sequenceNumber!))).toEqual(texts)
  })

  test('adds up the actions of several rules, uses up their times, and forgets removed ones', () => {
    const plan = new FaultPlan()
    const ask = () => plan.decide({ operation: 'PutRecords', streamName: 'orders', nowMs: 0, entryCount: 1 })
    plan.add({ action: { kind: 'delay', delayMs: 5 }, times: 2 })
    const remove = plan.add({ action: { kind: 'delay', delayMs: 10 } })
    plan.add({ match: { streamName: 'other' }, action: { kind: 'reset' } })

    const delays = [ask().answerDelayMs]
    remove()
    delays.push(ask().answerDelayMs, ask().answerDelayMs)

    expect(delays).toEqual([15, 5, 0])
  })

  test('decides the same for the same seed, and refuses a probability without a random source', () => {
    const rule: FaultRule = { match: { probability: 0.5 }, action: { kind: 'reset' } }
    const draw = () => {
      const plan = new FaultPlan([rule], seededRandom(9))
      const ask = () => plan.decide({ operation: 'PutRecords', streamName: 'orders', nowMs: 0, entryCount: 1 })
      return Array.from({ length: 100 }, () => (ask().ending === undefined ? 0 : 1))
    }

    const [first, second] = [draw(), draw()]

    expect(second).toEqual(first)
    expect(new Set(first)).toEqual(new Set([0, 1]))
    expect(() => new FaultPlan([rule])).toThrow(TypeError)
  })
})

describe('DiscardTransport', () => {
  test('acknowledges every entry for the shard of its key and counts it', async () => {
    const transport = new DiscardTransport({ shards: 2 })

    const { records } = await transport.putRecords({
      stream: { streamName: 'any' },
      entries: [
        { data: Buffer.from('abc'), partitionKey: 'a' },
        { data: Buffer.from('de'), partitionKey: 'b' }
      ]
    })

    expect(records.map(answer => answer.shardId)).toEqual(['shardId-000000000000', 'shardId-000000000001'])
    expect(records[0]!.sequenceNumber! < records[1]!.sequenceNumber!).toBe(true)
    expect(transport.stats()).toEqual({ requestCount: 1, recordCount: 2, dataBytes: 5 })
    expect(await transport.listShards()).toEqual([
      { shardId: 'shardId-000000000000', startingHashKey: '0', endingHashKey: String(2n ** 127n - 1n) },
      { shardId: 'shardId-000000000001', startingHashKey: String(2n ** 127n), endingHashKey: String(2n ** 128n - 1n) }
    ])
  })
})

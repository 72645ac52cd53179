/** What the KPL's retrier_test asserts, through the whole producer, and where ours is deliberately better. */
import { describe, expect, test } from 'vitest'
import { TransportError } from '../../src/model/errors.ts'
import type { ProducerOptions } from '../../src/model/options.ts'
import type { PutRecordsAnswer, PutRecordsRequest, ShardHashRange, Transport } from '../../src/model/ports.ts'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { VirtualClock } from '../../src/testing/index.ts'
import { microtasks, type Settled } from '../support/harness.ts'

const MAX = (1n << 128n) - 1n
const OK = (shardId: string, sequenceNumber: string): PutRecordsAnswer => ({ shardId, sequenceNumber })
type Script = (request: PutRecordsRequest, ordinal: number) => readonly PutRecordsAnswer[] | TransportError

/** A producer over a service that answers as the script says; two halves for shards until `listing` is changed. */
async function open(script: Script, options: ProducerOptions = {}) {
  const clock = new VirtualClock()
  const requests: PutRecordsRequest[] = []
  let listings = 0
  let isOpening = true
  const world = {
    listing: halves('shardId-000000000000', 'shardId-000000000001') as readonly ShardHashRange[],
    requests,
    listings: () => listings
  }
  const transport: Transport = {
    putRecords: request => {
      requests.push(request)
      const answer = (isOpening ? allOk : script)(request, requests.length)
      return answer instanceof TransportError ? Promise.reject(answer) : Promise.resolve({ records: answer })
    },
    listShards: () => {
      listings++
      return Promise.resolve(world.listing)
    },
    describeStream: () => Promise.resolve({ status: 'ACTIVE', recordDistribution: 'USER_PARTITION_KEY' }),
    close: () => {}
  }
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const producer = new KinesisProducer({ streamName: 's', logger, ...options }, { transport, clock, random: () => 0.5 })
  const put = (data: string, explicitHashKey: bigint) => {
    const slot: { settled?: Settled } = {}
    producer.tryPut({ partitionKey: 'key', data, explicitHashKey }, (error, result) => {
      slot.settled = { atMs: clock.nowMs(), ...(error && { error }), ...(result && { result }) }
    })
    return slot
  }
  const pass = async (ms: number) => {
    const untilMs = clock.nowMs() + ms
    await microtasks()
    while ((clock.nextAtMs ?? Number.POSITIVE_INFINITY) <= untilMs) {
      clock.runNext()
      await microtasks()
    }
    clock.advanceTo(untilMs)
  }
  // The first put opens the stream; its map is there before anything is asked of it.
  put('first', 0n)
  await pass(1000)
  requests.length = 0
  isOpening = false
  return { ...world, world, producer, put, pass, requests }
}

function halves(low: string, high: string): ShardHashRange[] {
  const middle = MAX / 2n
  return [
    { shardId: low, startingHashKey: '0', endingHashKey: String(middle) },
    { shardId: high, startingHashKey: String(middle + 1n), endingHashKey: String(MAX) }
  ]
}

const LOW = 'shardId-000000000000'
const HIGH = 'shardId-000000000001'
const allOk: Script = request =>
  request.entries.map((entry, i) => OK(BigInt(entry.explicitHashKey ?? 0) > MAX / 2n ? HIGH : LOW, `10${i}`))

describe('retrier_test', () => {
  test('Success: every member has one successful attempt with shard, sequence number and the times of the request', async () => {
    const { put, pass } = await open(allOk)
    const slots = [put('a', 1n), put('b', 2n), put('c', MAX)]

    await pass(200)

    const attempt = { startMs: 1100, endMs: 1100 }
    expect(slots.map(slot => slot.settled?.result)).toEqual([
      {
        shardId: LOW,
        sequenceNumber: '100',
        subSequenceNumber: 0,
        attempts: [{ ...attempt, shardId: LOW, sequenceNumber: '100' }]
      },
      {
        shardId: LOW,
        sequenceNumber: '100',
        subSequenceNumber: 1,
        attempts: [{ ...attempt, shardId: LOW, sequenceNumber: '100' }]
      },
      { shardId: HIGH, sequenceNumber: '101', attempts: [{ ...attempt, shardId: HIGH, sequenceNumber: '101' }] }
    ])
  })

  test('RequestFailure: the same bytes go again, and the attempt carries code and message of the failure', async () => {
    const failure = new TransportError({
      errorCode: 'SomeCode',
      message: 'some message',
      statusCode: 500,
      persisted: 'maybe'
    })
    const { put, pass, requests } = await open((request, i) => (i === 1 ? failure : allOk(request, i)))
    const [first] = [put('a', 1n), put('b', 2n)]

    await pass(1000)

    const attempts = first!.settled?.result?.attempts.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])
    expect(attempts).toEqual([
      ['SomeCode', 'some message'],
      [undefined, undefined]
    ])
    expect(requests.map(request => request.entries.map(entry => Buffer.from(entry.data).toString('hex')))).toEqual([
      [Buffer.from(requests[0]!.entries[0]!.data).toString('hex')],
      [Buffer.from(requests[0]!.entries[0]!.data).toString('hex')]
    ])
  })

  test('Partial: the good entries finish, the bad ones go again with their own code and message', async () => {
    const answers = [
      OK(LOW, '1'),
      OK(LOW, '2'),
      { errorCode: 'xx', errorMessage: 'yy' },
      { errorCode: 'InternalFailure', errorMessage: 'try again' },
      { errorCode: 'ServiceUnavailable', errorMessage: '' },
      { errorCode: 'ProvisionedThroughputExceededException', errorMessage: 'slow down' }
    ]
    const { put, pass } = await open((request, i) => (i === 1 ? answers : allOk(request, i)), {
      aggregationEnabled: false
    })
    const slots = answers.map((_, i) => put(`${i}`, 1n))

    await pass(5000)

    const firstAttempts = slots.map(slot => slot.settled?.result?.attempts[0]).map(a => [a?.errorCode, a?.errorMessage])
    expect(firstAttempts).toEqual(
      answers.map(answer => ('errorCode' in answer ? [answer.errorCode, answer.errorMessage] : [undefined, undefined]))
    )
    expect(slots.map(slot => slot.settled?.result?.attempts.length)).toEqual([1, 1, 2, 2, 2, 2])
  })

  test('WrongShard: an aggregate in a shard that is not known yet waits for the map, and goes again if it does not fit', async () => {
    const script: Script = (request, i) =>
      i === 1 ? [OK('shardId-000000000004', '1')] : request.entries.map(() => OK(LOW, '2'))
    const { put, pass, world, requests } = await open(script)
    world.listing = [
      { shardId: LOW, startingHashKey: '0', endingHashKey: '10' },
      { shardId: 'shardId-000000000004', startingHashKey: '11', endingHashKey: String(MAX) }
    ]
    const slots = [put('a', 1n), put('b', 2n)]

    await pass(3000)

    expect(slots.map(slot => slot.settled?.result?.attempts.map(attempt => attempt.errorCode))).toEqual([
      ['WrongShard', undefined],
      ['WrongShard', undefined]
    ])
    expect(requests.length).toBe(2)
  })

  test('InvalidateForFirstUserRecordOnly: one answer from an unexpected shard asks for one listing, however many members', async () => {
    const { put, pass, listings } = await open(request => request.entries.map(() => OK(HIGH, '1')))
    const before = listings()
    for (let i = 0; i < 10; i++) put(`${i}`, 1n)

    await pass(150)

    expect(listings() - before).toBe(1)
  })

  test('WrongShardButCorrectHashrange: all members in the range, its ends included, are delivered at once', async () => {
    const merged = 'shardId-000000000002'
    const { put, pass, world, producer } = await open((request, i) => (i === 1 ? [OK(merged, '9')] : allOk(request, i)))
    world.listing = [{ shardId: merged, startingHashKey: '0', endingHashKey: String(MAX) }]
    const slots = [0n, 1n, 5n, MAX / 2n].map((hashKey, i) => put(`${i}`, hashKey))

    await pass(2500)

    expect(slots.map(slot => [slot.settled?.result?.shardId, slot.settled?.result?.attempts.length])).toEqual(
      Array(4).fill([merged, 1])
    )
    expect(producer.stats().streams['s']?.mispredicted).toBe(1)
  })

  test('better than the KPL: with one member outside the range all members go again, and none is acknowledged and lost', async () => {
    const child = 'shardId-000000000002'
    const script: Script = (request, i) => {
      if (i === 1) return [OK(child, '9')]
      return request.entries.map(entry => (BigInt(entry.explicitHashKey ?? 0) < 3n ? OK(LOW, '20') : OK(child, '21')))
    }
    const { put, pass, world } = await open(script)
    world.listing = [
      { shardId: LOW, startingHashKey: '0', endingHashKey: '2' },
      { shardId: child, startingHashKey: '3', endingHashKey: String(MAX) }
    ]
    const slots = [0n, 1n, 11n, 12n].map((hashKey, i) => put(`${i}`, hashKey))

    await pass(3000)

    expect(slots.map(slot => slot.settled?.result?.sequenceNumber)).toEqual(['20', '20', '21', '21'])
  })

  test('better than the KPL: a plain record is delivered wherever it landed, and never stored twice for it', async () => {
    const { put, pass, requests } = await open(request => request.entries.map(() => OK(HIGH, '1')), {
      aggregationEnabled: false
    })
    const slot = put('a', 1n)

    await pass(3000)

    expect([slot.settled?.result?.shardId, requests.length]).toEqual([HIGH, 1])
  })

  test('better than the KPL: an answer of another length is retried, not failed', async () => {
    const { put, pass } = await open((request, i) => (i === 1 ? [] : allOk(request, i)))
    const slot = put('a', 1n)

    await pass(3000)

    expect(slot.settled?.result?.attempts.map(attempt => attempt.errorCode)).toEqual(['RecordCountMismatch', undefined])
  })

  test('better than the KPL: an expired record has the attempts that were made and no invented one', async () => {
    const down = new TransportError({ errorCode: 'ECONNREFUSED', message: 'refused', persisted: 'no' })
    const { put, pass } = await open((request, i) => (i < 1_000_000 && request.entries.length > 0 ? down : []), {
      recordTtlMs: 2000
    })
    const slot = put('a', 1n)

    await pass(60_000)

    const error = slot.settled?.error
    expect([error?.code, error?.serviceCode, error?.persisted]).toEqual(['KPL_ERR_EXPIRED', 'ECONNREFUSED', 'no'])
    expect(new Set(error?.attempts.map(attempt => attempt.errorCode))).toEqual(new Set(['ECONNREFUSED']))
    expect(slot.settled!.atMs).toBeLessThanOrEqual(1000 + 2000 + 1)
  })

  test('better than the KPL: the TTL may be infinite', async () => {
    let isDown = true
    const down = new TransportError({ errorCode: 'ECONNREFUSED', message: 'refused', persisted: 'no' })
    const { put, pass } = await open((request, i) => (isDown ? down : allOk(request, i)), {
      recordTtlMs: Number.POSITIVE_INFINITY
    })
    const slot = put('a', 1n)

    await pass(3_600_000)
    isDown = false
    await pass(60_000)

    expect(slot.settled?.result?.shardId).toBe(LOW)
  })
})

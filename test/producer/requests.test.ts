/** A transport may be anybody's: whatever it does, every record is called back and nothing escapes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PutRecordsResponse, ShardHashRange, StreamSummary, Transport } from '../../src/model/ports.ts'
import type { PutResult } from '../../src/model/results.ts'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { seededRandom, VirtualClock } from '../../src/testing/index.ts'
import { Harness, microtasks } from '../support/harness.ts'
import { SILENT } from '../support/silent.ts'

const escaped: unknown[] = []
const noteEscape = (error: unknown) => escaped.push(error)
beforeAll(() => {
  process.on('unhandledRejection', noteEscape)
  process.on('uncaughtException', noteEscape)
})
afterAll(() => {
  process.off('unhandledRejection', noteEscape)
  process.off('uncaughtException', noteEscape)
  expect(escaped).toEqual([])
})

const answers: [string, () => unknown][] = [
  ['that is undefined', () => undefined],
  ['that is null', () => null],
  ['that is text', () => 'ok'],
  ['without records', () => ({})],
  ['with records that are no list', () => ({ records: { length: 1 } })],
  ['with a record that is null', () => ({ records: [null] })],
  ['with fields of another kind', () => ({ records: [{ shardId: 7, sequenceNumber: [] }] })],
  ['with an error code of another kind', () => ({ records: [{ errorCode: 500 }] })],
  ['whose records throw when they are read', () => ({ records: [throwing('errorCode')] })],
  ['that throws when it is read', () => throwing('records')]
]

describe('an answer to PutRecords', () => {
  test.each(answers)('%s is an unclear answer: the record goes again and is delivered', async (_, answer) => {
    const world = new Stubborn({ putRecords: answer })

    const result = await world.put()

    expect(result).toMatchObject({ shardId: 'shardId-000000000000', attempts: [{}, {}] })
  })

  test.each([0, 2])('of %i answers to one record is told as RecordCountMismatch', async count => {
    const answer = { shardId: 'shardId-000000000000', sequenceNumber: '7' }
    const world = new Stubborn({ putRecords: () => ({ records: Array(count).fill(answer) }) })

    const result = await world.put()

    expect(result).toMatchObject({
      attempts: [{ errorCode: 'RecordCountMismatch' }, { sequenceNumber: expect.any(String) }]
    })
  })

  test.each<[string, () => unknown]>([
    ['throws', fail],
    ['rejects with an error', () => Promise.reject(new Error('a fault of the transport'))],
    ['rejects with nothing', () => Promise.reject()],
    ['rejects with what has no text', () => Promise.reject({ toString: fail })],
    [
      'rejects with what throws when it is asked what it is',
      () => Promise.reject(new Proxy({}, { get: fail, getPrototypeOf: fail }))
    ]
  ])('of a transport that %s is an unclear answer', async (_, putRecords) => {
    const world = new Stubborn({ putRecords })

    const result = await world.put()

    expect(result).toMatchObject({ attempts: [{ errorCode: 'UnknownError' }, { sequenceNumber: expect.any(String) }] })
  })
})

test('a transport that takes the entries out of its request, to send them in pieces, is answered for all of them', async () => {
  const world = new Stubborn({
    putRecords: request => {
      const pieces = (request as { entries: unknown[] }).entries.splice(0)
      return { records: pieces.map(() => ({ shardId: 'shardId-000000000000', sequenceNumber: '77' })) }
    }
  })

  const result = await world.put()

  expect(result).toMatchObject({ sequenceNumber: '77' })
})

test('an empty error code is none', async () => {
  const world = new Stubborn({ putRecords: () => ({ records: [{ errorCode: '', errorMessage: '' }] }) })

  const { attempts } = (await world.put()) as PutResult

  expect(attempts.map(({ errorCode }) => errorCode)).toEqual([undefined, undefined])
})

test.each([-1, 0, '1'])('a summary with the size %o says nothing of it', async size => {
  const summary = { status: 'ACTIVE', recordDistribution: 'USER_PARTITION_KEY', maxRecordBytes: size }
  const world = new Stubborn({ describeStream: () => Promise.resolve(summary) })

  await world.put()

  expect(world.warnings).toEqual([])
})

describe('a listing or a summary', () => {
  test.each<[string, () => unknown]>([
    ['throws', fail],
    ['is no promise', () => 7],
    ['is undefined', () => undefined],
    ['is null', () => null],
    ['holds nothing', () => [null, undefined, 7]],
    ['throws when it is read', () => throwing('map')],
    [
      'throws in a shard, or in its status',
      () =>
        Object.assign([throwing('shardId')], {
          get status() {
            return fail()
          }
        })
    ],
    ['is a proxy that throws', () => new Proxy([], { get: fail })]
  ])('that %s holds up no record', async (_, answer) => {
    const world = new Stubborn({ listShards: answer, describeStream: answer })

    const result = await world.put()

    expect(result).toMatchObject({ shardId: 'shardId-000000000000' })
  })
})

test.each<[string, () => unknown]>([
  ['throws', fail],
  ['rejects', () => Promise.reject(new Error('a fault of the transport'))]
])('close answers although the transport %s in its own', async (_, close) => {
  const world = new Stubborn({ close })
  await world.put()

  const closed = await world.producer.close()
  await microtasks()

  expect(closed).toEqual({ delivered: 0, failed: 0 })
})

/** A transport whose first answers are what it is told. */
class Stubborn implements Transport {
  readonly clock = new VirtualClock(1000)
  readonly producer: KinesisProducer
  readonly warnings: unknown[] = []
  readonly #first: Partial<Record<keyof Transport, (request: unknown) => unknown>>
  #stored = 0

  constructor(first: Partial<Record<keyof Transport, (request: unknown) => unknown>>) {
    this.#first = first
    const ports = { transport: this, clock: this.clock, random: seededRandom(1) }
    const logger = { ...SILENT, warn: (message: string) => this.warnings.push(message) }
    this.producer = new KinesisProducer({ streamName: 's', logger }, ports)
  }

  put(): Promise<unknown> {
    const put = this.producer.put({ partitionKey: 'k', data: 'x' })
    return Harness.prototype.settle.call({ clock: this.clock }, put, 20_000)
  }

  putRecords(request: Parameters<Transport['putRecords']>[0]): Promise<PutRecordsResponse> {
    const { entries } = request
    const shardId = 'shardId-000000000000'
    const records = entries.map(() => ({ shardId, sequenceNumber: String(++this.#stored) }))
    return this.#answer('putRecords', Promise.resolve({ records }), request)
  }

  listShards(): Promise<readonly ShardHashRange[]> {
    const whole = { shardId: 'shardId-000000000000', startingHashKey: '0', endingHashKey: String(2n ** 128n - 1n) }
    return this.#answer('listShards', Promise.resolve([whole]))
  }

  describeStream(): Promise<StreamSummary> {
    return this.#answer(
      'describeStream',
      Promise.resolve({ status: 'ACTIVE', recordDistribution: 'USER_PARTITION_KEY' })
    )
  }

  readonly close = (): unknown => this.#answer('close', undefined)

  #answer<Answer>(name: keyof Transport, usual: Answer, request?: unknown): Answer {
    const answer = this.#first[name]
    delete this.#first[name]
    return answer === undefined ? usual : (answer(request) as Answer)
  }
}

function fail(): never {
  throw new Error('a fault of the transport')
}

function throwing(name: string): object {
  return Object.defineProperty({}, name, { enumerable: true, get: fail })
}

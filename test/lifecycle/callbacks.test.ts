import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { KinesisProducer, type ProducerError, type ProducerOptions } from '../../src/index.ts'
import { type FakeKinesisServer, FaultPlan, type FaultRule, startFakeKinesisServer } from '../../src/testing/index.ts'
import { SILENT } from '../support/silent.ts'
import { MAX_PROGRAM_MS, runProgram } from './child-program.ts'
import type { HostileReport } from './programs/hostile-users.ts'

const servers: FakeKinesisServer[] = []
afterEach(() => Promise.all(servers.splice(0).map(server => server.close())))

const RECORDS = 100
const HOSTILE_RECORDS = 20
const record = (index: number) => ({ partitionKey: `customer-${index}`, data: `${index}` })
const INDEXES = Array.from({ length: RECORDS }, (_, index) => index)

describe('over real sockets, a callback that throws', () => {
  test('disturbs neither its siblings nor close, and each throw is told to the logger', async () => {
    const { options } = await serve()
    const told: unknown[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (message: string) => told.push(message) }
    const producer = new KinesisProducer({ ...options, logger })
    const settled: number[] = []
    for (const index of INDEXES) {
      producer.tryPut(record(index), () => {
        settled.push(index)
        if (index % 2 === 0) throw new Error('a fault of the user')
      })
    }

    const result = await producer.close()

    expect(result).toEqual({ delivered: RECORDS, failed: 0 })
    expect(settled.sort((left, right) => left - right)).toEqual(INDEXES)
    expect(told).toEqual(Array(RECORDS / 2).fill('a settle callback threw'))
  })

  test.each([undefined, null, 'text', 17])('may throw %j', async thrown => {
    const { options } = await serve()
    const producer = new KinesisProducer({ ...options, logger: SILENT })
    for (const index of INDEXES) {
      producer.tryPut(record(index), () => {
        throw thrown
      })
    }

    const result = await producer.close()

    expect(result).toEqual({ delivered: RECORDS, failed: 0 })
  })

  test('in an outage lets close end in time', async () => {
    const { options } = await serve({ action: { kind: 'silence' } })
    const producer = new KinesisProducer({ ...options, logger: SILENT })
    let calls = 0
    for (const index of INDEXES) {
      producer.tryPut(record(index), () => {
        calls++
        throw new Error('a fault of the user')
      })
    }

    const result = await producer.close({ timeoutMs: 50 })

    expect([result, calls]).toEqual([{ delivered: 0, failed: RECORDS }, RECORDS])
  })
})

describe("a user's code at its worst does not keep records from their answers:", () => {
  let report: HostileReport
  beforeAll(async () => {
    const { server } = await serve({ match: { operation: 'ListShards' }, action: REFUSED })
    report = (await runProgram<HostileReport>('hostile-users', [server.endpoint])).report
  }, MAX_PROGRAM_MS)

  const sound = { closed: { delivered: HOSTILE_RECORDS, failed: 0 }, callbacks: HOSTILE_RECORDS, unhandled: [] }

  // Thrown out of the settlements, it would leave them marked as running, and nobody would be called back again.
  test.each([
    'callbacks throw an object without a text',
    'callbacks throw an error whose message throws',
    'callbacks throw and so does the logger',
    'the logger rejects',
    'the logger throws'
  ])('%s', name => {
    expect(report[name]).toEqual(sound)
  })
})

describe('over real sockets, a callback that enters the producer again', () => {
  test('by putting makes a chain in which every record is stored once', async () => {
    const { options, server } = await serve()
    const producer = new KinesisProducer({ ...options, recordMaxBufferedTimeMs: 0 })
    const settled: number[] = []
    await new Promise<void>(resolve => {
      const next = (index: number) => {
        producer.tryPut(record(index), () => {
          settled.push(index)
          if (index + 1 < RECORDS) next(index + 1)
          else resolve()
        })
      }
      next(0)
    })

    await producer.close()

    expect(settled).toEqual(INDEXES)
    expect(storedTexts(server)).toEqual(INDEXES.map(String))
  })

  test('by flushing gets its flush', async () => {
    const { options } = await serve()
    const producer = new KinesisProducer({ ...options, recordMaxBufferedTimeMs: 60_000 })
    const later: Promise<unknown>[] = []
    const flushed = new Promise<string>(resolve => {
      producer.tryPut(record(0), () => {
        later.push(producer.put(record(1)))
        void producer.flush().then(() => resolve('flushed'))
      })
    })

    await producer.flush()

    expect(await flushed).toBe('flushed')
    expect(await Promise.all(later)).toHaveLength(1)
    await producer.close()
  })

  test('by closing closes once, and what it puts afterwards is refused', async () => {
    const { options } = await serve()
    const producer = new KinesisProducer(options)
    const closes = new Set<Promise<unknown>>()
    const refusals: string[] = []
    for (const index of INDEXES) {
      producer.tryPut(record(index), () => {
        closes.add(producer.close())
        try {
          producer.tryPut(record(index))
        } catch (error) {
          refusals.push((error as ProducerError).code)
        }
      })
    }

    await producer.flush()
    await Promise.all(closes)

    expect(closes.size).toBe(1)
    expect(refusals).toEqual(Array(RECORDS).fill('KPL_ERR_CLOSED'))
    expect(producer.stats()).toMatchObject({ delivered: RECORDS, failed: 0, bufferedRecords: 0, inFlightRequests: 0 })
  })

  test('by closing with no time, in the midst of answers, leaves no record without an answer', async () => {
    const { options } = await serve({
      match: { probability: 0.5, operation: 'PutRecords' },
      action: { kind: 'silence' }
    })
    const producer = new KinesisProducer({ ...options, aggregationEnabled: false, collectionMaxCount: 5 })
    let closing: Promise<unknown> | undefined
    let calls = 0
    for (const index of INDEXES) {
      producer.tryPut(record(index), () => {
        calls++
        closing ??= producer.close({ timeoutMs: 0 })
      })
    }

    await producer.flush()
    await closing

    expect(calls).toBe(RECORDS)
    expect(producer.stats()).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0, inFlightRequests: 0 })
  })

  test('by waiting for room and reading stats sees its own record gone', async () => {
    const { options } = await serve()
    const producer = new KinesisProducer({ ...options, bufferMaxRecords: 1, recordMaxBufferedTimeMs: 0 })
    const seen: unknown[] = []
    producer.tryPut(record(0), () => {
      seen.push(producer.stats().bufferedRecords)
      void producer.ready().then(() => seen.push('room'))
    })

    await producer.flush()
    await producer.close()

    expect(seen).toEqual([0, 'room'])
  })
})

/** A refusal is not tried again, so that the logger is told at once. */
const REFUSED = { kind: 'failRequest', errorCode: 'AccessDeniedException', statusCode: 400 } as const

async function serve(...rules: FaultRule[]): Promise<{ server: FakeKinesisServer; options: ProducerOptions }> {
  let draws = 0
  // Every other draw is under one half.
  const server = await startFakeKinesisServer({ faults: new FaultPlan(rules, () => (draws++ % 2 === 0 ? 0.9 : 0.1)) })
  servers.push(server)
  server.kinesis.createStream({ StreamName: 'orders', ShardCount: 2 })
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  return { server, options: { streamName: 'orders', region: 'us-east-1', endpoint: server.endpoint, credentials } }
}

function storedTexts(server: FakeKinesisServer): string[] {
  const texts = server.kinesis.storedRecords('orders').map(({ data }) => new TextDecoder().decode(data))
  return texts.sort((left, right) => Number(left) - Number(right))
}

import { expect, test } from 'vitest'
import { InvalidRecordError, OptionsError, type ProducerError } from '../../src/model/errors.ts'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { DiscardTransport } from '../../src/testing/index.ts'
import { Harness } from '../support/harness.ts'
import { thrownBy } from '../support/thrown-by.ts'

const CANARY = 'canary-payload'

test.each([
  ['partitionKey', { partitionKey: '', data: CANARY }, 'partitionKey must have 1 to 256 characters, got 0'],
  [
    'partitionKey',
    { partitionKey: 'k'.repeat(257), data: CANARY },
    'partitionKey must have 1 to 256 characters, got 257'
  ],
  [
    'partitionKey',
    { partitionKey: 'a\ud800b', data: CANARY },
    'partitionKey must be well-formed Unicode, got a lone surrogate'
  ],
  ['partitionKey', { partitionKey: 7, data: CANARY }, 'partitionKey must be a string, got number'],
  ['data', { partitionKey: 'k', data: 7 }, 'data must be a Uint8Array or a string, got number'],
  ['data', { partitionKey: 'k', data: null }, 'data must be a Uint8Array or a string, got null'],
  [
    'explicitHashKey',
    { partitionKey: 'k', data: CANARY, explicitHashKey: '+5' },
    'explicitHashKey must be plain decimal digits without sign, spaces or leading zeros'
  ],
  [
    'explicitHashKey',
    { partitionKey: 'k', data: CANARY, explicitHashKey: -1n },
    'explicitHashKey must be from 0 to 2^128 - 1, got a bigint outside of it'
  ],
  [
    'explicitHashKey',
    { partitionKey: 'k', data: CANARY, explicitHashKey: (1n << 128n).toString() },
    'explicitHashKey must be from 0 to 2^128 - 1, got a greater number'
  ],
  ['streamName', { partitionKey: 'k', data: CANARY, streamName: '' }, 'streamName must not be empty'],
  [
    'streamName',
    { partitionKey: 'k', data: CANARY, streamName: 'a b' },
    'streamName must be 1 to 128 of the characters a-z A-Z 0-9 _ . - or a stream ARN, got 3 characters that are not'
  ]
])('refuses a bad %s with the field and the limit, and takes nothing', (field, record, message) => {
  const { producer } = new Harness()

  const error = thrownBy(() => producer.tryPut(record as never))

  expect(error).toBeInstanceOf(InvalidRecordError)
  expect({ code: (error as InvalidRecordError).code, field: (error as InvalidRecordError).field }).toEqual({
    code: 'KPL_ERR_INVALID_RECORD',
    field
  })
  expect((error as Error).message).toBe(message)
  expect(producer.stats().bufferedRecords).toBe(0)
})

test('counts the partition key into the size of a record, to the byte', () => {
  const { producer } = new Harness({ maxUserRecordBytes: 1000, aggregationMaxBytes: 1000 })

  const isTaken = producer.tryPut({ partitionKey: 'é', data: new Uint8Array(998) })
  const error = thrownBy(() => producer.tryPut({ partitionKey: 'é', data: new Uint8Array(999) }))

  expect(isTaken).toBe(true)
  expect((error as InvalidRecordError).code).toBe('KPL_ERR_RECORD_TOO_LARGE')
  expect((error as Error).message).toContain('must be at most 1000 bytes')
  expect((error as Error).message).toContain('got 1001')
})

test('names every fault of the options at once, and suggests the option that was meant', () => {
  const error = thrownBy(
    () => new KinesisProducer({ recordTtl: 5, aggregationMaxBytes: 1, maxInFlightRequests: 'many' } as never)
  )

  expect(error).toBeInstanceOf(OptionsError)
  expect((error as OptionsError).faults).toEqual([
    'recordTtl is not an option; did you mean recordTtlMs?',
    'aggregationMaxBytes must be from 64 to 10485760 bytes, got 1',
    'maxInFlightRequests must be a whole number of requests, got string'
  ])
})

test('says which record has no stream when there is no default', () => {
  const producer = new KinesisProducer({}, { transport: new DiscardTransport() })

  const error = thrownBy(() => producer.tryPut({ partitionKey: 'k', data: '' }))

  expect((error as Error).message).toBe('streamName is missing, and the producer has no default')
})

test('refuses when the buffer is full, takes nothing, and announces room', async () => {
  const harness = new Harness({ bufferMaxRecords: 8 })
  for (let i = 0; i < 8; i++) harness.put('k', `${i}`)

  const isTaken = harness.producer.tryPut({ partitionKey: 'k', data: 'ninth' })
  const rejected = await harness.producer.put({ partitionKey: 'k', data: 'ninth' }).catch((error: unknown) => error)
  await harness.settle(harness.producer.ready())

  expect(isTaken).toBe(false)
  expect((rejected as ProducerError).code).toBe('KPL_ERR_BUFFER_FULL')
  expect(harness.producer.stats().bufferedRecords).toBeLessThan(8)
})

test('an async callback that rejects is told as one that throws', async () => {
  const told: unknown[] = []
  const logger = { debug() {}, info() {}, warn() {}, error: (...args: unknown[]) => told.push(args) }
  const harness = new Harness({ logger })
  const callback = async () => {
    throw new Error('a fault of the user')
  }

  harness.producer.tryPut({ partitionKey: 'k', data: 'v' }, callback)
  await harness.settle(harness.producer.close())
  await harness.pass(1)

  expect(told).toEqual([['a settle callback threw', { error: 'Error: a fault of the user' }]])
})

test('a signal that throws when it is let go keeps neither flush nor close from ending', async () => {
  const harness = new Harness()
  harness.put('k', 'v')
  const signal = {
    throwIfAborted() {},
    addEventListener() {},
    removeEventListener() {
      throw new Error('a fault of the user')
    }
  }

  const put = harness.producer.put({ partitionKey: 'k', data: 'v' }, { signal: signal as never })
  const flushes = [harness.producer.flush({ signal: signal as never }), harness.producer.flush()]
  await harness.settle(Promise.all([put, ...flushes]))
  const closed = await harness.settle(harness.producer.close())

  expect(closed).toEqual({ delivered: 0, failed: 0 })
})

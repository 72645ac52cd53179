import { describe, expect, test } from 'vitest'
import { deaggregate, deaggregateAll } from '../../src/consumer/deaggregate.ts'
import type { InvalidRecordError, ProducerError } from '../../src/model/errors.ts'
import type { RecordFrame, UserRecord } from '../../src/model/records.ts'
import { Harness, STREAM } from '../support/harness.ts'
import { thrownBy } from '../support/thrown-by.ts'

const ORDERS: RecordFrame = { prefix: Buffer.from('0300b7b4a7f09c964e4aa687fb5de9ef0c63', 'hex') }
const PAYMENTS: RecordFrame = { prefix: Buffer.from('0300000102030405060708090a0b0c0d0e0f', 'hex') }

describe('a record with a schema', () => {
  test.each([
    ['text', '{"a":1}'],
    ['bytes', Buffer.from('{"a":1}')]
  ])('is stored with the frame of its schema straight before its data: %s', async (_, data) => {
    const harness = new Harness()

    await harness.settle(harness.producer.put({ partitionKey: 'k', data, schema: ORDERS }))

    expect(harness.storedBytes().map(hex)).toEqual(['0300b7b4a7f09c964e4aa687fb5de9ef0c637b2261223a317d'])
  })

  test('may have no data at all: the frame is the record', async () => {
    const harness = new Harness()

    await harness.settle(harness.producer.put({ partitionKey: 'k', data: '', schema: ORDERS }))

    expect(harness.storedBytes().map(hex)).toEqual(['0300b7b4a7f09c964e4aa687fb5de9ef0c63'])
  })

  test('shares an aggregate with records of another schema and of none', async () => {
    const harness = await new Harness().warm()
    const records: UserRecord[] = [
      { partitionKey: 'k', data: 'first', schema: ORDERS },
      { partitionKey: 'k', data: 'other', schema: PAYMENTS },
      { partitionKey: 'k', data: 'plain' },
      { partitionKey: 'k', data: 'longer than the others', schema: ORDERS }
    ]

    for (const record of records) harness.producer.tryPut(record)
    await harness.settle(harness.producer.flush())

    const [, aggregate] = harness.kinesis.storedRecords(STREAM)
    expect([...deaggregate(aggregate!.data)].map(({ data }) => hex(data))).toEqual([
      `0300b7b4a7f09c964e4aa687fb5de9ef0c63${hex(Buffer.from('first'))}`,
      `0300000102030405060708090a0b0c0d0e0f${hex(Buffer.from('other'))}`,
      hex(Buffer.from('plain')),
      `0300b7b4a7f09c964e4aa687fb5de9ef0c63${hex(Buffer.from('longer than the others'))}`
    ])
  })

  test('keeps its one frame when its aggregate is taken apart after a split and packed anew', async () => {
    const harness = await new Harness().warm()
    const [shard] = harness.kinesis.listShards({ StreamName: STREAM }).Shards
    const keys = ['a', 'b', 'c']
    const settled = keys.map(key => harness.producer.put({ partitionKey: key, data: `of ${key}`, schema: ORDERS }))
    harness.kinesis.splitShard({
      StreamName: STREAM,
      ShardToSplit: shard!.ShardId,
      NewStartingHashKey: (1n << 127n).toString()
    })

    const results = await harness.settle(Promise.all(settled))

    const prefix = hex(ORDERS.prefix)
    const framed = keys.map(key => `${prefix}${hex(Buffer.from(`of ${key}`))}`)
    const stored = harness.storedBytes().map(hex)
    expect(new Set(stored.slice(1))).toEqual(new Set(framed))
    expect(results.flatMap(({ attempts }) => attempts.map(({ errorCode }) => errorCode))).toContain('WrongShard')
  })

  test('counts its frame in its size, to the byte', async () => {
    const limit = 1000
    const harness = new Harness({ maxUserRecordBytes: limit })
    const { producer } = harness
    const fits: UserRecord = { partitionKey: 'k', data: 'x'.repeat(limit - 18 - 1), schema: ORDERS }

    const put = producer.put(fits)
    const errors = [limit - 18, limit - 17, limit + 1].map(dataBytes =>
      thrownBy(() => producer.tryPut({ ...fits, data: 'x'.repeat(dataBytes) }))
    ) as ProducerError[]

    await harness.settle(put)
    expect(harness.storedBytes().map(({ length }) => length)).toEqual([limit - 1])
    const what = 'data must be at most 1000 bytes (maxUserRecordBytes; data'
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['KPL_ERR_RECORD_TOO_LARGE', `${what} with the frame of its schema and partitionKey together), got 1001`],
      ['KPL_ERR_RECORD_TOO_LARGE', `${what} with the frame of its schema and partitionKey together), got 1002`],
      ['KPL_ERR_RECORD_TOO_LARGE', `${what} with the frame of its schema and partitionKey together), got 1020`]
    ])
  })

  test('costs the buffer its frame as well, and a larger one than any scratch is framed all the same', async () => {
    const harness = new Harness()
    const { producer } = harness
    const data = Buffer.alloc(100_000, 'x')

    producer.tryPut({ partitionKey: 'k', data })
    const plainBytes = producer.stats().bufferedBytes
    producer.tryPut({ partitionKey: 'k', data, schema: ORDERS })

    expect(producer.stats().bufferedBytes).toBe(2 * plainBytes + 18)
    await harness.settle(producer.flush())
    expect(harness.storedBytes()).toEqual(
      [data, Buffer.concat([ORDERS.prefix, data])].map(bytes => new Uint8Array(bytes))
    )
  })

  test('is what its schema encodes, where it does so; else prefix and data', async () => {
    const harness = new Harness()
    const schema: RecordFrame = {
      prefix: ORDERS.prefix,
      encode: data => (data.length > 3 ? Uint8Array.of(3, 5, data.length) : undefined)
    }

    for (const data of ['long', 'x', Buffer.from('bytes')]) harness.producer.tryPut({ partitionKey: 'k', data, schema })
    await harness.settle(harness.producer.flush())

    expect(harness.storedBytes().map(hex)).toEqual(['030504', `${hex(ORDERS.prefix)}78`, '030505'])
  })

  test('keeps the prefix that its schema had when it was first used', async () => {
    const harness = new Harness()
    const schema = { prefix: Uint8Array.of(3, 0, 1) }

    harness.producer.tryPut({ partitionKey: 'k', data: 'a', schema })
    harness.producer.tryPut({ partitionKey: 'k', data: 'b', schema: ORDERS })
    schema.prefix.fill(9)
    harness.producer.tryPut({ partitionKey: 'k', data: 'c', schema })
    await harness.settle(harness.producer.flush())

    expect(harness.storedBytes().map(hex)).toEqual(['03000161', `${hex(ORDERS.prefix)}62`, '03000163'])
  })

  test('is refused when its schema encodes later, and what that throws then ends nothing', async () => {
    const unhandled: unknown[] = []
    const listen = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    const { producer } = new Harness()
    const encode = (() => Promise.reject(new Error('too late'))) as unknown as NonNullable<RecordFrame['encode']>

    const error = thrownBy(() =>
      producer.tryPut({ partitionKey: 'k', data: 'x', schema: { prefix: ORDERS.prefix, encode } })
    ) as InvalidRecordError
    await new Promise(resolve => setImmediate(resolve))
    process.off('unhandledRejection', listen)

    expect([error.message, unhandled]).toEqual(['schema must encode to a Uint8Array or to undefined, got Promise', []])
  })

  test('is refused as such when a field of its schema cannot be read', () => {
    const { producer } = new Harness()
    const schema = {
      // biome-ignore lint/suspicious/noThenProperty: what a schema that is a promise has
      get then() {
        throw new Error('unreadable')
      }
    } as unknown as RecordFrame

    const error = thrownBy(() => producer.tryPut({ partitionKey: 'k', data: 'x', schema })) as InvalidRecordError

    expect([error.code, error.field]).toEqual(['KPL_ERR_INVALID_RECORD', 'schema'])
  })

  test('may have a schema that puts a record while it encodes', async () => {
    const harness = new Harness()
    const { producer } = harness
    let isFirst = true
    const schema: RecordFrame = {
      prefix: ORDERS.prefix,
      encode: () => {
        if (isFirst) producer.tryPut({ partitionKey: 'inner', data: 'inner', schema: PAYMENTS })
        isFirst = false
        return undefined
      }
    }

    producer.tryPut({ partitionKey: 'outer', data: 'outer', schema })
    await harness.settle(producer.flush())

    const expected = [
      `inner ${hex(PAYMENTS.prefix)}${hex(Buffer.from('inner'))}`,
      `outer ${hex(ORDERS.prefix)}${hex(Buffer.from('outer'))}`
    ]
    const stored = harness.kinesis
      .storedRecords(STREAM)
      .flatMap(record =>
        [
          ...deaggregateAll([
            { Data: record.data, PartitionKey: record.partitionKey, SequenceNumber: record.sequenceNumber }
          ])
        ].map(({ partitionKey, data }) => `${partitionKey} ${hex(data)}`)
      )
    expect(stored).toEqual(expected)
  })
})

test('a record that begins as a frame does, and has no schema, is stored as it is', async () => {
  const harness = new Harness()
  const foreign = Buffer.from('03002a2a2a', 'hex')

  await harness.settle(harness.producer.put({ partitionKey: 'k', data: foreign }))

  expect(harness.storedBytes().map(hex)).toEqual(['03002a2a2a'])
})

const CANARY = 'canary-payload'
test.each([
  ['null', null, 'schema must be a schema with a prefix, such as glueRegistry resolves, got null'],
  ['a name', 'orders', 'schema must be a schema with a prefix, such as glueRegistry resolves, got string'],
  [
    'a promise',
    Promise.resolve(ORDERS),
    'schema must be a schema with a prefix, such as glueRegistry resolves, got Promise: await it first'
  ],
  [
    'a prefix that is text',
    { prefix: '0300' },
    'schema must be a schema with a prefix, such as glueRegistry resolves, got Object'
  ],
  [
    'a prefix of 65 bytes',
    { prefix: new Uint8Array(65) },
    'schema must have a prefix of at most 64 bytes, and its memory'
  ],
  [
    'a prefix that throws',
    {
      get prefix(): Uint8Array {
        throw new Error(CANARY)
      }
    },
    'schema must have fields that can be read, and reading one threw'
  ],
  [
    'an encode that throws',
    {
      prefix: ORDERS.prefix,
      encode: () => {
        throw new Error(CANARY)
      }
    },
    'schema must encode the data, and its encode threw'
  ],
  [
    'an encode that returns a string',
    { prefix: ORDERS.prefix, encode: () => CANARY },
    'schema must encode to a Uint8Array or to undefined, got string'
  ]
])('refuses %s for a schema, and takes nothing', (_, schema, message) => {
  const { producer } = new Harness()

  const error = thrownBy(() => producer.tryPut({ partitionKey: 'k', data: CANARY, schema } as never))

  const { code, field, message: told } = error as InvalidRecordError
  expect({ code, field, told, buffered: producer.stats().bufferedRecords }).toEqual({
    code: 'KPL_ERR_INVALID_RECORD',
    field: 'schema',
    told: message,
    buffered: 0
  })
})

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

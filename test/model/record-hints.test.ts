import { expect, test } from 'vitest'
import { InvalidRecordError } from '../../src/model/errors.ts'
import { recordHint } from '../../src/model/record-hints.ts'
import { Harness } from '../support/harness.ts'
import { thrownBy } from '../support/thrown-by.ts'

const CANARY = 'canary'
const bytes = new Uint8Array([1, 2])

const CASES: readonly (readonly [string, unknown, field: string, hint: string])[] = [
  ['nothing', undefined, 'record', 'write { partitionKey, data }'],
  ['null', null, 'record', 'write { partitionKey, data }'],
  ['a number', 7, 'partitionKey', 'write { partitionKey, data }'],
  ['text', CANARY, 'partitionKey', 'data alone is not a record: write { partitionKey, data }'],
  ['bytes', bytes, 'partitionKey', 'data alone is not a record: write { partitionKey, data }'],
  [
    'an array',
    [{ partitionKey: 'k', data: CANARY }],
    'partitionKey',
    'an array is not a record: put each element, or use putAll(records)'
  ],
  [
    'a promise',
    Promise.resolve({ partitionKey: 'k', data: CANARY }),
    'partitionKey',
    'a promise is not a record: await it first'
  ],
  [
    "the SDK's entry",
    { PartitionKey: 'k', Data: bytes },
    'partitionKey',
    'it looks like the record of another library: write partitionKey for PartitionKey, data for Data'
  ],
  [
    'half an entry',
    { partitionKey: 'k', Data: bytes },
    'data',
    'it looks like the record of another library: write data for Data'
  ],
  [
    "PutRecords' input",
    { StreamName: 's', Records: [{ PartitionKey: 'k', Data: bytes }] },
    'partitionKey',
    'it looks like the input of PutRecords: put each of its records, as { partitionKey, data }'
  ],
  [
    'a Kafka message',
    { key: 'k', value: CANARY },
    'partitionKey',
    'it looks like a Kafka message: write partitionKey for key, data for value'
  ],
  [
    'an event',
    { id: 1, name: CANARY },
    'partitionKey',
    'it looks like the data itself: write { partitionKey, data: JSON.stringify(value) }'
  ],
  ['an object as data', { partitionKey: 'k', data: { CANARY } }, 'data', 'write JSON.stringify(data)'],
  ['an ArrayBuffer', { partitionKey: 'k', data: bytes.buffer }, 'data', 'write new Uint8Array(data)'],
  [
    'another view',
    { partitionKey: 'k', data: new DataView(bytes.buffer) },
    'data',
    'write new Uint8Array(data.buffer, data.byteOffset, data.byteLength)'
  ],
  [
    'a promise as data',
    { partitionKey: 'k', data: Promise.resolve(CANARY) },
    'data',
    'a promise is not data: await it first'
  ],
  ['a Blob', { partitionKey: 'k', data: new Blob([CANARY]) }, 'data', 'write new Uint8Array(await data.arrayBuffer())'],
  ['a stream', { partitionKey: 'k', data: new ReadableStream() }, 'data', 'a stream is not data: read it first']
]

test.each(CASES)(
  '%s: put rejects and tryPut throws an InvalidRecordError that says what to write',
  async (_, record, field, hint) => {
    const { producer } = new Harness()

    const errors = [
      await producer.put(record as never).catch((error: unknown) => error),
      thrownBy(() => producer.tryPut(record as never))
    ]

    for (const error of errors) {
      if (!(error instanceof InvalidRecordError)) return expect.fail(String(error))
      expect([error.code, error.field, error.message.endsWith(`; ${hint}`)]).toEqual([
        'KPL_ERR_INVALID_RECORD',
        field,
        true
      ])
      expect(error.message).not.toContain(CANARY)
    }
    expect(producer.stats().invalid).toBe(2)
  }
)

test('what throws when it is looked at gets no advice, and keeps what was found', () => {
  const { producer } = new Harness()
  const hostile = new Proxy(
    {},
    {
      get: (_, name) => {
        if (name === 'partitionKey' || name === 'streamName') return undefined
        throw new Error(CANARY)
      }
    }
  )

  const hint = recordHint(hostile)

  expect([hint, thrownBy(() => producer.tryPut({ ...{}, partitionKey: '', data: 'x' }))]).toMatchObject([
    undefined,
    { message: 'partitionKey must have 1 to 256 characters, got 0' }
  ])
})

import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import {
  type AggregatableRecord,
  aggregate,
  ConsumerError,
  deaggregate,
  RecordAggregator
} from '../../../src/consumer/deaggregate.ts'
import { type LiteralRecord, vectors, wrap } from '../../wire/vectors.ts'

const literal = (id: string) => vectors.literal.find(vector => vector.id === id)!

/** Feeds everything to one aggregator that has no bound and seals it. */
function sealed(records: readonly AggregatableRecord[]) {
  const aggregator = new RecordAggregator({ maxBytes: Number.POSITIVE_INFINITY })
  for (const record of records) aggregator.add(record)
  return aggregator.seal()
}

describe('aggregate', () => {
  test.each(vectors.literal.filter(v => v.aggregatorMustReproduce === true))('makes $id byte for byte', vector => {
    const expected = vector.expected.records as readonly LiteralRecord[]
    const records = expected.map(record => ({
      partitionKey: record.partitionKey,
      explicitHashKey: record.explicitHashKey ?? undefined,
      data: record.dataUtf8
    }))

    const aggregated = sealed(records)

    expect(Buffer.from(aggregated!.data).toString('base64')).toBe(vector.value)
  })

  test("makes the Java aggregator's record when every input has its hash key", () => {
    const alphabet = 'abcdefghijklmnopqrstuvwxyz'
    const records = Array.from({ length: 100 }, (_, i) => ({
      partitionKey: 'abc',
      explicitHashKey: 191415658344158766168031473277922803570n,
      data: i % 2 === 0 ? alphabet : [...alphabet].reverse().join('')
    }))

    const aggregated = sealed(records)

    expect(Buffer.from(aggregated!.data).toString('base64')).toBe(literal('java-aggregator-100-records').value)
  })

  test.each([
    [
      'f3899ac20a02706b1a0908001a0568656c6c6f1a0908001a05776f726c644747b0d63591c416fdae617529bdda27',
      [
        { partitionKey: 'pk', data: 'hello' },
        { partitionKey: 'pk', data: 'world' }
      ]
    ],
    [
      'f3899ac20a01610a016212033132331a0508001a01781a08080110001a02797a3f1e8c5ee5ddc615765c0ff7d7f7d296',
      [
        { partitionKey: 'a', data: 'x' },
        { partitionKey: 'b', explicitHashKey: 123n, data: 'yz' }
      ]
    ],
    [
      'f3899ac20a02706b1201301a06080010001a001a08080010001a0200ff95c83331a0fd78edbaf0bf7457c7eda7',
      [
        { partitionKey: 'pk', explicitHashKey: '0', data: '' },
        { partitionKey: 'pk', explicitHashKey: '0', data: Uint8Array.of(0, 0xff) }
      ]
    ]
  ])('makes the golden record %s', (golden, records) => {
    const aggregated = sealed(records)

    expect(Buffer.from(aggregated!.data).toString('hex')).toBe(golden)
  })

  test('leaves one record plain, with its own key and hash key', () => {
    const aggregated = [...aggregate([{ partitionKey: 'pk', data: 'hello' }])]

    expect(aggregated).toEqual([
      {
        partitionKey: 'pk',
        explicitHashKey: '38317986088707300215492326132921849533',
        data: Buffer.from('hello'),
        userRecordCount: 1
      }
    ])
  })

  test('makes nothing of nothing', () => {
    const aggregated = [...aggregate([])]

    expect([aggregated, new RecordAggregator().seal()]).toEqual([[], undefined])
  })

  test('starts a new record when the next would exceed maxBytes or maxUserRecords', () => {
    const records = Array.from({ length: 5 }, (_, i) => ({ partitionKey: 'pk', data: `${i}${i}${i}` }))

    const byBytes = [...aggregate(records, { maxBytes: 42 })].map(r => [r.userRecordCount, r.data.length])
    const byCount = [...aggregate(records, { maxUserRecords: 3 })].map(r => [r.userRecordCount, r.data.length])

    expect([byBytes, byCount]).toEqual([
      [
        [2, 42],
        [2, 42],
        [1, 3]
      ],
      [
        [3, 51],
        [2, 42]
      ]
    ])
  })

  test('takes a record larger than maxBytes alone', () => {
    const records = ['a', 'b'.repeat(100), 'c'].map(data => ({ partitionKey: 'pk', data }))

    const sizes = [...aggregate(records, { maxBytes: 50 })].map(record => record.data.length)

    expect(sizes).toEqual([1, 100, 1])
  })

  test('wraps a lone payload that would pass for an aggregate, so that it comes back verbatim', () => {
    const payload = wrap([0x0a, 0x01, 0x61])

    const [aggregated] = [...aggregate([{ partitionKey: 'pk', data: payload }])]
    const [consumed] = [...deaggregate(aggregated!.data)]

    expect([consumed!.partitionKey, consumed!.data]).toEqual(['pk', payload])
  })

  test('says beforehand what fits and how large the record will be', () => {
    const aggregator = new RecordAggregator({ maxBytes: 42 })
    const record = { partitionKey: 'pk', data: 'abc' }

    const fits = [aggregator.fits(record), aggregator.add(record), aggregator.fits(record), aggregator.add(record)]
    const full = [aggregator.fits(record), aggregator.add(record), aggregator.count, aggregator.sealedBytes]
    const data = aggregator.seal()!.data

    expect([fits, full, data.length, aggregator.count]).toEqual([
      [true, true, true, true],
      [false, false, 2, 42],
      42,
      0
    ])
  })

  test.each([
    ['a key with a lone surrogate', { partitionKey: '\ud800', data: '' }, 'partitionKey has a lone surrogate'],
    [
      'an explicit hash key with leading zeros',
      { partitionKey: 'a', data: '', explicitHashKey: '007' },
      'explicitHashKey must be plain decimal digits without sign, spaces or leading zeros'
    ],
    [
      'an explicit hash key of 2^128',
      { partitionKey: 'a', data: '', explicitHashKey: 1n << 128n },
      'explicitHashKey must be from 0 to 2^128 - 1, got a bigint outside of it'
    ]
  ])('refuses %s and changes nothing', (_, record, message) => {
    const aggregator = new RecordAggregator()

    const add = () => aggregator.add(record)

    expect(add).toThrow(new ConsumerError('KPL_ERR_INVALID_INPUT', message))
    expect(aggregator.count).toBe(0)
  })
})

const HOSTILE_KEYS = [
  '__proto__',
  'hasOwnProperty',
  'constructor',
  '10',
  '2',
  '1',
  '\0',
  'a\0',
  '\u{1f600}',
  '\ufeffbom'
]
const anyRecord = fc.record(
  {
    partitionKey: fc.oneof(
      fc.constantFrom(...HOSTILE_KEYS),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 256 })
    ),
    explicitHashKey: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(String),
    data: fc.uint8Array({ maxLength: 300 })
  },
  { requiredKeys: ['partitionKey', 'data'] }
)

describe('aggregate and deaggregate', () => {
  test('are inverse, hostile keys and all', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 2, maxLength: 300 }),
        fc.integer({ min: 30, max: 5000 }),
        (records, maxBytes) => {
          const stored = [...aggregate(records, { maxBytes })]

          const consumed = stored.flatMap(({ data, partitionKey }) => [
            ...deaggregate({ Data: data, PartitionKey: partitionKey, SequenceNumber: '1' })
          ])

          expect(consumed).toEqual(
            stored.flatMap(({ userRecordCount }, i) => {
              const first = stored.slice(0, i).reduce((sum, record) => sum + record.userRecordCount, 0)
              return records.slice(first, first + userRecordCount).map((record, subSequenceNumber) => ({
                partitionKey: record.partitionKey,
                explicitHashKey: userRecordCount > 1 ? record.explicitHashKey : undefined,
                data: record.data,
                sequenceNumber: '1',
                subSequenceNumber,
                aggregated: userRecordCount > 1,
                arrivalTimestamp: undefined
              }))
            })
          )
        }
      ),
      { numRuns: 200 }
    )
  })

  test('agree with protobufjs on the bytes', () => {
    const schema = protobuf.loadSync(new URL('../../../proto/aggregated-record.proto', import.meta.url).pathname)
    const type = schema.lookupType('AggregatedRecord')

    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 2, maxLength: 200 }), records => {
        const partitionKeyTable = [...new Set(records.map(record => record.partitionKey))]
        const explicitHashKeyTable = [...new Set(records.flatMap(record => record.explicitHashKey ?? []))]
        const body = type
          .encode({
            partitionKeyTable,
            explicitHashKeyTable,
            records: records.map(({ partitionKey, explicitHashKey, data }) => ({
              partitionKeyIndex: partitionKeyTable.indexOf(partitionKey),
              ...(explicitHashKey === undefined
                ? {}
                : { explicitHashKeyIndex: explicitHashKeyTable.indexOf(explicitHashKey) }),
              data
            }))
          })
          .finish()

        const aggregated = sealed(records)

        expect(Uint8Array.from(aggregated!.data)).toEqual(wrap(body))
      }),
      { numRuns: 200 }
    )
  })
})

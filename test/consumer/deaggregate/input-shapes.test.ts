import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AnyKinesisRecord,
  aggregate,
  aggregateInfo,
  type ConsumedRecord,
  ConsumerError,
  deaggregate,
  deaggregateAll,
  isAggregated,
  MalformedEnvelopeError,
  RecordAggregator
} from '../../../src/consumer/deaggregate.ts'
import { DedupeWindow } from '../../../src/consumer/dedupe.ts'
import { FakeKinesis } from '../../../src/testing/index.ts'
import { wrap } from '../../wire/vectors.ts'

const TWO = wrap(Buffer.from('0a0161 0a0162 1a0508001a0178 1a0508011a0179'.replaceAll(' ', ''), 'hex'))
const ARRIVAL_MS = 1_518_133_507_063
const invalid = (message: string) => new ConsumerError('KPL_ERR_INVALID_INPUT', message)
const read = (record: unknown, options = {}): ConsumedRecord[] => [...deaggregate(record as AnyKinesisRecord, options)]
const arrivalOf = (record: unknown) => read(record)[0]?.arrivalTimestamp

describe('deaggregate reads when a record arrived', () => {
  const shapes: readonly (readonly [string, (time: unknown) => unknown])[] = [
    ['of the SDK', time => ({ Data: TWO, ApproximateArrivalTimestamp: time })],
    ['of a Lambda event', time => ({ kinesis: { data: '', approximateArrivalTimestamp: time } })],
    ["of a Lambda event's payload", time => ({ data: '', approximateArrivalTimestamp: time })],
    ['of Firehose', time => ({ recordId: 'r', data: '', approximateArrivalTimestamp: time })],
    [
      'of Firehose with metadata',
      time => ({ recordId: 'r', data: '', kinesisRecordMetadata: { approximateArrivalTimestamp: time } })
    ],
    [
      'of a preprocessor',
      time => ({ recordId: 'r', data: '', kinesisStreamRecordMetadata: { approximateArrivalTimestamp: time } })
    ]
  ]

  test.each(shapes)('from a record %s as a date, seconds, milliseconds or text', (_, record) => {
    const times = [
      new Date(ARRIVAL_MS),
      { getTime: () => ARRIVAL_MS },
      ARRIVAL_MS / 1000,
      ARRIVAL_MS,
      '2018-02-08T23:45:07.063Z',
      '2018-02-09T00:45:07.063+01:00',
      '1518133507.063',
      '1518133507063'
    ]

    const arrivals = times.map(time => arrivalOf(record(time)))

    expect(arrivals).toEqual(times.map(() => ARRIVAL_MS))
  })

  test.each(shapes)('from a record %s as nothing when it is no time', (_, record) => {
    const thrower = () => {
      throw new Error('a fault of the date')
    }
    const times = [undefined, null, 'yesterday', '', {}, [], true, Number.NaN, Number.POSITIVE_INFINITY, 5n]
    const odd = [new Date(Number.NaN), { getTime: 5 }, { getTime: thrower }, Object.create(Date.prototype)]

    const arrivals = [...times, ...odd].map(time => arrivalOf(record(time)))

    expect(arrivals).toEqual([...times, ...odd].map(() => undefined))
  })

  test('from whatever the fake Kinesis gives: its answers and its stored records', () => {
    const kinesis = new FakeKinesis({ nowMs: () => ARRIVAL_MS })
    kinesis.createStream({ StreamName: 's', ShardCount: 1 })
    kinesis.putRecords({ StreamName: 's', Records: [{ PartitionKey: 'outer', Data: TWO }] })
    const [shard] = kinesis.listShards({ StreamName: 's' }).Shards ?? []
    const { ShardIterator } = kinesis.getShardIterator({
      StreamName: 's',
      ShardId: shard!.ShardId,
      ShardIteratorType: 'TRIM_HORIZON'
    })

    const records = [
      ...deaggregateAll(kinesis.getRecords({ ShardIterator }).Records),
      ...deaggregateAll(kinesis.storedRecords('s'))
    ]

    expect(records.map(({ partitionKey, arrivalTimestamp }) => [partitionKey, arrivalTimestamp])).toEqual(
      ['a', 'b', 'a', 'b'].map(key => [key, ARRIVAL_MS])
    )
  })
})

describe('deaggregate takes base64, and nothing that has other letters in it', () => {
  test.each(['', 'eA==', 'eA', 'YWI=', 'YWJj', '_-8=', '+/8=', 'YWJj\r\nYWJj\n', 'YW Jj'])('%j', text => {
    const [record] = read({ data: text, partitionKey: 'k' })
    const spoiled = ['{', '=YQ', '!!'].map(end => () => read({ data: `${text}${end}`, partitionKey: 'k' }))

    expect(Buffer.from(record!.data)).toEqual(Buffer.from(text, 'base64'))
    const fault = 'data must be a Uint8Array or base64 text, got text that is not base64'
    for (const call of spoiled) expect(call).toThrow(invalid(fault))
  })
})

describe('deaggregate refuses what is no record', () => {
  test.each<[unknown, string]>([
    [undefined, 'record must be a Kinesis record, got undefined'],
    [null, 'record must be a Kinesis record, got null'],
    ['eA==', 'record must be a Kinesis record, got string'],
    [7, 'record must be a Kinesis record, got number'],
    [{}, 'record must be a Kinesis record, got object'],
    [[], 'record must be a Kinesis record (for a list: deaggregateAll(event.Records)), got array'],
    [{ PartitionKey: 'k', SequenceNumber: '1' }, 'data must be a Uint8Array or base64 text, got undefined'],
    [{ Data: 5 }, 'data must be a Uint8Array or base64 text, got number'],
    [{ Data: [1, 2] }, 'data must be a Uint8Array or base64 text, got array'],
    [{ data: { type: 'Buffer', data: [1] } }, 'data must be a Uint8Array or base64 text, got object'],
    [{ Data: new ArrayBuffer(4) }, 'data must be a Uint8Array or base64 text, got object'],
    [{ Data: new DataView(new ArrayBuffer(4)) }, 'data must be a Uint8Array or base64 text, got object'],
    [new Uint16Array(4), 'record must be a Kinesis record, got object'],
    [{ Data: TWO, PartitionKey: 5 }, 'partitionKey must be text, got number'],
    [{ Data: TWO, SequenceNumber: 5n }, 'sequenceNumber must be text, got bigint'],
    [{ kinesis: 'text' }, 'kinesis must be a Kinesis record, got string'],
    [
      [{ data: TWO }, { data: TWO }],
      'record must be a Kinesis record (for a list: deaggregateAll(event.Records)), got array'
    ],
    [
      { Records: [{ kinesis: { data: 'eA==' } }] },
      'record must be a Kinesis record (for a list: deaggregateAll(event.Records)), got object'
    ],
    [{ data: null }, 'record must be a Kinesis record, got object'],
    [{ Data: undefined, PartitionKey: '', SequenceNumber: undefined }, 'record must be a Kinesis record, got object'],
    [Promise.resolve({ data: TWO }), 'record must be a Kinesis record, got object'],
    [
      { data: '{"total":17.5}', partitionKey: 'k' },
      'data must be a Uint8Array or base64 text, got text that is not base64'
    ],
    [{ data: 'YWJjZ', partitionKey: 'k' }, 'data must be a Uint8Array or base64 text, got text that is not base64'],
    [{ kinesis: {} }, 'record must be a Kinesis record, got object'],
    [{ data: '', kinesisRecordMetadata: 5 }, 'metadata must be a Kinesis record, got number']
  ])('and says so (%#)', (record, message) => {
    const call = () => deaggregate(record as AnyKinesisRecord)

    expect(call).toThrow(invalid(message))
  })

  test.each<[unknown, string]>([
    [undefined, 'records must be a list of records, got undefined'],
    [{ Records: [] }, 'records must be the list itself (give its Records), got object'],
    [TWO, 'records must be a list of records, got object'],
    [Promise.resolve([]), 'records must be a list of records, got object'],
    [5, 'records must be a list of records, got number'],
    ['text', 'records must be a list of records, got string']
  ])('also as a list: %j', (records, message) => {
    const call = () => [...deaggregateAll(records as Iterable<AnyKinesisRecord>)]

    expect(call).toThrow(invalid(message))
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['string', 'range'],
    ['object', { StartingHashKey: undefined, EndingHashKey: undefined }],
    ['object', {}],
    ['object', { startingHashKey: '0x5', endingHashKey: '6' }],
    ['object', { startingHashKey: 0, endingHashKey: 5 }],
    ['object', { startingHashKey: '6', endingHashKey: '5' }],
    ['object', { startingHashKey: -1n, endingHashKey: 5n }],
    ['object', { startingHashKey: 0n, endingHashKey: 2n ** 128n }]
  ])('and a shardRange that is none (%s), for plain records too: %#', (got, shardRange) => {
    const calls = [{ Data: TWO }, { data: 'eA==' }].map(record => () => read(record, { shardRange }))

    const message = `shardRange must be two hash keys, the smaller one first, as decimal text or bigint, got ${got}`
    for (const call of calls) expect(call).toThrow(invalid(message))
  })

  test.each([undefined, null, 'text', {}, [1]])('and bytes that are none: %j', value => {
    const calls = [() => isAggregated(value as never), () => aggregateInfo(value as never)]

    for (const call of calls) expect(call).toThrow(/^data must be a Uint8Array, got /)
  })

  test('with nothing but its own error, whatever the record is', () => {
    const field = fc.oneof(fc.anything({ withDate: true, withTypedArray: true }), fc.constant(TWO))
    const names = ['Data', 'data', 'PartitionKey', 'partitionKey', 'SequenceNumber', 'sequenceNumber', 'recordId']
    const times = ['ApproximateArrivalTimestamp', 'approximateArrivalTimestamp', 'arrivalMs']
    const fields = fc.dictionary(fc.constantFrom(...names, ...times), field)
    const nested = fc.constantFrom('kinesis', 'kinesisRecordMetadata', 'kinesisStreamRecordMetadata')
    const record = fc.oneof(
      field,
      fields,
      fc.tuple(fields, fc.dictionary(nested, fields)).map(([a, b]) => ({ ...a, ...b }))
    )

    fc.assert(
      fc.property(record, given => {
        const outcome = outcomeOf(() => read(given).length)

        expect(['number', 'ConsumerError']).toContain(outcome)
      }),
      { numRuns: 2000 }
    )
  })
})

describe('data that lies about its length', () => {
  class Liar extends Uint8Array {
    static lie = 0
    override get length(): number {
      return Liar.lie
    }
    override get byteLength(): number {
      return Liar.lie
    }
    override get byteOffset(): number {
      return 0
    }
  }
  const secret = Buffer.from('secret')
  /** Bytes in the middle of memory that holds secrets. */
  const lying = (bytes: Uint8Array): Uint8Array => {
    const memory = Buffer.concat([secret, bytes, secret])
    return new Liar(memory.buffer, memory.byteOffset + secret.length, bytes.length)
  }

  test.each([0, 1, 3, 40, 1000])('gives its own bytes and no others when it says %i', lie => {
    Liar.lie = lie
    const record = { Data: lying(TWO) }

    const [plain] = read({ Data: lying(Buffer.from('plain')) })
    const [copy] = read({ Data: lying(Buffer.from('plain')) }, { copy: true })
    const members = read(record)

    expect([plain, copy].map(given => Buffer.from(given!.data).toString())).toEqual(['plain', 'plain'])
    expect(members.map(({ partitionKey, data }) => [partitionKey, [...data]])).toEqual([
      ['a', [0x78]],
      ['b', [0x79]]
    ])
    expect([isAggregated(lying(TWO)), aggregateInfo(lying(TWO)).recordBytes]).toEqual([true, TWO.length])
  })

  test.each([0, 1, 1000])('is aggregated as the bytes that there are when it says %i', lie => {
    Liar.lie = lie
    const records = ['abc', 'def'].map(text => ({ partitionKey: 'k', data: lying(Buffer.from(text)) }))

    const [aggregated] = [...aggregate(records)]

    expect(aggregated!.data).toEqual(
      [...aggregate(records.map((r, i) => ({ ...r, data: ['abc', 'def'][i]! })))][0]!.data
    )
  })

  test('whose memory was transferred is refused, and so is a view beyond a buffer that shrank', () => {
    const transferred = new Uint8Array(8)
    structuredClone(transferred, { transfer: [transferred.buffer] })
    const memory = new Resizable(8, { maxByteLength: 8 })
    const beyond = new Uint8Array(memory, 4, 4)
    memory.resize(2)
    const error = invalid('data must have its memory, but its ArrayBuffer was transferred or made smaller')

    const calls = [transferred, beyond].flatMap(data => [
      () => deaggregate(data),
      () => deaggregate({ Data: data, SequenceNumber: '1' }),
      () => isAggregated(data),
      () => new RecordAggregator().add({ partitionKey: 'k', data })
    ])

    for (const call of calls) expect(call).toThrow(error)
  })

  test('whose memory is taken away while it is read ends in an error that says so', () => {
    const data = Uint8Array.from(TWO)
    const records = deaggregate({ Data: data, SequenceNumber: '7' })
    const first = records.next()
    structuredClone(data, { transfer: [data.buffer] })

    const call = () => records.next()

    expect(first.value?.partitionKey).toBe('a')
    expect(call).toThrow(new MalformedEnvelopeError('memory taken away or changed while it was read', 0, '7'))
  })
})

describe('aggregate refuses what is no user record', () => {
  test.each<[unknown, string]>([
    [undefined, 'record must be a user record, got undefined'],
    ['text', 'record must be a user record, got string'],
    [{ data: 'x' }, 'partitionKey must be text, got undefined'],
    [{ partitionKey: 5, data: 'x' }, 'partitionKey must be text, got number'],
    [{ partitionKey: 'k' }, 'data must be a Uint8Array or text, got undefined'],
    [{ partitionKey: 'k', data: [1] }, 'data must be a Uint8Array or text, got array'],
    [{ partitionKey: 'k', data: '\ud800' }, 'data has a lone surrogate'],
    [
      { partitionKey: 'k', data: 'x', explicitHashKey: 5 },
      'explicitHashKey must be a bigint or decimal text, got number'
    ]
  ])('%j', (record, message) => {
    const aggregator = new RecordAggregator()

    const calls = [
      () => aggregator.fits(record as never),
      () => aggregator.add(record as never),
      () => [...aggregate([record as never])]
    ]

    for (const call of calls) expect(call).toThrow(invalid(message))
    expect(aggregator.count).toBe(0)
  })

  test('nor what is no list', () => {
    const call = () => [...aggregate({ partitionKey: 'k', data: 'x' } as never)]

    expect(call).toThrow(invalid('records must be a list of records, got object'))
  })
})

test('a dedupe window takes an id of null, as JSON has it, for none', () => {
  const window = new DedupeWindow()
  const record = { dedupeId: null as never }

  const answers = [window.isNew(record), window.isNew(record), window.has(record), window.count]

  expect(answers).toEqual([true, true, false, 0])
})

/** Node.js has it; the types of ES2023 do not. */
const Resizable = ArrayBuffer as unknown as new (
  bytes: number,
  options: { readonly maxByteLength: number }
) => ArrayBuffer & { resize(length: number): void }

function outcomeOf(call: () => unknown): string {
  try {
    return typeof call()
  } catch (error) {
    return error instanceof Error ? error.name : 'no error'
  }
}

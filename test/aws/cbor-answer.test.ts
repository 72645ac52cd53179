/** Answers in CBOR: every way to write them is read, and nothing that is not one gets through. */
import { cbor } from '@smithy/core/cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeErrorAnswer, decodePutRecordsAnswer } from '../../src/aws/cbor-answer.ts'
import { MAX_DEPTH } from '../../src/aws/cbor-reader.ts'
import { type CborValue, encodeSomehow } from './cbor-fixture.ts'

const SEQUENCE_NUMBER = '49680422800273761367487380178682276993276664108522930194'
const ANSWER = {
  FailedRecordCount: 1,
  EncryptionType: 'NONE',
  Records: [
    { SequenceNumber: SEQUENCE_NUMBER, ShardId: 'shardId-000000000001' },
    { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure.' }
  ]
}

const text = fc.string({ unit: 'binary', maxLength: 60 })
const anyValue = fc.letrec<{ value: CborValue }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 })
  )
})).value
const entry = fc.record(
  { SequenceNumber: text, ShardId: text, ErrorCode: text, ErrorMessage: text },
  { requiredKeys: [] }
)
const answer = fc.record({
  Records: fc.array(entry, { maxLength: 8 }),
  FailedRecordCount: fc.nat(),
  EncryptionType: text
})
const choices = fc.infiniteStream(fc.nat({ max: 1 << 20 }))

function chooser(numbers: Iterator<number>): (count: number) => number {
  return count => (numbers.next().value as number) % count
}

/** What `decode` makes of the bytes: a value, or the name of what it throws. */
function outcome(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch (error) {
    return error instanceof Error ? error.name : error
  }
}

describe('an answer to PutRecords', () => {
  test('is read as it is', () => {
    expect(decodePutRecordsAnswer(cbor.serialize(ANSWER))).toEqual(ANSWER)
  })

  test('is read in every way it can be written', () => {
    fc.assert(
      fc.property(answer, choices, (value, numbers) => {
        const bytes = encodeSomehow(value, chooser(numbers))

        expect(decodePutRecordsAnswer(bytes)).toEqual(decodeTexts(value))
      })
    )
  })

  test('may hold null where a text could be, and fields nobody knows', () => {
    fc.assert(
      fc.property(answer, fc.dictionary(text, anyValue), choices, (value, unknown, numbers) => {
        const nulls = { SequenceNumber: null, ShardId: null, ErrorCode: null, ErrorMessage: null }
        const Records = value.Records.map(known => ({ ...unknown, ...nulls, ...known }))
        const bytes = encodeSomehow({ ...unknown, ...value, Records }, chooser(numbers))

        expect(decodePutRecordsAnswer(bytes)).toEqual(decodeTexts(value))
      })
    )
  })

  test('keeps no field called __proto__ or constructor', () => {
    const members: [string, CborValue][] = [
      ['__proto__', { polluted: true }],
      ['constructor', 'x'],
      [
        'Records',
        [
          Object.fromEntries([
            ['__proto__', { ErrorCode: 'x' }],
            ['ShardId', 's']
          ])
        ]
      ]
    ]
    const bytes = encodeSomehow(Object.fromEntries(members), () => 1)

    expect(decodePutRecordsAnswer(bytes)).toEqual({
      Records: [{ ShardId: 's' }],
      FailedRecordCount: undefined,
      EncryptionType: undefined
    })
  })

  test.each([
    ['nothing at all', ''],
    ['only a beginning', 'a1'],
    ['a text that ends too early', 'a1675265636f7264'],
    ['a map that promises more members than bytes', 'bb7fffffffffffffff'],
    ['an array that promises more items than bytes', 'a1675265636f7264739bffffffffffffffff'],
    ['a text that promises more bytes than there are', 'a17b7fffffffffffffff'],
    ['something behind it', 'a000'],
    ['an array', '80'],
    ['a text', '60'],
    ['null', 'f6'],
    ['a break', 'ff'],
    ['a break inside a definite map', 'a1ff'],
    ['a map without its break', 'bf'],
    ['a name without a value before the break', 'bf61610000ff'],
    ['a reserved head', 'a16161dc'],
    ['a simple value that does not exist', 'a16161f810'],
    ['a name that is a number', 'a10000'],
    ['a text with a chunk of bytes', 'a17f4161ff00'],
    ['a text with a chunk of indefinite length', 'a17f7fffff00'],
    ['records that are a map', 'a1675265636f726473a0'],
    ['a record that is a text', 'a1675265636f7264738160'],
    ['a shard id that is a number', 'a1675265636f72647381a167536861726449640a'],
    ['a shard id that is bytes', 'a1675265636f72647381a167536861726449644161'],
    ['a count that is a text', 'a1714661696c65645265636f7264436f756e7460'],
    ['a negative count', 'a1714661696c65645265636f7264436f756e7420']
  ])('that is %s is malformed', (_, hex) => {
    expect(() => decodePutRecordsAnswer(Buffer.from(hex, 'hex'))).toThrow(SyntaxError)
  })

  test.each([
    ['arrays', '81'],
    ['maps', 'a160'],
    ['tags', 'c0'],
    ['arrays without an end', '9f'],
    ['maps without an end', 'bf60']
  ])('with a million nested %s is malformed, not a stack overflow', (_, hex) => {
    const bytes = Buffer.concat([Buffer.from('a160', 'hex'), Buffer.alloc(2_000_000, Buffer.from(hex, 'hex'))])

    expect(() => decodePutRecordsAnswer(bytes)).toThrow(SyntaxError)
  })

  test('may nest as deep as the bound and no deeper', () => {
    const nested = (depth: number) =>
      Buffer.concat([Buffer.from('a160', 'hex'), Buffer.alloc(depth - 1, 0x81), Buffer.from([0])])

    const outcomes = [MAX_DEPTH, MAX_DEPTH + 1].map(depth => outcome(decodePutRecordsAnswer, nested(depth)))

    expect(outcomes).toEqual([{}, 'SyntaxError'])
  })

  test('has at most as many records as a request', () => {
    const of = (count: number) => cbor.serialize({ Records: Array.from({ length: count }, () => ({})) })

    const lengths = [500, 501].map(count => outcome(bytes => decodePutRecordsAnswer(bytes).Records?.length, of(count)))

    expect(lengths).toEqual([500, 'SyntaxError'])
  })
})

describe('bytes that somebody made up', () => {
  const valid = Buffer.from(cbor.serialize(ANSWER))
  /** The valid answer with up to four bytes replaced by bytes up to `maxByte`, and in one of three cases cut short. */
  function mutated(maxByte: number): fc.Arbitrary<Buffer> {
    const changes = fc.array(fc.tuple(fc.nat({ max: valid.length - 1 }), fc.nat({ max: maxByte })), {
      minLength: 1,
      maxLength: 4
    })
    return fc.tuple(changes, fc.nat({ max: valid.length })).map(([replaced, length]) => {
      const bytes = Buffer.from(valid)
      for (const [at, byte] of replaced) bytes[at] = byte
      return length % 3 === 0 ? bytes.subarray(0, length) : bytes
    })
  }

  test.each([
    ['random bytes', fc.uint8Array({ maxLength: 200 }), 5_000],
    ['a valid answer with other bytes in it', mutated(0xff), 20_000]
  ] as const)('as %s are an answer or malformed, never another error', (_, arbitrary, numRuns) => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<Uint8Array>, bytes => {
        const read = outcome(decodePutRecordsAnswer, bytes)
        const error = outcome(decodeErrorAnswer, bytes)

        expect([typeof read === 'object' || read === 'SyntaxError', typeof error]).toEqual([true, 'object'])
      }),
      { numRuns }
    )
  })

  test('that are read mean the same to another decoder', () => {
    fc.assert(
      // Without tags and simple values, which the other decoder makes into objects of its own or does not know.
      fc.property(mutated(0xbf), bytes => {
        const ours = outcome(decodePutRecordsAnswer, bytes)
        fc.pre(typeof ours === 'object' && ours !== null)

        const theirs = cbor.deserialize(bytes) as typeof ANSWER

        expect(ours).toMatchObject({
          Records: theirs.Records?.map(({ SequenceNumber, ShardId }) => present({ SequenceNumber, ShardId }))
        })
      }),
      { numRuns: 5_000 }
    )
  })
})

test('a name that is no text makes an answer malformed, also in a member that nobody reads', () => {
  // { "other": { 1: 2 } }
  const bytes = Buffer.from([0xa1, 0x65, ...Buffer.from('other'), 0xa1, 0x01, 0x02])

  expect(() => decodePutRecordsAnswer(bytes)).toThrow(SyntaxError)
})

describe('an error', () => {
  test.each([
    ['message', { __type: 'ResourceNotFoundException', message: 'gone' }],
    ['Message', { __type: 'ResourceNotFoundException', Message: 'gone' }]
  ])('is read, with its text in %s', (_, error) => {
    expect(decodeErrorAnswer(cbor.serialize(error))).toEqual({ __type: 'ResourceNotFoundException', message: 'gone' })
  })

  test.each([
    ['HTML', Buffer.from('<html></html>')],
    ['nothing', new Uint8Array(0)],
    ['a code that is a number', cbor.serialize({ __type: 7 })],
    ['cut off', cbor.serialize({ __type: 'x', message: 'y' }).subarray(0, 12)]
  ])('that is %s says nothing', (_, bytes) => {
    expect(decodeErrorAnswer(bytes)).toEqual({})
  })

  test('keeps neither unknown fields nor nulls', () => {
    const bytes = cbor.serialize({ __type: 'X', message: null, stack: ['secret'], nested: { deep: 1 } })

    expect(decodeErrorAnswer(bytes)).toEqual({ __type: 'X' })
  })
})

/** Half a surrogate pair does not survive UTF-8. */
function decodeTexts<Value>(value: Value): Value {
  if (typeof value === 'string') return Buffer.from(value).toString() as Value
  if (Array.isArray(value)) return value.map(decodeTexts) as Value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, decodeTexts(member)])) as Value
}

function present(fields: Readonly<Record<string, string | null | undefined>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))
}

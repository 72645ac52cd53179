import kinesisAggregation from 'aws-kinesis-agg'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { deaggregate } from '../../src/consumer/deaggregate.ts'
import { decodeEnvelope } from '../../src/wire/decode.ts'
import { DedupeTag, MAX_DEDUPE_TAG_BYTES } from '../../src/wire/dedupe-tag.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'
import { loneEnvelopeBytes } from '../../src/wire/sizes.ts'
import { type TwinMember, twinEnvelope } from '../reference/envelope.ts'
import { AGGREGATED_RECORD, HOSTILE_KEYS } from './oracle.ts'
import { wrap } from './vectors.ts'

const PRODUCER = 'Ab-_0123xyZ'
const tag = new DedupeTag(PRODUCER)
const MOST = Number.MAX_SAFE_INTEGER
/** Where the number of digits changes, and both ends. */
const CORNERS = [0, MOST, ...Array.from({ length: 10 }, (_, i) => [36 ** (i + 1) - 1, 36 ** (i + 1)]).flat()]
const anyNumber = fc.oneof(fc.constantFrom(...CORNERS), fc.maxSafeNat())

type Numbered = TwinMember & { readonly number: number }

const anyKey = fc.oneof(
  fc.constantFrom(...HOSTILE_KEYS.filter(key => key !== ''), 'k'.repeat(127), 'k'.repeat(128)),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter(text => text.isWellFormed())
)
const filled = (min: number, max: number) => fc.integer({ min, max }).map(length => new Uint8Array(length).fill(length))
const anyMember: fc.Arbitrary<Numbered> = fc
  .record({
    partitionKey: anyKey,
    explicitHashKey: fc.option(fc.constantFrom('0', '7', String((1n << 128n) - 1n)), { nil: undefined }),
    data: fc.oneof(
      { weight: 20, arbitrary: fc.uint8Array({ maxLength: 20 }) },
      // Where the lengths of data and member get another byte, with tags of every length behind them.
      { weight: 20, arbitrary: filled(85, 130) },
      { weight: 1, arbitrary: filled(16_340, 16_390) }
    ),
    number: anyNumber
  })
  .map(member => ({ ...member, tag: ['kp:id', idOf(member.number)] as const }))
const anyMembers = fc.array(anyMember, { minLength: 1, maxLength: 12 })

describe('a dedupe tag', () => {
  test.each([
    [0, '22160a056b703a6964120d', `${PRODUCER}.0`],
    [35, '22160a056b703a6964120d', `${PRODUCER}.z`],
    [36, '22170a056b703a6964120e', `${PRODUCER}.10`],
    [MOST, '22200a056b703a69641217', `${PRODUCER}.2gosa7pa2gv`]
  ])('of number %i is these bytes', (number, headHex, value) => {
    const bytes = Buffer.alloc(tag.bytesOf(number))

    const end = tag.write(bytes, 0, number)

    expect([end, bytes.toString('hex')]).toEqual([bytes.length, headHex + Buffer.from(value).toString('hex')])
  })

  test('has the length it says, at most 34 bytes, and the number in base 36', () => {
    fc.assert(
      fc.property(anyNumber, fc.nat({ max: 50 }), (number, offset) => {
        const bytes = Buffer.alloc(offset + MAX_DEDUPE_TAG_BYTES + 1, 0xee)

        const end = tag.write(bytes, offset, number)

        const value = bytes.toString('latin1', offset + 11, end)
        expect([end, value]).toEqual([offset + tag.bytesOf(number), idOf(number)])
        expect(bytes.subarray(end).every(byte => byte === 0xee)).toBe(true)
        expect(end - offset).toBeLessThanOrEqual(MAX_DEDUPE_TAG_BYTES)
      }),
      { numRuns: 500 }
    )
    expect([MAX_DEDUPE_TAG_BYTES, tag.bytesOf(MOST), tag.bytesOf(0)]).toEqual([34, 34, 24])
  })

  test.each(['', 'short', 'twelve chars', 'not ascii \u00e9'])('is not made for a producer called "%s"', producerId => {
    expect(() => new DedupeTag(producerId)).toThrow(RangeError)
  })
})

describe('a writer with tags', () => {
  test('seals these bytes', () => {
    const writer = new EnvelopeWriter(undefined, new DedupeTag('AAAAAAAAAAA'))
    writer.add('pk', 2, undefined, 'hello', 5, 35)
    writer.add('pk', 2, '7', 'world', 5, 36)

    const sealed = writer.seal()

    expect(sealed.toString('hex')).toBe(
      [
        'f3899ac2',
        '0a02706b',
        '120137',
        '1a21' + '0800' + '1a0568656c6c6f' + '22160a056b703a6964120d' + '41'.repeat(11) + '2e7a',
        '1a24' + '0800' + '1000' + '1a05776f726c64' + '22170a056b703a6964120e' + '41'.repeat(11) + '2e3130',
        'ed78add0fe788e522836be19b7369fb6'
      ].join('')
    )
  })

  test('seals what the twin seals, a lone member too, and says its exact size before every step', () => {
    const writer = new EnvelopeWriter(undefined, tag)

    fc.assert(
      fc.property(anyMembers, members => {
        members.forEach((member, i) => {
          const envelopeBytes = twinEnvelope(members.slice(0, i + 1)).length
          const { partitionKey, explicitHashKey, data, number } = member
          const keyBytes = Buffer.byteLength(partitionKey)
          expect(writer.bytesWith(partitionKey, keyBytes, explicitHashKey, data.length, number)).toBe(envelopeBytes)
          if (i === 0) {
            const tagBytes = tag.bytesOf(number)
            expect(loneEnvelopeBytes(keyBytes, explicitHashKey, data.length, tagBytes)).toBe(envelopeBytes)
          }
          writer.add(partitionKey, keyBytes, explicitHashKey, data, data.length, number)
          expect([writer.sealedBytes, writer.envelopeBytes, writer.isEnvelope]).toEqual([
            envelopeBytes,
            envelopeBytes,
            true
          ])
        })
        expect(writer.seal().equals(twinEnvelope(members))).toBe(true)
      }),
      { numRuns: 300 }
    )
  })

  test('never grows over the limit, and a refused member leaves nothing behind', () => {
    fc.assert(
      fc.property(anyMembers, fc.integer({ min: 64, max: 2000 }), (members, maxBytes) => {
        const writer = new EnvelopeWriter(undefined, tag)
        const taken: Numbered[] = []
        for (const member of members) {
          const { partitionKey, explicitHashKey, data, number } = member
          const keyBytes = Buffer.byteLength(partitionKey)
          const isFitting = taken.length === 0 || twinEnvelope([...taken, member]).length <= maxBytes
          expect(
            writer.addWithin(maxBytes, partitionKey, keyBytes, explicitHashKey, data, data.length, undefined, number)
          ).toBe(isFitting)
          if (isFitting) taken.push(member)
        }
        expect(writer.seal().equals(twinEnvelope(taken))).toBe(true)
      }),
      { numRuns: 300 }
    )
  })
})

test('the size of a lone envelope without tag is exact as well', () => {
  fc.assert(
    fc.property(anyMember, ({ partitionKey, explicitHashKey, data }) => {
      const bytes = loneEnvelopeBytes(Buffer.byteLength(partitionKey), explicitHashKey, data.length, 0)

      expect(bytes).toBe(twinEnvelope([{ partitionKey, explicitHashKey, data }]).length)
    })
  )
})

/** What the schema of aws-kinesis-agg and of everybody who never heard of tags has. */
const UNTAGGED = protobuf
  .parse(
    `syntax = "proto2";
     message AggregatedRecord {
       repeated string partition_key_table = 1;
       repeated string explicit_hash_key_table = 2;
       repeated Record records = 3;
     }
     message Record {
       required uint64 partition_key_index = 1;
       optional uint64 explicit_hash_key_index = 2;
       required bytes data = 3;
     }`
  )
  .root.lookupType('AggregatedRecord')

describe('other readers', () => {
  test('protobufjs reads the tags that were written', () => {
    fc.assert(
      fc.property(anyMembers, members => {
        const { records } = decodedBy(AGGREGATED_RECORD, sealed(members))

        expect(records.map(record => record.tags)).toEqual(
          members.map(({ number }) => [{ key: 'kp:id', value: idOf(number) }])
        )
      })
    )
  })

  test('with a schema that has no tags, protobufjs reads the same records', () => {
    fc.assert(
      fc.property(anyMembers, members => {
        const message = decodedBy(UNTAGGED, sealed(members))

        const read = message.records.map(record => ({
          partitionKey: message.partitionKeyTable[record.partitionKeyIndex],
          explicitHashKey:
            record.explicitHashKeyIndex == null ? undefined : message.explicitHashKeyTable[record.explicitHashKeyIndex],
          data: textOf(record.data)
        }))
        expect(read).toEqual(members.map(withoutTag))
        expect(message.records.every(record => record.tags === undefined)).toBe(true)
      })
    )
  })

  test('aws-kinesis-agg reads the same records', async () => {
    const members = fc.sample(anyMembers, { numRuns: 30, seed: 1 })

    for (const list of members) {
      const data = sealed(list).toString('base64')
      const payload = { kinesisSchemaVersion: '1.0', partitionKey: 'a', sequenceNumber: '1', data }
      const read = await new Promise<unknown>((resolve, reject) => {
        kinesisAggregation.deaggregateSync(
          { ...payload, approximateArrivalTimestamp: 1 },
          true,
          (error: Error | undefined, records: readonly { partitionKey: string; data: string }[] = []) =>
            error ? reject(error) : resolve(records.map(({ partitionKey, data }) => [partitionKey, data]))
        )
      })
      expect(read).toEqual(list.map(({ partitionKey, data }) => [partitionKey, Buffer.from(data).toString('base64')]))
    }
  })

  test('the decoder by which records are taken apart for a retry leaves them out', () => {
    fc.assert(
      fc.property(anyMembers, members => {
        const read = decodeEnvelope(sealed(members)).map(member => ({ ...member, data: textOf(member.data) }))

        expect(read).toStrictEqual(members.map(withoutTag))
      })
    )
  })
})

describe('deaggregate', () => {
  test('gives each tagged user record its id, and is otherwise as without', () => {
    fc.assert(
      fc.property(anyMembers, members => {
        const read = [...deaggregate(sealed(members))].map(record => ({ ...record, data: textOf(record.data) }))

        expect(read).toStrictEqual(
          members.map((member, subSequenceNumber) => ({
            ...withoutTag(member),
            sequenceNumber: '',
            subSequenceNumber,
            aggregated: true,
            arrivalTimestamp: undefined,
            dedupeId: idOf(member.number)
          }))
        )
      })
    )
  })

  const id = `${PRODUCER}.1z`
  const ours = field(4, field(1, 'kp:id') + field(2, id))
  const start = '08001a0178'
  test.each([
    ['behind the data', start + ours, id],
    ['before another tag', start + ours + field(4, field(1, 'other')), id],
    ['before a field of the future', `${start}${ours}2801`, id],
    ['behind a repeated data field', `08001a0179${start.slice(4)}${ours}`, id]
  ])('finds its tag %s', (_, body, expected) => {
    expect(idsOf(body)).toEqual([expected])
  })

  test.each([
    ['another key', start + field(4, field(1, 'kp:ie') + field(2, id))],
    ['a longer key', start + field(4, field(1, 'kp:ids') + field(2, id))],
    ['no value', start + field(4, field(1, 'kp:id'))],
    ['an empty value', start + field(4, field(1, 'kp:id') + field(2, ''))],
    ['a value without a number', start + field(4, field(1, 'kp:id') + field(2, `${PRODUCER}.`))],
    ['a value without a dot', start + field(4, field(1, 'kp:id') + field(2, `${PRODUCER}01z`))],
    ['a value that is too long', start + field(4, field(1, 'kp:id') + field(2, `${PRODUCER}.${'1'.repeat(12)}`))],
    ['a value of many bytes', start + field(4, field(1, 'kp:id') + field(2, 'x'.repeat(300)))],
    ['a value and a field of the future', `${start}${field(4, `${field(1, 'kp:id') + field(2, id)}1801`)}`],
    ['a tag before the data', `0800${ours}1a0178`]
  ])('has no such field for what this library does not write: %s', (_, body) => {
    const [record] = [...deaggregate(enveloped(body))]

    expect(record !== undefined && 'dedupeId' in record).toBe(false)
    expect([record?.partitionKey, record?.aggregated]).toEqual(['a', true])
  })

  test('gives an id to its own member only', () => {
    const members = [start + ours, start, start + field(4, field(1, 'x')), start + ours].map(memberOf).join('')

    const ids = [...deaggregate(wrap(Buffer.from(`0a0161${members}`, 'hex')))].map(record => record.dedupeId)

    expect(ids).toEqual([id, undefined, undefined, id])
  })

  test('takes a tag that reaches past its member for corrupt, as before', () => {
    const body = start + ours
    const cut = `1a${(body.length / 2 - 2).toString(16)}${body}`

    const [record] = [...deaggregate(wrap(Buffer.from(`0a0161${cut}`, 'hex')))]

    expect([record?.aggregated, record?.dedupeId]).toEqual([false, undefined])
  })

  test('gives none for a member that ends the envelope while its last bytes look like a tag', () => {
    const data = Buffer.from(ours, 'hex')
    const writer = new EnvelopeWriter()
    writer.add('k', 1, undefined, 'first', 5)
    writer.add('k', 1, undefined, data, data.length)

    const read = [...deaggregate(writer.seal())]

    expect(read.map(record => [Buffer.from(record.data).toString('hex'), 'dedupeId' in record])).toEqual([
      [Buffer.from('first').toString('hex'), false],
      [ours, false]
    ])
  })
})

function idOf(number: number): string {
  return `${PRODUCER}.${number.toString(36)}`
}

function sealed(members: readonly Numbered[]): Buffer {
  const writer = new EnvelopeWriter(undefined, tag)
  for (const { partitionKey, explicitHashKey, data, number } of members) {
    writer.add(partitionKey, Buffer.byteLength(partitionKey), explicitHashKey, data, data.length, number)
  }
  return writer.seal()
}

function withoutTag({ partitionKey, explicitHashKey, data }: Numbered) {
  return { partitionKey, explicitHashKey, data: textOf(data) }
}

/** Comparing bytes one by one takes a hundred times as long. */
function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString('latin1')
}

interface Message {
  readonly partitionKeyTable: string[]
  readonly explicitHashKeyTable: string[]
  readonly records: {
    partitionKeyIndex: number
    explicitHashKeyIndex?: number | null
    data: Uint8Array
    tags?: unknown
  }[]
}

function decodedBy(type: protobuf.Type, envelope: Buffer): Message {
  const body = envelope.subarray(4, -16)
  return type.toObject(type.decode(body), { longs: Number, defaults: false, arrays: true }) as Message
}

/** A length-delimited field as hexadecimal; text content is given as text, a message as what `field` returned. */
function field(number: number, content: string): string {
  const isMessage = number === 4
  const bytes = Buffer.from(content, isMessage ? 'hex' : 'latin1')
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]
  return Buffer.concat([Uint8Array.of((number << 3) | 2, ...length), bytes]).toString('hex')
}

function memberOf(body: string): string {
  const length = body.length / 2
  const lengthHex = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]
  return Buffer.from([0x1a, ...lengthHex]).toString('hex') + body
}

function enveloped(member: string): Uint8Array {
  return wrap(Buffer.from(`0a0161${memberOf(member)}`, 'hex'))
}

function idsOf(member: string): (string | undefined)[] {
  return [...deaggregate(enveloped(member))].map(record => record.dedupeId)
}

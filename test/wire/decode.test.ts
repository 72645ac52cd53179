import { describe, expect, test } from 'vitest'
import { decodeEnvelope, hasMagic, isEnvelope } from '../../src/wire/decode.ts'
import { MalformedEnvelopeError } from '../../src/wire/format.ts'
import { wrap } from './vectors.ts'

/** What a call threw, as plain data; fails when it threw nothing. */
function fault(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    if (error instanceof MalformedEnvelopeError) return { code: error.code, fault: error.fault, offset: error.offset }
    throw error
  }
  throw new Error('nothing was thrown')
}

const malformed = (text: string, offset: number) => ({ code: 'KPL_ERR_MALFORMED_ENVELOPE', fault: text, offset })
const hex = (text: string): Uint8Array => wrap(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const x = { partitionKey: 'a', explicitHashKey: undefined, data: Uint8Array.of(0x78) }

describe('isEnvelope', () => {
  test('takes a body of one byte with its digest, whatever the byte', () => {
    const bytes = wrap([0])

    const answer = isEnvelope(bytes)

    expect(answer).toBe(true)
  })

  test('refuses the magic with the digest of nothing', () => {
    const bytes = wrap([])

    const answer = [isEnvelope(bytes), hasMagic(bytes)]

    expect(answer).toEqual([false, true])
  })

  test('refuses a record of which any one bit was changed', () => {
    const good = hex('0a0161 1a0508001a0178')

    const answers = Array.from({ length: good.length * 8 }, (_, bit) => {
      const bad = good.slice()
      bad[bit >> 3]! ^= 1 << (bit & 7)
      return isEnvelope(bad)
    })

    expect([isEnvelope(good), answers.includes(true)]).toEqual([true, false])
  })
})

describe('decodeEnvelope', () => {
  test('gives views into the envelope, in order, whatever kind of Uint8Array it was given', () => {
    const bytes = hex('0a0161 0a0162 1207313233343536 37 1a0508001a0178 1a0608011000 1a00')
    const inside = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]).subarray(6, 6 + bytes.length)

    const members = decodeEnvelope(inside)

    expect(members).toStrictEqual([x, { partitionKey: 'b', explicitHashKey: '1234567', data: new Uint8Array() }])
    expect(members[0]!.data.buffer).toBe(inside.buffer)
  })

  test('finds tables after and between the members', () => {
    const bytes = hex('1a0508001a0178 0a0161 1a0708011000 1a0179 120139 0a0162')

    const members = decodeEnvelope(bytes)

    expect(members).toStrictEqual([x, { partitionKey: 'b', explicitHashKey: '9', data: Uint8Array.of(0x79) }])
  })

  test.each([
    ['a member that is not laid out as the KPL does', '0a0161 1a05 1a0178 0800', [x]],
    ['the last of a repeated scalar', '0a0161 1a0a 0805 0800 1a0179 1a0178', [x]],
    ['tags, also without value', '0a0161 1a0a 0800 1a0178 2203 0a0174', [x]],
    ['numbers with superfluous bytes', '0a0161 1a89 00 08808080 00 1a8100 78', [x]],
    ['field tags with superfluous bytes', '0a0161 9a00 05 0800 1a0178', [x]],
    ['indexes of four bytes that fit', '0a0161 1a08 08808080 00 1a0178', [x]]
  ])('reads %s', (_, body, expected) => {
    const bytes = hex(body)

    const members = decodeEnvelope(bytes)

    expect(members).toStrictEqual(expected)
  })

  test.each([
    ['an index that would wrap around at 2^32', '0a0161 1a09 088080808010 1a0178', 'key index outside its table', 18],
    [
      'an index of 2^53 + 1, which a Number would round',
      '0a0161 0a0162 1a0c 0881808080 80808010 1a0178',
      'key index outside its table',
      24
    ],
    ['an explicit hash key index without table', '0a0161 1a0708001000 1a0178', 'key index outside its table', 16],
    ['a length that would wrap around at 2^32', '0a0161 1a09 0800 1a8180808010 78', 'length beyond the end', 17],
    ['a field tag above 32 bits', '0a0161 808080808001 00', 'field number out of bounds', 13],
    ['field number 0', '0a0161 0200', 'field number out of bounds', 8],
    ['wire type 7', '0a0161 0f', 'wire type 7', 8],
    ['a varint of 11 bytes', '0a0161 28 8080808080 8080808080 00', 'varint longer than 10 bytes', 18],
    ['a fixed field cut off', '0a0161 29 00000000000000', 'truncated field', 16],
    ['a group that ends another', '0a0161 2b 34', 'wire type 4', 9],
    ['a member whose data reaches past it', '0a0161 1a04 0800 1a01 78', 'length beyond the end', 13],
    ['a tag without key', '0a0161 1a0a 0800 1a0178 2203 120174', 'tag without key', 19],
    ['a key that is not UTF-8', '0a01ff 1a0508001a0178', 'key that is not UTF-8', 6],
    ['an explicit hash key that is not UTF-8', '0a0161 1201ff 1a070800 1000 1a0178', 'key that is not UTF-8', 9]
  ])('refuses %s', (_, body, text, offset) => {
    const bytes = hex(body)

    const thrown = fault(() => decodeEnvelope(bytes))

    expect(thrown).toEqual(malformed(text, offset))
  })

  test('takes groups nested 100 deep and refuses 101, counting a member as one', () => {
    const nested = (depth: number) => '2b'.repeat(depth) + '2c'.repeat(depth)
    const inMember = (depth: number) => `0a0161 1a${(depth * 2 + 5).toString(16)}01 08001a0178 ${nested(depth)}`

    const taken = [decodeEnvelope(hex(`0a0161 1a0508001a0178 ${nested(100)}`)), decodeEnvelope(hex(inMember(99)))]
    const refused = [`${nested(101)}`, inMember(100)].map(body => fault(() => decodeEnvelope(hex(body))))

    expect(taken).toEqual([[x], [x]])
    expect(refused).toEqual([
      malformed('groups nested too deep', 4 + 101),
      malformed('groups nested too deep', 4 + 6 + 5 + 100)
    ])
  })

  test('keeps a byte order mark and a genuine U+FFFD in a key', () => {
    const bytes = hex('0a06 efbbbf efbfbd 1a0508001a0178')

    const members = decodeEnvelope(bytes)

    expect(members).toStrictEqual([{ ...x, partitionKey: '\ufeff\ufffd' }])
  })
})

describe('decodeEnvelope on the records that the KPL makes', () => {
  test.each([
    [
      'f3899ac20a02706b1a0908001a0568656c6c6f1a0908001a05776f726c644747b0d63591c416fdae617529bdda27',
      [
        { partitionKey: 'pk', explicitHashKey: undefined, data: new Uint8Array(Buffer.from('hello')) },
        { partitionKey: 'pk', explicitHashKey: undefined, data: new Uint8Array(Buffer.from('world')) }
      ]
    ],
    [
      'f3899ac20a01610a016212033132331a0508001a01781a08080110001a02797a3f1e8c5ee5ddc615765c0ff7d7f7d296',
      [x, { partitionKey: 'b', explicitHashKey: '123', data: Uint8Array.of(0x79, 0x7a) }]
    ],
    [
      'f3899ac20a02706b1201301a06080010001a001a08080010001a0200ff95c83331a0fd78edbaf0bf7457c7eda7',
      [
        { partitionKey: 'pk', explicitHashKey: '0', data: new Uint8Array() },
        { partitionKey: 'pk', explicitHashKey: '0', data: Uint8Array.of(0, 0xff) }
      ]
    ]
  ])('reads %s', (golden, expected) => {
    const bytes = Buffer.from(golden, 'hex')

    const answer = [isEnvelope(bytes), decodeEnvelope(bytes)]

    expect(answer).toStrictEqual([true, expected])
  })
})

/** The CBOR body writer, against golden bytes and against an encoder and a decoder that are not ours. */
import { cbor } from '@smithy/core/cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeCborBody } from '../../src/aws/cbor-body.ts'
import { MAX_REQUEST_BYTES, MEBIBYTE } from '../../src/model/limits.ts'

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constantFrom(
    '',
    '"',
    '\u0000',
    '\u2028',
    '__proto__',
    '\ud83d\ude00',
    '\ud800',
    '\udc00x',
    'x'.repeat(256),
    '\uffff'.repeat(256)
  )
)
const record = fc.record(
  {
    Data: fc.uint8Array({ maxLength: 300 }),
    PartitionKey: hostileText,
    ExplicitHashKey: fc.bigInt(0n, 2n ** 128n - 1n).map(String)
  },
  { requiredKeys: ['PartitionKey', 'Data'] }
)
const address = fc.record({ StreamName: hostileText, StreamARN: hostileText }, { requiredKeys: [] })

/** A buffer that is full of what must not be seen, and not a byte too large. */
function exactly(size: number): Buffer {
  return Buffer.alloc(size, 0xff)
}

function written(input: Parameters<typeof writeCborBody>[0]): Buffer {
  return writeCborBody(input, exactly).body
}

describe('the CBOR body of PutRecords', () => {
  test('is these bytes', () => {
    const Records = [
      { Data: Uint8Array.of(0, 255), PartitionKey: 'k' },
      { Data: new Uint8Array(0), PartitionKey: '\u00e9', ExplicitHashKey: '7' }
    ]

    const body = written({ StreamName: 's', Records })

    expect(body.toString('hex')).toBe(
      [
        'a2',
        '6a53747265616d4e616d65',
        '6173',
        '675265636f726473',
        '82',
        'a2',
        '6444617461',
        '4200ff',
        '6c506172746974696f6e4b6579',
        '616b',
        'a3',
        '6444617461',
        '40',
        '6c506172746974696f6e4b6579',
        '62c3a9',
        '6f4578706c69636974486173684b6579',
        '6137'
      ].join('')
    )
  })

  test('is what another encoder writes, whatever the keys and the data', () => {
    fc.assert(
      fc.property(address, fc.array(record, { maxLength: 30 }), ({ StreamName, StreamARN }, Records) => {
        const input = {
          ...(StreamName === undefined ? {} : { StreamName }),
          ...(StreamARN === undefined ? {} : { StreamARN }),
          Records: Records.map(({ Data, PartitionKey, ExplicitHashKey }) => ({
            Data,
            PartitionKey,
            ...(ExplicitHashKey === undefined ? {} : { ExplicitHashKey })
          }))
        }

        const body = written(input)

        expect(body.toString('hex')).toBe(Buffer.from(cbor.serialize(input)).toString('hex'))
      })
    )
  })

  test('decodes to exactly the request', () => {
    fc.assert(
      fc.property(address, fc.array(record, { maxLength: 30 }), (streamAddress, Records) => {
        const body = written({ ...streamAddress, Records })

        const decoded: unknown = cbor.deserialize(body)

        expect(decoded).toEqual({
          ...wellFormed(streamAddress),
          Records: Records.map(({ Data, ...keys }) => ({ Data: Buffer.from(Data), ...wellFormed(keys) }))
        })
      })
    )
  })

  test.each([0, 1, 23, 24, 255, 256, 65_535, 65_536, MEBIBYTE, MAX_REQUEST_BYTES])(
    'holds data of %i bytes',
    byteCount => {
      const Data = Buffer.alloc(byteCount, 7)

      const body = written({ StreamName: 's', Records: [{ Data, PartitionKey: 'k' }] })

      const decoded = cbor.deserialize(body) as { Records: { Data: Uint8Array }[] }
      expect(Data.equals(decoded.Records[0]!.Data)).toBe(true)
    }
  )

  test('holds 500 records and 5 MiB, byte for byte', () => {
    const Records = Array.from({ length: 500 }, (_, i) => ({
      Data: Buffer.alloc(10_450, i),
      PartitionKey: `key-${i}`,
      ExplicitHashKey: `${i}`
    }))

    const body = written({ StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders', Records })

    const decoded = cbor.deserialize(body) as { Records: typeof Records }
    const isSame = decoded.Records.map(
      ({ Data, PartitionKey, ExplicitHashKey }, i) =>
        Records[i]!.Data.equals(Data) && PartitionKey === `key-${i}` && ExplicitHashKey === `${i}`
    )
    expect(isSame).toEqual(Array(500).fill(true))
  })

  test('reads data that is a part of a larger buffer as that part only', () => {
    const whole = Buffer.from('secret|payload|secret')
    const part = new Uint8Array(whole.buffer, whole.byteOffset + 7, 7)

    const body = written({ Records: [{ Data: part, PartitionKey: 'k' }] })

    expect(cbor.deserialize(body)).toEqual({ Records: [{ Data: Buffer.from('payload'), PartitionKey: 'k' }] })
  })

  test('leaves the rest of a larger buffer as it was', () => {
    const larger = Buffer.alloc(1000, 0xaa)

    const { buffer, body } = writeCborBody({ StreamName: 's', Records: [] }, () => larger)

    expect([buffer === larger, buffer.subarray(body.length).every(byte => byte === 0xaa)]).toEqual([true, true])
  })
})

/** Half a surrogate pair cannot be written in UTF-8. */
function wellFormed(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString()]))
}

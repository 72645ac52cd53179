/** The body writer: what it writes parses to exactly the request. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writePutRecordsBody } from '../../src/aws/request-body.ts'

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('"', '\\', '\\"}', '\u0000\u001f\u007f', '\u2028\u2029', '</script>', '__proto__', '\ud83d\ude00', '')
)
const bytes = fc.uint8Array({ maxLength: 300 })
const record = fc.record(
  { PartitionKey: hostileText, Data: bytes, ExplicitHashKey: fc.bigInt(0n, 2n ** 128n - 1n).map(String) },
  { requiredKeys: ['PartitionKey', 'Data'] }
)

function exactly(size: number): Buffer {
  return Buffer.alloc(size, 0xff)
}

describe('the body of PutRecords', () => {
  test('parses to exactly the request, whatever the keys and the data', () => {
    fc.assert(
      fc.property(
        fc.record({ StreamName: hostileText, StreamARN: hostileText }, { requiredKeys: [] }),
        fc.array(record, { maxLength: 20 }),
        (address, Records) => {
          const { body } = writePutRecordsBody({ ...address, Records }, exactly)

          const expected = Records.map(entry => ({ ...entry, Data: Buffer.from(entry.Data).toString('base64') }))
          expect(JSON.parse(body.toString('utf8'))).toEqual({ ...address, Records: expected })
        }
      )
    )
  })

  test('reads data that is a part of a larger buffer as that part only', () => {
    const whole = Buffer.from('secret|payload|secret')
    const part = new Uint8Array(whole.buffer, whole.byteOffset + 7, 7)

    const { body } = writePutRecordsBody({ StreamName: 's', Records: [{ Data: part, PartitionKey: 'k' }] }, exactly)

    expect(body.toString()).toBe(`{"StreamName":"s","Records":[{"PartitionKey":"k","Data":"${btoa('payload')}"}]}`)
  })
})

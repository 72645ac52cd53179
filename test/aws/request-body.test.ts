/** The body writer: what it writes parses to exactly the request. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BodyPool, MAX_POOLED_BODIES } from '../../src/aws/body-buffers.ts'
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

describe('the pool of bodies', () => {
  test('gives a released buffer out again when it is large enough, and only once', () => {
    const pool = new BodyPool()
    const first = pool.take(1000)
    pool.release(first)

    const taken = [pool.take(first.length), pool.take(first.length)]

    expect([taken[0] === first, taken[1] === first]).toEqual([true, false])
  })

  test('keeps no more than its bound, and of those the largest', () => {
    const pool = new BodyPool()
    const buffers = Array.from({ length: MAX_POOLED_BODIES + 1 }, (_, i) => pool.take((i + 1) * 300_000))
    for (const buffer of buffers) pool.release(buffer)

    const kept = Array.from({ length: MAX_POOLED_BODIES }, () => pool.take(1))

    expect([new Set(kept), pool.freeCount]).toEqual([new Set(buffers.slice(1)), 0])
  })
})

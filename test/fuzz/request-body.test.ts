/**
 * The body of a PutRecords request: its text, parsed, is the request, whatever keys and data are in it.
 * Invariant: data are compared as bytes, decoded by Node's own base64; the text is parsed by JSON.parse.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BODY_POOL } from '../../src/aws/body-protocol.ts'
import { type WrittenBody, writePutRecordsBody } from '../../src/aws/request-body.ts'
import { BlockPool } from '../../src/wire/block-pool.ts'
import { check, shareOf, TIMEOUT_MS } from './cases.ts'
import { numbersOf } from './mutants.ts'
import { anyText, hashKey } from './texts.ts'

interface BodyRecord {
  readonly PartitionKey: string
  readonly ExplicitHashKey?: string
  readonly Data: string
}

const UNTOUCHED = 0xa5
/** Bytes behind the buffer that was asked for, which nobody may write to. */
const GUARD_BYTES = 16

/** Bytes that are a part of a larger buffer, at every alignment of start and length. */
const anyData = fc
  .record({ offset: fc.nat({ max: 9 }), bytes: fc.uint8Array({ maxLength: 70 }), isBuffer: fc.boolean() })
  .map(({ offset, bytes, isBuffer }) => {
    const whole = new Uint8Array(offset + bytes.length + 5).fill(UNTOUCHED)
    whole.set(bytes, offset)
    const part = whole.subarray(offset, offset + bytes.length)
    return isBuffer ? Buffer.from(part.buffer, part.byteOffset, part.length) : part
  })
const anyRecord = fc.record(
  { PartitionKey: anyText, Data: anyData, ExplicitHashKey: fc.oneof(hashKey.map(String), anyText) },
  { requiredKeys: ['PartitionKey', 'Data'] }
)
const anyAddress = fc.record({ StreamName: anyText, StreamARN: anyText }, { requiredKeys: [] })

describe('the body', () => {
  test(`parses to the request, and no byte is written beside it (${shareOf(10)} requests)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const checked = check(
      shareOf(10),
      fc.property(anyAddress, fc.array(anyRecord, { maxLength: 8 }), (address, records) => {
        const guarded: Buffer[] = []

        const { body } = writePutRecordsBody({ ...address, Records: records }, bytes => {
          guarded.push(Buffer.alloc(bytes + GUARD_BYTES, UNTOUCHED))
          return guarded[0]!.subarray(0, bytes)
        })

        const { Records, ...rest } = JSON.parse(body.toString('utf8')) as { Records: BodyRecord[] }
        expect(rest).toEqual(address)
        expect(Records.map(decoded)).toEqual(records.map(record => ({ ...record, Data: latin1(record.Data) })))
        expect([guarded.length, guarded[0]!.subarray(-GUARD_BYTES).every(byte => byte === UNTOUCHED)]).toEqual([
          1,
          true
        ])
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })

  test(`has data of any length as it was, also of megabytes (${shareOf(400)} requests)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const checked = check(
      shareOf(400),
      fc.property(fc.noShrink(fc.integer()), seed => {
        const below = numbersOf(seed)
        const records = Array.from({ length: 1 + below(500) }, (_, i) => {
          const length = below(40) === 0 ? below(200_000) : below(300)
          return { PartitionKey: `key-${i}`, Data: Buffer.alloc(length, `${seed}:${i}:`) }
        })

        const { body } = writePutRecordsBody({ StreamName: 's', Records: records }, bytes => Buffer.alloc(bytes))

        const { Records } = JSON.parse(body.toString('utf8')) as { Records: BodyRecord[] }
        const isSame = Records.map(({ PartitionKey, Data }, i) => {
          const record = records[i]!
          return PartitionKey === record.PartitionKey && record.Data.equals(Buffer.from(Data, 'base64'))
        })
        expect(isSame).toEqual(records.map(() => true))
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })
})

describe('the buffers of bodies', () => {
  test(`are never with two requests at a time (${shareOf(20)} runs)`, { timeout: TIMEOUT_MS }, async () => {
    const step = fc.record({ releases: fc.boolean(), at: fc.nat(), bytes: fc.integer({ min: 0, max: 900_000 }) })

    const checked = check(
      shareOf(20),
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const pool = new BlockPool(BODY_POOL)
        const taken: Buffer[] = []
        for (const { releases, at, bytes } of steps) {
          if (releases && taken.length > 0) {
            const [buffer] = taken.splice(at % taken.length, 1)
            pool.release(buffer!)
            continue
          }
          const buffer = pool.take(bytes)
          const isTaken = taken.some(other => other.length > 0 && buffer.length > 0 && other.buffer === buffer.buffer)
          expect([buffer.length, isTaken]).toEqual([bytes, false])
          taken.push(buffer)
        }
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })

  test(`keep each request's own text until its answer was read (${shareOf(40)} runs)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const step = fc.record({ releases: fc.boolean(), at: fc.nat(), text: anyText })

    const checked = check(
      shareOf(40),
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const pool = new BlockPool(BODY_POOL)
        const open: { readonly text: string; readonly written: WrittenBody }[] = []
        for (const { releases, at, text } of steps) {
          if (releases && open.length > 0) {
            const [done] = open.splice(at % open.length, 1)
            pool.release(done!.written.buffer)
          } else {
            const input = { StreamName: text, Records: [{ PartitionKey: text, Data: Buffer.from(text) }] }
            open.push({ text, written: writePutRecordsBody(input, bytes => pool.take(bytes)) })
          }
          const texts = open.map(({ written }) => JSON.parse(written.body.toString('utf8')).StreamName)
          expect(texts).toEqual(open.map(({ text }) => text))
        }
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })
})

function decoded(record: BodyRecord): BodyRecord {
  return { ...record, Data: latin1(Buffer.from(record.Data, 'base64')) }
}

/** Bytes as text, a character each: a matcher compares texts a thousand times as fast. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

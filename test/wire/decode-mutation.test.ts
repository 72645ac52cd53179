import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeEnvelope, type EnvelopeMember } from '../../src/wire/decode.ts'
import { MalformedEnvelopeError } from '../../src/wire/format.ts'
import { AGGREGATED_RECORD, anyMessage, oracle } from './oracle.ts'
import { wrap } from './vectors.ts'

describe('decodeEnvelope on envelopes with changed bytes and a right digest', () => {
  test('gives a typed error or what protobufjs gives for a body with mutated bytes', () => {
    const mutation = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
    const seen = { read: 0, refused: 0 }

    fc.assert(
      fc.property(
        anyMessage,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.nat(40),
        (message, changes, cut) => {
          const body = AGGREGATED_RECORD.encode(message).finish()
          for (const [at, byte] of changes) if (body.length > 0) body[at % body.length] = byte
          const mutant = body.slice(0, Math.max(0, body.length - (cut > 20 ? cut - 20 : 0)))
          try {
            const members = decodeEnvelope(wrap(mutant))
            seen.read++
            expect(members).toEqual(oracleOrOurs(mutant, members))
          } catch (error) {
            if (!(error instanceof MalformedEnvelopeError)) throw error
            seen.refused++
          }
        }
      ),
      { numRuns: 3000 }
    )

    expect([seen.read > 100, seen.refused > 100]).toEqual([true, true])
  })

  test('gives only typed errors for bytes at random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), body => {
        try {
          decodeEnvelope(wrap(body))
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedEnvelopeError)
        }
      }),
      { numRuns: 3000 }
    )
  })
})

/** protobufjs is laxer about numbers and stricter about groups: where it refuses, there is nothing to compare. */
function oracleOrOurs(body: Uint8Array, ours: EnvelopeMember[]): EnvelopeMember[] {
  try {
    return oracle(body)
  } catch {
    return ours // refused by protobufjs alone
  }
}

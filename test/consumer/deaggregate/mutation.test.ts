import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aggregate, deaggregate, isAggregated, MalformedEnvelopeError } from '../../../src/consumer/deaggregate.ts'
import { wrap } from '../../wire/vectors.ts'

const SHARD = { startingHashKey: 0n, endingHashKey: (1n << 127n) - 1n }
const RULES = [{}, { shardRange: SHARD }, { shardRange: SHARD, outOfRange: 'kcl' }] as const

const anyRecords = fc.array(
  fc.record(
    {
      partitionKey: fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
      explicitHashKey: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
      data: fc.uint8Array({ maxLength: 20 })
    },
    { requiredKeys: ['partitionKey', 'data'] }
  ),
  { minLength: 2, maxLength: 8 }
)
const anyChanges = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 })

/** The aggregate of `records` with some bytes of its body changed and the digest put right. */
function mutant(records: Parameters<typeof aggregate>[0], changes: readonly (readonly [number, number])[]): Uint8Array {
  const [stored] = [...aggregate(records, { maxBytes: Number.POSITIVE_INFINITY })]
  const body = Buffer.from(stored!.data).subarray(4, -16)
  for (const [at, byte] of changes) body[at % body.length] = byte
  return wrap(body)
}

describe('deaggregate on aggregates with changed bytes and a right digest', () => {
  test('gives the whole of what can be read, or the record unchanged, by every rule', () => {
    const seen = { read: 0, plain: 0 }

    fc.assert(
      fc.property(anyRecords, anyChanges, fc.constantFrom(...RULES), (records, changes, rule) => {
        const bytes = mutant(records, changes)
        const Data = bytes.slice()

        const all = [...deaggregate(Data)]
        const some = [...deaggregate(Data, rule)]

        const isPlain = all.length === 1 && !all[0]!.aggregated
        seen[isPlain ? 'plain' : 'read']++
        const isWholePlain = some.length === 1 && !some[0]!.aggregated
        const facts = {
          isFramed: isAggregated(bytes),
          isPlainUnchanged: !isPlain || (isDeepStrictEqual(all[0]!.data, bytes) && isDeepStrictEqual(some, all)),
          isInOrder: all.every((record, i) => record.subSequenceNumber === i),
          // Whatever a rule leaves over is as it is without a rule, or the record as a whole.
          isPart: isWholePlain
            ? isDeepStrictEqual(some[0]!.data, bytes)
            : isDeepStrictEqual(
                some,
                some.map(({ subSequenceNumber: i }) => all[i])
              ),
          isInputUntouched: isDeepStrictEqual(Data, bytes)
        }
        expect(facts).toEqual({
          isFramed: true,
          isPlainUnchanged: true,
          isInOrder: true,
          isPart: true,
          isInputUntouched: true
        })
      }),
      { numRuns: 600 }
    )

    expect([seen.read > 100, seen.plain > 100]).toEqual([true, true])
  })

  test('throws nothing but its own error when it is strict, and before the first user record', () => {
    fc.assert(
      fc.property(anyRecords, anyChanges, fc.constantFrom(...RULES), (records, changes, rule) => {
        const bytes = mutant(records, changes)
        const lenient = [...deaggregate(bytes, rule)]

        let strict: unknown
        try {
          strict = [...deaggregate(bytes, { ...rule, onCorrupt: 'throw' })]
        } catch (error) {
          strict = error
        }

        const isCorrupt = lenient.length === 1 && !lenient[0]!.aggregated
        if (isCorrupt) expect(strict).toBeInstanceOf(MalformedEnvelopeError)
        else expect(strict).toEqual(lenient)
      }),
      { numRuns: 600 }
    )
  })
})

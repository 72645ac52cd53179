/**
 * What goes into aggregates comes out of them: hostile keys, all shapes of a Kinesis record, and processes in which
 * Object.prototype is frozen or full of names that keys have.
 * Invariant: keys, explicit hash keys, data, order and places are compared, each record whole.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AggregatableRecord,
  type AnyKinesisRecord,
  aggregate,
  deaggregateAll
} from '../../src/consumer/deaggregate.ts'
import { check, shareOf, TIMEOUT_MS } from './cases.ts'
import { answerOf } from './child.ts'
import { dataAtBorders, hashKey, wellFormedKey } from './texts.ts'

const anyRecords: fc.Arbitrary<AggregatableRecord[]> = fc.array(
  fc.record(
    {
      partitionKey: wellFormedKey,
      data: fc.oneof(
        { weight: 9, arbitrary: fc.uint8Array({ maxLength: 30 }) },
        { weight: 1, arbitrary: dataAtBorders }
      ),
      explicitHashKey: fc.oneof(hashKey, hashKey.map(String))
    },
    { requiredKeys: ['partitionKey', 'data'] }
  ),
  { minLength: 1, maxLength: 20 }
)
const anyOptions = fc.record(
  { maxBytes: fc.integer({ min: 64, max: 60_000 }), maxUserRecords: fc.integer({ min: 1, max: 20 }) },
  { requiredKeys: [] }
)

/** The shapes that a Kinesis record comes in. */
const SHAPES: readonly ((bytes: Uint8Array, partitionKey: string, sequenceNumber: string) => AnyKinesisRecord)[] = [
  (Data, PartitionKey, SequenceNumber) => ({ Data, PartitionKey, SequenceNumber }),
  (bytes, partitionKey, sequenceNumber) => ({ data: base64(bytes), partitionKey, sequenceNumber }),
  (bytes, partitionKey, sequenceNumber) => ({ kinesis: { data: base64(bytes), partitionKey, sequenceNumber } }),
  (bytes, partitionKey, sequenceNumber) => ({
    recordId: 'id',
    data: base64(bytes),
    kinesisRecordMetadata: { partitionKey, sequenceNumber }
  })
]

describe('what was aggregated', () => {
  test(`comes out again, in every shape of a record (${shareOf(10)} cases)`, { timeout: TIMEOUT_MS }, async () => {
    const checked = check(
      shareOf(10),
      fc.property(anyRecords, anyOptions, fc.constantFrom(...SHAPES), fc.boolean(), (records, options, shape, copy) => {
        const aggregated = [...aggregate(records, options)]
        const stored = aggregated.map(({ data, partitionKey }, i) => shape(data, partitionKey, String(i)))

        const consumed = [...deaggregateAll(stored, { copy, onCorrupt: 'throw' })]

        const places = aggregated.flatMap(({ userRecordCount }, outer) =>
          Array.from({ length: userRecordCount }, (_, inner) => ({ outer, inner, isAlone: userRecordCount === 1 }))
        )
        const isWithin = aggregated.every(({ userRecordCount, data }) => {
          const { maxBytes = 51_200, maxUserRecords = Number.POSITIVE_INFINITY } = options
          return userRecordCount === 1 || (userRecordCount <= maxUserRecords && data.length <= maxBytes)
        })
        expect(isWithin).toBe(true)
        const found = consumed.map(record => ({ ...record, data: textOf(record.data) }))
        expect(found).toEqual(
          records.map(({ partitionKey, explicitHashKey, data }, i) => ({
            partitionKey,
            // A record that is stored alone has no place for it; the outer one says it to the service only.
            explicitHashKey: places[i]!.isAlone || explicitHashKey === undefined ? undefined : String(explicitHashKey),
            data: textOf(Buffer.from(data as Uint8Array)),
            sequenceNumber: String(places[i]!.outer),
            subSequenceNumber: places[i]!.inner,
            aggregated: !places[i]!.isAlone,
            arrivalTimestamp: undefined
          }))
        )
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })

  test.each(['plain', 'frozen', 'polluted', 'polluted with numbers'])(
    `comes out again in a process whose Object.prototype is %s (${shareOf(10)} cases)`,
    { timeout: TIMEOUT_MS },
    async prototype => {
      const answer = await roundTrips(prototype, 'keep', shareOf(10))

      expect(answer).toEqual({ prototype, rounds: shareOf(10), seed: expect.any(Number), faults: [] })
    }
  )

  test("comes out again by the rule 'kcl' in a process whose Object.prototype has numbers for names", async () => {
    const { faults } = await roundTrips('polluted with numbers', 'kcl', 100)

    expect(faults).toEqual([])
  })
})

interface RoundTrips {
  readonly prototype: string
  readonly rounds: number
  readonly seed: number
  readonly faults: readonly string[]
}

async function roundTrips(prototype: string, rule: string, rounds: number): Promise<RoundTrips> {
  const environment = { PROTOTYPE: prototype, RULE: rule, ROUNDS: String(rounds) }
  return (await answerOf('prototype-child.ts', [], environment)) as RoundTrips
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Bytes as text, a character each: a matcher compares texts a thousand times as fast. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

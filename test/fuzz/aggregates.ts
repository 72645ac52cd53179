/**
 * Valid aggregates to start from, as our own writer makes them, and the mutants that fast-check finds from them.
 * Invariant: a body is what stands between magic and digest of an envelope with at least one member.
 */
import fc from 'fast-check'
import { type AggregatableRecord, RecordAggregator } from '../../src/consumer/deaggregate.ts'
import { twinEnvelope } from '../reference/envelope.ts'
import { check } from './cases.ts'
import { MAGIC, split } from './fields.ts'
import { type Mutant, mutate, numbersOf, shrink } from './mutants.ts'
import { hashKey, wellFormedKey } from './texts.ts'

const DIGEST_BYTES = 16
/** Drawing an aggregate costs as much as trying this many mutants of it. */
const MUTANTS_PER_AGGREGATE = 50

const data = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(120, 127, 128).map(length => new Uint8Array(length).fill(0x1a)) }
)

export const anyRecord: fc.Arbitrary<AggregatableRecord> = fc.record(
  {
    partitionKey: fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('a', 'b', 'c'), wellFormedKey),
    explicitHashKey: hashKey,
    data
  },
  { requiredKeys: ['partitionKey', 'data'] }
)

/** The body of an envelope with these records. */
export function bodyOf(records: readonly AggregatableRecord[]): Uint8Array {
  return Uint8Array.from(envelopeOf(records).subarray(MAGIC.length, -DIGEST_BYTES))
}

function envelopeOf(records: readonly AggregatableRecord[]): Uint8Array {
  const aggregator = new RecordAggregator({ maxBytes: Number.POSITIVE_INFINITY })
  for (const record of records) aggregator.add(record)
  if (records.length > 1) return aggregator.seal()!.data
  // Our writer leaves a record plain that is alone.
  return twinEnvelope(
    records.map(({ partitionKey, explicitHashKey, data }) => ({
      partitionKey,
      explicitHashKey: explicitHashKey === undefined ? undefined : String(explicitHashKey),
      data: Buffer.from(data as Uint8Array)
    }))
  )
}

/**
 * Asks `faultOf` about `count` mutants; undefined means none. An error names the seed, the fault and the smallest body
 * that has one, in hexadecimal.
 */
export async function checkMutants(count: number, faultOf: (body: Uint8Array) => string | undefined): Promise<void> {
  await withoutStacks(() => check(Math.ceil(count / MUTANTS_PER_AGGREGATE), mutantsAre(faultOf)))
}

/** Every other mutant is refused, and an error's stack takes ten times as long as the decoder. */
export async function withoutStacks(run: () => Promise<void> | void): Promise<void> {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    await run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function mutantsAre(faultOf: (body: Uint8Array) => string | undefined) {
  const aggregates = fc.oneof(
    { weight: 20, arbitrary: fc.array(anyRecord, { minLength: 1, maxLength: 6 }) },
    { weight: 1, arbitrary: fc.array(anyRecord, { minLength: 30, maxLength: 60 }) }
  )
  return fc.property(aggregates, fc.noShrink(fc.integer()), (records, seed) => {
    const fields = split(bodyOf(records))
    const below = numbersOf(seed)
    for (let i = 0; i < MUTANTS_PER_AGGREGATE; i++) {
      const mutant = mutate(fields, below)
      if (faultOf(mutant.body) !== undefined) throw new Error(reportOf(mutant, faultOf))
    }
  })
}

function reportOf({ body, changes }: Mutant, faultOf: (body: Uint8Array) => string | undefined): string {
  const smallest = shrink(body, candidate => faultOf(candidate) !== undefined)
  return `${faultOf(smallest)}; body ${Buffer.from(smallest).toString('hex')} (after: ${changes.join(', ')})`
}

/**
 * protobufjs, compiled from proto/ at run time, as the judge of the codec, and the messages to judge it on.
 * Invariant: nothing here knows the codec but its type of a member.
 */
import fc from 'fast-check'
import protobuf from 'protobufjs'
import type { EnvelopeMember } from '../../src/wire/decode.ts'

const SCHEMA = protobuf.loadSync(new URL('../../proto/aggregated-record.proto', import.meta.url).pathname)
export const AGGREGATED_RECORD: protobuf.Type = SCHEMA.lookupType('AggregatedRecord')

interface OracleMessage {
  readonly partitionKeyTable: string[]
  readonly explicitHashKeyTable: string[]
  readonly records: { partitionKeyIndex: number; explicitHashKeyIndex: number | null; data: Uint8Array }[]
}

/** The members as protobufjs reads them. */
export function oracle(body: Uint8Array): EnvelopeMember[] {
  const message = AGGREGATED_RECORD.toObject(AGGREGATED_RECORD.decode(body), {
    arrays: true,
    longs: Number
  }) as OracleMessage
  return message.records.map(record => ({
    partitionKey: message.partitionKeyTable[record.partitionKeyIndex]!,
    explicitHashKey:
      record.explicitHashKeyIndex == null ? undefined : message.explicitHashKeyTable[record.explicitHashKeyIndex],
    data: Uint8Array.from(record.data)
  }))
}

export const HOSTILE_KEYS: readonly string[] = [
  '__proto__',
  'hasOwnProperty',
  'constructor',
  '10',
  '2',
  '1',
  '',
  '\0',
  'a\0',
  '\u{1f600}',
  '\ufeff'
]

/** A body as any proto2 writer may make it: both tables, members and fields unknown to us, in any order. */
const anyKey = fc.oneof(fc.constantFrom(...HOSTILE_KEYS), fc.string({ unit: 'binary', maxLength: 8 }))
export const anyMessage = fc
  .record({
    partitionKeyTable: fc.array(anyKey, { minLength: 1, maxLength: 300 }),
    explicitHashKeyTable: fc.array(anyKey, { minLength: 1, maxLength: 5 }),
    records: fc.array(
      fc.record(
        { partitionKeyIndex: fc.nat(), explicitHashKeyIndex: fc.nat(), data: fc.uint8Array({ maxLength: 300 }) },
        { requiredKeys: ['partitionKeyIndex', 'data'] }
      ),
      { maxLength: 20 }
    )
  })
  .map(message => {
    for (const record of message.records) {
      record.partitionKeyIndex %= message.partitionKeyTable.length
      if (record.explicitHashKeyIndex !== undefined) record.explicitHashKeyIndex %= message.explicitHashKeyTable.length
    }
    return message
  })

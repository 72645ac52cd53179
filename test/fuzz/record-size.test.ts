/**
 * What becomes of records on their way through validator and aggregator, in bytes: the KPL's rules of size.
 * Invariant: every size that is expected is that of bytes that the twin really made.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RecordValidator } from '../../src/core/record-validator.ts'
import type { AggregatorOptions } from '../../src/lanes/aggregator.ts'
import { InvalidRecordError } from '../../src/model/errors.ts'
import type { KinesisRecord } from '../../src/model/kinesis-record.ts'
import type { UserRecord } from '../../src/model/records.ts'
import { decodeEnvelope } from '../../src/wire/decode.ts'
import { type TwinMember, twinEnvelope, twinSealed } from '../reference/envelope.ts'
import { laneOf, Packing } from '../support/lanes.ts'
import { check, shareOf, TIMEOUT_MS } from './cases.ts'
import { dataAtBorders, hashKey, wellFormedKey } from './texts.ts'

type Limits = Pick<AggregatorOptions, 'aggregationMaxBytes' | 'aggregationMaxCount'>

const ALONE: AggregatorOptions = {
  aggregationEnabled: false,
  aggregationMaxBytes: 51_200,
  aggregationMaxCount: 1,
  containerKey: 'first'
}
const anyLimits: fc.Arbitrary<Limits> = fc.record({
  aggregationMaxBytes: fc.oneof(
    fc.integer({ min: 64, max: 200 }),
    fc.integer({ min: 64, max: 2000 }),
    fc.constant(51_200)
  ),
  aggregationMaxCount: fc.constantFrom(1, 2, 3, 4_294_967_295)
})
const smallRecord = fc.record({ partitionKey: fc.constantFrom('a', 'b'), data: fc.string({ maxLength: 3 }) })
const anyRecord: fc.Arbitrary<UserRecord> = fc.oneof(
  smallRecord,
  fc.record(
    { partitionKey: wellFormedKey, data: dataAtBorders, explicitHashKey: hashKey },
    { requiredKeys: ['partitionKey', 'data'] }
  )
)
const anyRecords = fc.oneof(
  fc.array(anyRecord, { minLength: 1, maxLength: 12 }),
  fc.array(smallRecord, { minLength: 1, maxLength: 30 })
)

describe('what is packed', () => {
  test(`is what the twin packs: as much as fits, one alone as it is (${shareOf(20)} cases)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const checked = check(
      shareOf(20),
      fc.property(anyLimits, anyRecords, (limits, records) => {
        expect(pack(limits, records)).toEqual(twinPack(limits, records))
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })

  test('has each key once, also one that came with an explicit hash key first', () => {
    const limits = { aggregationMaxBytes: 51_200, aggregationMaxCount: 100 }
    const records = [
      { partitionKey: 'k', data: '1', explicitHashKey: 0n },
      { partitionKey: 'k', data: '2' }
    ]

    const packed = pack(limits, records)

    expect(packed).toEqual(twinPack(limits, records))
  })

  // Sequence: 'k' joins lane A -> the key cache turns over twice, so 'k' has a new slot -> 'k' joins lane A again,
  // whose table has no index: the new slot is taken to say that 'k' was never there. A look-up by text for every key that
  // is new to the cache would cost more than these bytes, and readers cannot tell the difference.
  test('may have a key twice that the key cache has forgotten meanwhile, and reads the same', () => {
    const validator = new RecordValidator(1 << 20)
    const packing = new Packing({ ...ALONE, aggregationEnabled: true, aggregationMaxCount: 1_000_000 })
    const put = (partitionKey: string, shardId: string) =>
      packing.add(validator.examine({ partitionKey, data: '' }), laneOf(shardId))
    put('k', 'A')
    put('j', 'A')
    // Each twice, for the cache steps aside when it never finds anything.
    for (let i = 0; i < 20_000; i++) for (let times = 0; times < 2; times++) put(`other-${i}`, 'B')
    put('k', 'A')

    packing.sealAll()

    const read = packing.sealed.map(({ data }) => decodeEnvelope(data).map(({ partitionKey }) => partitionKey))
    expect(read).toContainEqual(['k', 'j', 'k'])
  })
})

describe('a record that is sent alone', () => {
  test(`is within the limit with its key, or was refused (${shareOf(10)} cases)`, { timeout: TIMEOUT_MS }, async () => {
    const hashKeys = fc.option(hashKey, { nil: undefined })

    await expect(check(shareOf(10), sizesSent(hashKeys))).resolves.toBeUndefined()
  })
})

/** That a record is refused, or else sent within the limit; and that a plain one is refused above the limit only. */
function sizesSent(explicitHashKeys: fc.Arbitrary<bigint | undefined>): fc.IRawProperty<unknown> {
  const drawn = fc.record({
    partitionKey: wellFormedKey,
    explicitHashKey: explicitHashKeys,
    isEnvelope: fc.boolean(),
    stepBytes: fc.integer({ min: -90, max: 2 }),
    maxBytes: fc.constantFrom(64, 700, 20_000)
  })
  return fc.property(drawn, ({ partitionKey, explicitHashKey, isEnvelope, stepBytes, maxBytes }) => {
    const keyBytes = Buffer.byteLength(partitionKey)
    const dataBytes = Math.max(0, maxBytes - keyBytes + stepBytes)
    const data = isEnvelope ? envelopeOfLength(dataBytes) : new Uint8Array(dataBytes)

    const sent = sentAlone({ partitionKey, data, explicitHashKey }, maxBytes)

    const isPlainTaken = !isEnvelope && dataBytes + keyBytes <= maxBytes
    if (isPlainTaken) expect(sent?.requestBytes).toBe(dataBytes + keyBytes)
    else expect(sent?.requestBytes ?? 0).toBeLessThanOrEqual(maxBytes)
  })
}

/** What is sent of a record, or undefined when it is too large. */
function sentAlone(user: UserRecord, maxUserRecordBytes: number): KinesisRecord | undefined {
  const packing = new Packing(ALONE)
  try {
    packing.add(new RecordValidator(maxUserRecordBytes).examine(user))
  } catch (error) {
    if (!(error instanceof InvalidRecordError) || error.code !== 'KPL_ERR_RECORD_TOO_LARGE') throw error
  }
  return packing.sealed[0]
}

/** An envelope of about that length, or bytes without meaning where none is that short. */
function envelopeOfLength(bytes: number): Uint8Array {
  const envelopeOf = (dataBytes: number) =>
    twinEnvelope([{ partitionKey: 'k', explicitHashKey: undefined, data: new Uint8Array(dataBytes) }])
  const emptyBytes = envelopeOf(0).length
  if (bytes < emptyBytes) return new Uint8Array(bytes)
  const tooLong = envelopeOf(bytes - emptyBytes)
  return envelopeOf(Math.max(0, bytes - emptyBytes - (tooLong.length - bytes)))
}

function pack(limits: Limits, records: readonly UserRecord[]): string[] {
  const packing = new Packing(limits)
  const validator = new RecordValidator(1 << 20)
  for (const record of records) packing.add(validator.examine(record))
  packing.sealAll()
  return packing.sealed.map(({ data }) => textOf(data))
}

function twinPack(limits: Limits, records: readonly UserRecord[]): string[] {
  const groups: TwinMember[][] = []
  for (const { partitionKey, explicitHashKey, data } of records) {
    const hashKeyText = explicitHashKey === undefined ? undefined : String(explicitHashKey)
    const member = { partitionKey, explicitHashKey: hashKeyText, data: Buffer.from(data as Uint8Array) }
    const open = groups.at(-1) ?? []
    const isFitting =
      open.length > 0 &&
      open.length < limits.aggregationMaxCount &&
      twinEnvelope([...open, member]).length <= limits.aggregationMaxBytes
    if (isFitting) open.push(member)
    else groups.push([member])
  }
  return groups.map(group => textOf(twinSealed(group)))
}

/** Bytes as text, a character each: a matcher compares texts a thousand times as fast. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

/** What the KPL's kinesis_record_test asserts, on the envelope writer and the aggregator that drives it. */
import { describe, expect, test } from 'vitest'
import type { KinesisRecord } from '../../src/model/kinesis-record.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { decodeEnvelope, isEnvelope } from '../../src/wire/decode.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'
import { ENVELOPE_BYTES } from '../../src/wire/format.ts'
import { accepted } from '../support/accepted.ts'
import { Packing } from '../support/lanes.ts'

interface User {
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly data: string
}

const COUNT = 1000
const SAME = () => 'key'
const DIFFERENT = (i: number) => `key-${i}`
const MIXED = (i: number) => `key-${(i * i) % 17}`
const NO_HASH_KEY = () => undefined
const SAME_HASH_KEY = () => '123456789'
const DIFFERENT_HASH_KEY = (i: number) => String(2n ** 127n + BigInt(i))
const MIXED_HASH_KEY = (i: number) => (i % 3 === 0 ? undefined : String((i * 7) % 11))

describe('kinesis_record_test', () => {
  test.each([undefined, '123456789'])('SingleRecord: one user record is not wrapped (hash key %s)', explicitHashKey => {
    const stage = new Packing()
    stage.add(accepted('key', 'data', { explicitHashKey }))

    stage.sealAll()

    expect(stage.sealed.map(outerOf)).toEqual([
      { partitionKey: 'key', explicitHashKey, data: 'data', isAggregate: false }
    ])
  })

  test('SingleRecord, better than the KPL: one that is an envelope itself is wrapped, so that it comes out as it went in', () => {
    const inner = seal([userOf(0, SAME, NO_HASH_KEY), userOf(1, SAME, NO_HASH_KEY)])
    const stage = new Packing()
    stage.add(accepted('key', inner))

    stage.sealAll()

    expect(stage.sealed.map(record => record.isAggregate)).toEqual([true])
    expect(decodeEnvelope(stage.sealed[0]!.data).map(member => Buffer.from(member.data))).toEqual([inner])
  })

  test.each([
    ['SamePK', SAME, NO_HASH_KEY],
    ['DifferentPK', DIFFERENT, NO_HASH_KEY],
    ['MixedPK', MIXED, NO_HASH_KEY],
    ['SameEHK', SAME, SAME_HASH_KEY],
    ['DifferentEHK', SAME, DIFFERENT_HASH_KEY],
    ['MixedEHK', SAME, MIXED_HASH_KEY],
    ['DifferentPK with SameEHK', DIFFERENT, SAME_HASH_KEY],
    ['DifferentPK with DifferentEHK', DIFFERENT, DIFFERENT_HASH_KEY],
    ['MixedPK with MixedEHK', MIXED, MIXED_HASH_KEY]
  ])('%s: 1,000 records come out of the envelope in order with their own keys', (_, partitionKey, hashKey) => {
    const users = Array.from({ length: COUNT }, (_, i) => userOf(i, partitionKey, hashKey))

    const envelope = seal(users)

    expect(isEnvelope(envelope)).toBe(true)
    expect(usersOf(envelope)).toEqual(users)
  })

  test.each([
    ['one key', SAME],
    ['a thousand keys', DIFFERENT]
  ])('SamePK and DifferentPK: the table has each key once (%s)', (_, partitionKey) => {
    const users = Array.from({ length: COUNT }, (_, i) => userOf(i, partitionKey, NO_HASH_KEY))

    const envelope = seal(users)

    const keys = [...new Set(users.map(user => user.partitionKey))]
    const found = keys.map(
      key => envelope.toString('latin1').split(`\n${String.fromCharCode(key.length)}${key}`).length
    )
    expect(found).toEqual(keys.map(() => 2))
  })

  test('better than the KPL: nothing is added and taken out again, because a record that does not fit changes nothing', () => {
    const users = Array.from({ length: COUNT }, (_, i) => userOf(i, MIXED, MIXED_HASH_KEY))
    const writer = new EnvelopeWriter()
    for (const user of users.slice(0, 900)) add(writer, user)
    const bytes = writer.sealedBytes

    const refused = users.slice(900).map(user => addWithin(writer, bytes, user))

    expect([refused, writer.count, writer.sealedBytes]).toEqual([Array(100).fill(false), 900, bytes])
    expect(usersOf(writer.seal())).toEqual(users.slice(0, 900))
  })

  test('AccurateSize: in 100 random mixes the size is exact after every record, and foretold before it', () => {
    const random = seededRandom(11)
    const below = (bound: number) => Math.floor(random() * bound)
    for (let round = 0; round < 100; round++) {
      const writer = new EnvelopeWriter()
      const sizes: [number, number][] = []
      const count = 1 + below(100)
      for (let i = 0; i < count; i++) {
        const user = {
          partitionKey: `${'é'.repeat(below(80))}${below(20)}`,
          explicitHashKey: random() < 0.5 ? String(below(1e15)) : undefined,
          data: 'x'.repeat(below(random() < 0.1 ? 20_000 : 200))
        }
        const { partitionKey, explicitHashKey, data } = user
        const foretold = writer.bytesWith(partitionKey, Buffer.byteLength(partitionKey), explicitHashKey, data.length)
        add(writer, user)
        sizes.push([foretold, writer.sealedBytes])
      }
      const lastBytes = writer.sealedBytes

      const sealed = writer.seal()

      expect(sizes.map(([foretold]) => foretold)).toEqual(sizes.map(([, actual]) => actual))
      expect([sealed.length, isEnvelope(sealed)]).toEqual([lastBytes, count > 1])
    }
  })

  test('EstimatedSize, better than the KPL: there is no estimate, the limit is met to the byte', () => {
    const users = Array.from({ length: 50 }, (_, i) => userOf(i, MIXED, MIXED_HASH_KEY))
    const exactBytes = seal(users).length

    const results = [exactBytes, exactBytes - 1].map(maxBytes => {
      const writer = new EnvelopeWriter()
      return users.map(user => addWithin(writer, maxBytes, user)).filter(isIn => isIn).length
    })

    expect(results).toEqual([50, 49])
  })

  test('Empty: an empty writer has no members and no key, and its size is that of a bare envelope', () => {
    const writer = new EnvelopeWriter()

    expect([writer.count, writer.firstPartitionKey, writer.sealedBytes]).toEqual([0, undefined, ENVELOPE_BYTES])
  })

  test('Clearing: a writer is as good as new after each seal, and gives the same bytes again', () => {
    const writer = new EnvelopeWriter()
    const users = Array.from({ length: 100 }, (_, i) => userOf(i, MIXED, MIXED_HASH_KEY))
    const rounds: Buffer[] = []

    for (let round = 0; round < 3; round++) {
      for (const user of users) add(writer, user)
      rounds.push(writer.seal())
    }

    const fresh = seal(users)
    expect(rounds).toEqual([fresh, fresh, fresh])
    expect([writer.count, writer.sealedBytes, writer.firstPartitionKey]).toEqual([0, ENVELOPE_BYTES, undefined])
  })

  test.each([
    ['a', 'a'],
    ['first', 'abcd']
  ] as const)(
    'an aggregate has the MD5 of its first key for a hash key, and with containerKey %s the key %s',
    (containerKey, key) => {
      const stage = new Packing({ containerKey })
      stage.add(accepted('abcd', '1'))
      stage.add(accepted('other', '2'))

      stage.sealAll()

      expect(stage.sealed.map(({ partitionKey, explicitHashKey }) => [partitionKey, explicitHashKey])).toEqual([
        [key, String(0xe2fc714c4727ee9395f324cd2e7f331fn)]
      ])
    }
  )

  test('Deadlines: the nearest deadline and expiration of the members count, whichever member has them', () => {
    const stage = new Packing()
    const times = [
      [80, 100, 5000],
      [40, 90, 9000],
      [60, 95, 3000]
    ] as const
    const nearest: number[] = []

    for (const [sealByMs, deadlineMs, expirationMs] of times) {
      stage.add(accepted('key', 'data', { sealByMs, deadlineMs, expirationMs }))
      nearest.push(stage.nextDeadlineMs)
    }
    stage.sealAll()

    expect(nearest).toEqual([80, 40, 40])
    expect(stage.sealed.map(record => [record.deadlineMs, record.expirationMs])).toEqual([[90, 3000]])
  })

  test('Deadlines: those of one envelope do not go over to the next one of its lane', () => {
    const stage = new Packing()
    stage.add(accepted('key', 'near', { sealByMs: 10, deadlineMs: 20, expirationMs: 30 }))
    stage.sealAll()

    stage.add(accepted('key', 'far', { sealByMs: 1000, deadlineMs: 2000, expirationMs: 3000 }))
    const nextMs = stage.nextDeadlineMs
    stage.sealAll()

    expect([nextMs, ...stage.sealed.map(record => [record.deadlineMs, record.expirationMs])]).toEqual([
      1000,
      [20, 30],
      [2000, 3000]
    ])
  })
})

function userOf(i: number, partitionKey: (i: number) => string, hashKey: (i: number) => string | undefined): User {
  return { partitionKey: partitionKey(i), explicitHashKey: hashKey(i), data: `data-${i}` }
}

function addWithin(writer: EnvelopeWriter, maxBytes: number, { partitionKey, explicitHashKey, data }: User): boolean {
  return writer.addWithin(
    maxBytes,
    partitionKey,
    Buffer.byteLength(partitionKey),
    explicitHashKey,
    data,
    Buffer.byteLength(data)
  )
}

function add(writer: EnvelopeWriter, user: User): void {
  addWithin(writer, Number.POSITIVE_INFINITY, user)
}

function seal(users: readonly User[]): Buffer {
  const writer = new EnvelopeWriter()
  for (const user of users) add(writer, user)
  return writer.seal()
}

function usersOf(envelope: Uint8Array): User[] {
  return decodeEnvelope(envelope).map(({ partitionKey, explicitHashKey, data }) => ({
    partitionKey,
    explicitHashKey,
    data: new TextDecoder().decode(data)
  }))
}

function outerOf({ partitionKey, explicitHashKey, data, isAggregate }: KinesisRecord) {
  return { partitionKey, explicitHashKey, data: new TextDecoder().decode(data), isAggregate }
}

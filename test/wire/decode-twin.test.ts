import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeEnvelope, isEnvelope } from '../../src/wire/decode.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'
import { AGGREGATED_RECORD, anyMessage, HOSTILE_KEYS, oracle } from './oracle.ts'
import { edgeBytes, vectors, wrap } from './vectors.ts'

const AGGREGATES = 10_000

interface Member {
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
}

/** The aggregate as protobufjs writes it. */
function twin(members: readonly Member[]): Uint8Array {
  const partitionKeyTable = [...new Set(members.map(member => member.partitionKey))]
  const explicitHashKeyTable = [...new Set(members.flatMap(member => member.explicitHashKey ?? []))]
  const keyIndexes = new Map(partitionKeyTable.map((key, index) => [key, index]))
  const hashKeyIndexes = new Map(explicitHashKeyTable.map((key, index) => [key, index]))
  const records = members.map(({ partitionKey, explicitHashKey, data }) => ({
    partitionKeyIndex: keyIndexes.get(partitionKey),
    ...(explicitHashKey === undefined ? {} : { explicitHashKeyIndex: hashKeyIndexes.get(explicitHashKey) }),
    data
  }))
  return wrap(AGGREGATED_RECORD.encode({ partitionKeyTable, explicitHashKeyTable, records }).finish())
}

/** The aggregate as our writer writes it. */
function written(members: readonly Member[]): Uint8Array {
  const writer = new EnvelopeWriter()
  for (const { partitionKey, explicitHashKey, data } of members) {
    writer.add(partitionKey, Buffer.byteLength(partitionKey), explicitHashKey, data, data.length)
  }
  return new Uint8Array(writer.seal())
}

/** Draws from numbers that a seed gives: building arbitraries for 10,000 aggregates takes ten times as long. */
function drawer(seed: string) {
  let state = hash('md5', seed, 'buffer').readUInt32BE()
  const below = (bound: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
  const text = () =>
    String.fromCodePoint(...Array.from({ length: below(12) }, () => (below(2) ? below(128) : below(0xd800))))
  const hashKey = () => String((BigInt(below(2 ** 32)) << BigInt(below(97))) | BigInt(below(2 ** 32)))
  const keys = [...HOSTILE_KEYS, text(), text(), 'k'.repeat(below(256))]
  const hashKeys = ['0', '1', hashKey(), hashKey()]
  return (count: number): Member[] =>
    Array.from({ length: count }, () => ({
      partitionKey: below(3) ? keys[below(keys.length)]! : text(),
      explicitHashKey: below(3) ? undefined : hashKeys[below(hashKeys.length)]!,
      data: Uint8Array.from({ length: below(20) ? below(30) : below(400) }, () => below(256))
    }))
}

describe('the codec against protobufjs', () => {
  test(`writes and reads ${AGGREGATES} random aggregates as protobufjs does`, () => {
    const seed = process.env['SEED'] ?? 'twin'
    const draw = drawer(seed)
    const differing: number[] = []

    for (let i = 0; i < AGGREGATES; i++) {
      const members = draw(2 + (i % 17))
      const expected = twin(members)
      const isSame = Buffer.compare(written(members), expected) === 0 && isEnvelope(expected)
      if (!isSame || !isEqual(decodeEnvelope(expected), members)) differing.push(i)
    }

    expect(differing, `SEED=${seed}`).toEqual([])
  })

  test('writes and reads lengths and indexes of one to four bytes', () => {
    const members = Array.from({ length: 17_000 }, (_, i) => ({
      partitionKey: `key-${i}`,
      explicitHashKey: i % 3 === 0 ? String(i) : undefined,
      data: new Uint8Array(i === 7 ? 2 ** 21 : i % 200).fill(i)
    }))
    const expected = twin(members)

    const answers = [Buffer.compare(written(members), expected), isEqual(decodeEnvelope(expected), members)]

    expect(answers).toEqual([0, true])
  })
})

/** Whole members, without the cost of a matcher for each. */
function isEqual(left: readonly Member[], right: readonly Member[]): boolean {
  return (
    left.length === right.length &&
    left.every((member, i) => {
      const other = right[i]!
      return (
        member.partitionKey === other.partitionKey &&
        member.explicitHashKey === other.explicitHashKey &&
        Buffer.compare(member.data, other.data) === 0
      )
    })
  )
}

describe('a key table', () => {
  const anyKeys = fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 0, maxLength: 40 }) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) }
    ),
    { minLength: 1, maxLength: 120 }
  )

  test('gives each key as it stands alone, in whatever order the members ask', () => {
    fc.assert(
      fc.property(anyKeys, fc.array(fc.nat(), { minLength: 1, maxLength: 120 }), (partitionKeyTable, picks) => {
        const indexes = picks.map(pick => pick % partitionKeyTable.length)
        const records = indexes.map(partitionKeyIndex => ({ partitionKeyIndex, data: new Uint8Array() }))
        const body = AGGREGATED_RECORD.encode({ partitionKeyTable, records }).finish()

        const members = decodeEnvelope(wrap(body))

        expect(members.map(member => member.partitionKey)).toEqual(indexes.map(index => partitionKeyTable[index]))
      }),
      { numRuns: 300 }
    )
  })
})

describe('decodeEnvelope against protobufjs', () => {
  test('agrees with protobufjs on every vector that both take', () => {
    const readable = vectors.edge.map(edgeBytes).filter(isEnvelope)

    const compared = readable.map(bytes => {
      try {
        return [decodeEnvelope(bytes), oracle(bytes.slice(4, -16))]
      } catch {
        return [] // one of the two refused it: see the vectors' own test
      }
    })

    const both = compared.filter(pair => pair.length === 2)
    expect(both.map(([ours]) => ours)).toEqual(both.map(([, theirs]) => theirs))
    expect(both.length).toBeGreaterThan(10)
  })

  test('reads what protobufjs writes, hostile keys and all', () => {
    fc.assert(
      fc.property(anyMessage, message => {
        const body = AGGREGATED_RECORD.encode(message).finish()

        const members = decodeEnvelope(wrap(body))

        expect(members).toEqual(
          message.records.map(record => ({
            partitionKey: message.partitionKeyTable[record.partitionKeyIndex],
            explicitHashKey:
              record.explicitHashKeyIndex === undefined
                ? undefined
                : message.explicitHashKeyTable[record.explicitHashKeyIndex],
            data: record.data
          }))
        )
      }),
      { numRuns: 300 }
    )
  })
})

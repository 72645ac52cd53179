import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareHashKeys,
  explicitHashKeyFault,
  HASH_KEY_WORDS,
  hashPartitionKey,
  MAX_HASH_KEY,
  readHashKey,
  writeHashKey
} from '../../src/wire/hash-key.ts'
import { vectors } from './vectors.ts'

const anyHashKey = fc.oneof(
  fc.bigInt(0n, MAX_HASH_KEY),
  fc.integer({ min: 0, max: 127 }).map(bit => 1n << BigInt(bit)),
  fc.integer({ min: 1, max: 128 }).map(bit => (1n << BigInt(bit)) - 1n),
  fc.constantFrom(0n, 1n, MAX_HASH_KEY - 1n, MAX_HASH_KEY)
)

describe('words', () => {
  test('hold any hash key, at any place, and touch nothing beside it', () => {
    fc.assert(
      fc.property(anyHashKey, fc.nat({ max: 5 }), (hashKey, at) => {
        const words = new Uint32Array(10).fill(7)
        writeHashKey(hashKey, words, at)
        expect(readHashKey(words, at)).toBe(hashKey)
        expect([...words.subarray(0, at), ...words.subarray(at + HASH_KEY_WORDS)]).toEqual(Array(6).fill(7))
      })
    )
  })

  test('compare as the numbers do', () => {
    fc.assert(
      fc.property(anyHashKey, anyHashKey, (left, right) => {
        const words = new Uint32Array(2 * HASH_KEY_WORDS)
        writeHashKey(left, words)
        writeHashKey(right, words, HASH_KEY_WORDS)
        expect(Math.sign(compareHashKeys(words, 0, words, HASH_KEY_WORDS))).toBe(
          left < right ? -1 : Number(left > right)
        )
      })
    )
  })
})

describe('the hash key of a partition key', () => {
  test.each(vectors.hashKeys)('$partitionKey has the golden one', ({ partitionKey, hashKeyDecimal }) => {
    const words = new Uint32Array(HASH_KEY_WORDS)

    hashPartitionKey(partitionKey, words)

    expect(readHashKey(words)).toBe(BigInt(hashKeyDecimal))
  })

  test('is the MD5 of its UTF-8 bytes as a number, given as text or as bytes', () => {
    const anyKey = fc.string({ unit: 'binary', maxLength: 256 }).filter(text => text.isWellFormed())

    fc.assert(
      fc.property(anyKey, key => {
        const expected = BigInt(`0x${createHash('md5').update(key, 'utf8').digest('hex')}`)
        const words = new Uint32Array(2 * HASH_KEY_WORDS)
        hashPartitionKey(key, words)
        hashPartitionKey(Buffer.from(key), words, HASH_KEY_WORDS)
        expect([readHashKey(words), readHashKey(words, HASH_KEY_WORDS)]).toEqual([expected, expected])
      })
    )
  })
})

describe('an explicit hash key', () => {
  test('of 0 to 2^128 - 1 is taken, as a bigint and as plain decimal text', () => {
    fc.assert(
      fc.property(anyHashKey, hashKey => {
        expect([explicitHashKeyFault(hashKey), explicitHashKeyFault(String(hashKey))]).toEqual([undefined, undefined])
      })
    )
  })

  test('as text is taken exactly when it is how a bigint in range is written', () => {
    const anyText = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789+- .eExn\n\u0661'), maxLength: 41 }),
      fc.bigInt(-(1n << 130n), 1n << 130n).map(String)
    )

    fc.assert(
      fc.property(anyText, text => {
        const isCanonical = /^[0-9]+$/.test(text) && String(BigInt(text)) === text && BigInt(text) <= MAX_HASH_KEY
        expect(explicitHashKeyFault(text) === undefined).toBe(isCanonical)
      }),
      { numRuns: 2000 }
    )
  })

  test.each([
    [-1n, 'must be from 0 to 2^128 - 1, got a bigint outside of it'],
    [MAX_HASH_KEY + 1n, 'must be from 0 to 2^128 - 1, got a bigint outside of it'],
    [String(MAX_HASH_KEY + 1n), 'must be from 0 to 2^128 - 1, got a greater number'],
    ['', 'must be plain decimal digits without sign, spaces or leading zeros'],
    ['00', 'must be plain decimal digits without sign, spaces or leading zeros'],
    ['1\n', 'must be plain decimal digits without sign, spaces or leading zeros'],
    ['9'.repeat(40), 'must be from 0 to 2^128 - 1 (at most 39 digits), got 40 characters'],
    ['9'.repeat(1_000_000), 'must be from 0 to 2^128 - 1 (at most 39 digits), got 1000000 characters'],
    [7, 'must be a bigint or decimal text, got number'],
    [null, 'must be a bigint or decimal text, got null'],
    [{}, 'must be a bigint or decimal text, got object']
  ])('that is none is refused with its limit (%#)', (value, fault) => {
    const found = explicitHashKeyFault(value)

    expect(found).toBe(fault)
  })
})

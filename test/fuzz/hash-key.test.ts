/**
 * Hash keys of partition keys against node:crypto, by each way that leads to one, for all lengths and widths of UTF-8.
 * Invariant: the expected number is made from bytes by createHash, which src does not use.
 */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyCache } from '../../src/core/key-cache.ts'
import { MAX_PARTITION_KEY_CHARACTERS } from '../../src/model/limits.ts'
import { HASH_KEY_WORDS, hashPartitionKey, readHashKey } from '../../src/wire/hash-key.ts'
import { check, shareOf, TIMEOUT_MS } from './cases.ts'
import { type Below, numbersOf } from './mutants.ts'
import { anyText } from './texts.ts'

/** Keys of one length and width. */
const ROUNDS = 4
const KEYS_PER_SEED = 20
const words = new Uint32Array(HASH_KEY_WORDS)
/** First and last character of each width, surrogates left out. */
const WIDTHS = [
  ['1 byte', 0, 0x7f],
  ['2 bytes', 0x80, 0x7ff],
  ['3 bytes below the surrogates', 0x800, 0xd7ff],
  ['3 bytes above the surrogates', 0xe000, 0xffff],
  ['4 bytes', 0x10000, 0x10ffff]
] as const

test.each(WIDTHS)('hash keys are MD5 for each length of characters of %s', (_, first, last) => {
  const cache = new KeyCache()
  const below = numbersOf(first)
  const lengths = Array.from({ length: ROUNDS * MAX_PARTITION_KEY_CHARACTERS }, (_, i) => 1 + Math.floor(i / ROUNDS))

  const keys = lengths.map(length => textOf(length, () => first + below(last - first + 1)))
  const differing = keys.filter(key => !isMd5ByAllWays(key, cache))

  expect(differing).toEqual([])
})

test(`hash keys are MD5 for characters of all widths mixed (${shareOf(1)} keys)`, { timeout: TIMEOUT_MS }, async () => {
  const cache = new KeyCache()

  const checked = check(
    Math.ceil(shareOf(1) / KEYS_PER_SEED),
    fc.property(fc.noShrink(fc.integer()), seed => {
      const below = numbersOf(seed)
      const keys = Array.from({ length: KEYS_PER_SEED }, () =>
        textOf(1 + below(below(2) === 0 ? 64 : MAX_PARTITION_KEY_CHARACTERS), () => anyPoint(below))
      )
      expect(keys.filter(key => !isMd5ByAllWays(key, cache))).toEqual([])
    })
  )

  await expect(checked).resolves.toBeUndefined()
})

test(`hash keys are MD5 for hostile keys, asked for again and again (${shareOf(10)} lists)`, {
  timeout: TIMEOUT_MS
}, async () => {
  const cache = new KeyCache()
  const keys = anyText.filter(text => text.isWellFormed())

  const checked = check(
    shareOf(10),
    fc.property(fc.array(keys, { maxLength: 8 }), all => {
      const differing = [...all, ...all].filter(key => !isMd5ByAllWays(key, cache))
      expect(differing).toEqual([])
    })
  )

  await expect(checked).resolves.toBeUndefined()
})

/** From text, from bytes, and as the producer asks for it: through the cache, with its shortcut for short ASCII. */
function isMd5ByAllWays(key: string, cache: KeyCache): boolean {
  const bytes = Buffer.from(key)
  const expected = BigInt(`0x${createHash('md5').update(bytes).digest('hex')}`)
  hashPartitionKey(key, words)
  const ofText = readHashKey(words)
  hashPartitionKey(bytes, words)
  const ofBytes = readHashKey(words)
  const cached = cache.get(key)!
  const ofCache = readHashKey(cached.words, cached.at)
  return ofText === expected && ofBytes === expected && ofCache === expected && cached.utf8Bytes === bytes.length
}

/** Text of `length` UTF-16 units at most, one less where a pair would not fit. */
function textOf(length: number, pointOf: () => number): string {
  let text = ''
  while (text.length < length) {
    const character = String.fromCodePoint(pointOf())
    if (text.length > 0 && text.length + character.length > length) break
    text += character
  }
  return text
}

function anyPoint(below: Below): number {
  const [, first, last] = WIDTHS[below(WIDTHS.length)]!
  return first + below(last - first + 1)
}

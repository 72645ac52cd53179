import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type HashedKey, KeyCache } from '../../src/core/key-cache.ts'
import { HASH_KEY_WORDS, readHashKey } from '../../src/wire/hash-key.ts'
import { laneOf } from '../support/lanes.ts'

const GENERATION_KEYS = 8192
const JUDGED_LOOKUPS = 1024
const ASIDE_LOOKUPS = 16_384

const anyKey = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
  fc.string({ minLength: 50, maxLength: 60 })
)

test('knows what node:crypto knows of any well-formed key, the first time and the second', () => {
  const cache = new KeyCache()
  fc.assert(
    fc.property(
      anyKey.filter(key => key.isWellFormed()),
      text => {
        const first = factsOf(cache.get(text))
        const second = factsOf(cache.get(text))

        expect([first, second]).toEqual([expected(text), expected(text)])
      }
    ),
    { numRuns: 1000 }
  )
})

test.each(['\ud800', 'a\udc00', '\udc00\ud800', `${'x'.repeat(100)}\ud83d`])(
  'a key with a lone surrogate is not known, aside or not (%#)',
  text => {
    const cache = new KeyCache()
    const before = cache.get(text)

    stepAside(cache)

    expect([before, cache.get(text), cache.get('k')?.utf8Bytes]).toEqual([undefined, undefined, 1])
  }
)

test('a key that stays in use is one object, with its lane', () => {
  const cache = new KeyCache()
  const table = {}
  const key = cache.get('hot')!
  const lane = laneOf('shardId-7')
  key.lane = lane
  key.laneTable = table

  const again = cache.get('hot')

  expect(again).toBe(key)
  expect([again?.lane === lane, again?.laneTable === table]).toEqual([true, true])
})

test('what was remembered stays right through the generations', () => {
  const cache = new KeyCache()
  const kept: [string, HashedKey][] = []
  const wrong: string[] = []

  // Each key is looked up ten times, so that misses are few and the cache never steps aside.
  for (let i = 0; i < 3 * GENERATION_KEYS; i++) {
    const text = `key-${i}`
    for (let again = 0; again < 10; again++) {
      const key = cache.get(text)!
      if (again === 0 && i % 500 === 0) kept.push([text, key])
    }
  }
  for (const [text, key] of kept) {
    if (readHashKey(key.words, key.at) !== md5(text)) wrong.push(text)
  }

  expect(wrong).toEqual([])
  expect(kept.map(([text]) => factsOf(cache.get(text)))).toEqual(kept.map(([text]) => expected(text)))
})

test('a key that is asked for in every generation stays the same object, and one that is not is made anew', () => {
  const cache = new KeyCache()
  const first = cache.get('first')!
  const unused = cache.get('unused')!
  const fill = (name: string) => {
    for (let i = 0; i < GENERATION_KEYS; i++) for (let again = 0; again < 10; again++) cache.get(`${name}-${i}`)
  }

  fill('second')
  const afterOne = cache.get('first')
  fill('third')
  const afterTwo = cache.get('first')

  expect([afterOne === first, afterTwo === first, cache.get('unused') === unused]).toEqual([true, true, false])
  expect(factsOf(cache.get('unused'))).toEqual(expected('unused'))
})

test('a key in use survives every generation', () => {
  const cache = new KeyCache()
  const hot = cache.get('hot')

  for (let i = 0; i < 3 * GENERATION_KEYS; i++) {
    cache.get(`cold-${i}`)
    for (let again = 0; again < 9; again++) cache.get('hot')
  }

  expect(cache.get('hot') === hot).toBe(true)
})

test('steps aside while nearly every key is new: remembers nothing, and is right all the same', () => {
  const cache = new KeyCache()
  stepAside(cache)

  const passing = cache.get('passing')!
  passing.laneTable = {}
  const seen = { facts: factsOf(passing), isRemembered: passing.isRemembered }
  const next = cache.get('naïve-key')!

  expect(seen).toEqual({ facts: expected('passing'), isRemembered: false })
  expect(next.laneTable).toBeUndefined()
  expect(factsOf(next)).toEqual(expected('naïve-key'))
})

test('remembers again after its time aside', () => {
  const cache = new KeyCache()
  stepAside(cache)
  for (let i = 0; i < ASIDE_LOOKUPS; i++) cache.get('aside')

  const first = cache.get('again')
  const second = cache.get('again')

  expect(second).toBe(first)
  expect(second?.isRemembered).toBe(true)
  expect(factsOf(second)).toEqual(expected('again'))
})

/** New keys only, until the cache has judged itself. */
function stepAside(cache: KeyCache): void {
  for (let i = 0; i < JUDGED_LOOKUPS; i++) cache.get(`unique-${i}`)
}

function factsOf(key: HashedKey | undefined): { utf8Bytes: number; hashKey: bigint } | undefined {
  if (key === undefined) return undefined
  expect(key.at % HASH_KEY_WORDS).toBe(0)
  return { utf8Bytes: key.utf8Bytes, hashKey: readHashKey(key.words, key.at) }
}

function expected(text: string): { utf8Bytes: number; hashKey: bigint } {
  return { utf8Bytes: Buffer.from(text).length, hashKey: md5(text) }
}

function md5(text: string): bigint {
  return BigInt(`0x${createHash('md5').update(text, 'utf8').digest('hex')}`)
}

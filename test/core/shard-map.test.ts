import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isOlderShardId, ShardMap } from '../../src/core/shard-map.ts'
import { ProducerError } from '../../src/model/errors.ts'
import type { ShardHashRange } from '../../src/model/ports.ts'
import { HASH_KEY_WORDS, MAX_HASH_KEY, writeHashKey } from '../../src/wire/hash-key.ts'
import { thrownBy } from '../support/thrown-by.ts'

const HALF = 1n << 127n
const bound = fc.oneof(fc.bigInt(0n, MAX_HASH_KEY - 1n), fc.bigInt(0n, 400n), fc.constant(MAX_HASH_KEY - 1n))
const cuts = fc.uniqueArray(bound, { maxLength: 199 })

describe('predict', () => {
  test('finds the shard that a linear search over bigints finds, for 1 to 200 ranges in any order', () => {
    fc.assert(
      fc.property(cuts, fc.array(fc.bigInt(0n, MAX_HASH_KEY), { maxLength: 20 }), fc.nat(), (ends, keys, seed) => {
        const shards = rangesOf(ends)
        const map = new ShardMap(rotated(shards.map(listed), seed))
        const edges = shards.flatMap(shard => [shard.start, shard.end])

        for (const key of [...keys, ...edges]) {
          const words = new Uint32Array(HASH_KEY_WORDS + 3)
          writeHashKey(key, words, 3)
          const owner = shards.find(shard => shard.start <= key && key <= shard.end)
          if (map.predict(words, 3) !== owner?.shardId) throw new Error(`${key} is not in ${map.predict(words, 3)}`)
        }
      }),
      { numRuns: 100 }
    )
  })

  test('one shard owns every key', () => {
    const map = new ShardMap([range('only', 0n, MAX_HASH_KEY)])

    const owners = [0n, 1n, HALF, MAX_HASH_KEY].map(key => map.predict(wordsOf(key), 0))

    expect(owners).toEqual(['only', 'only', 'only', 'only'])
  })
})

describe('what a map says of its shards', () => {
  test('the ids in the order of their ranges, and each range', () => {
    const map = new ShardMap([range('high', HALF, MAX_HASH_KEY), range('low', 0n, HALF - 1n)])

    expect(map.shardIds).toEqual(['low', 'high'])
    expect([map.rangeOf('low'), map.rangeOf('high'), map.rangeOf('none'), map.rangeOf('__proto__')]).toEqual([
      { start: 0n, end: HALF - 1n },
      { start: HALF, end: MAX_HASH_KEY },
      undefined,
      undefined
    ])
  })

  test('the id made last, wherever it lies', () => {
    const map = new ShardMap([
      range('shardId-000000000012', 0n, HALF - 1n),
      range('shardId-000000000009', HALF, MAX_HASH_KEY)
    ])

    expect(map.newestShardId).toBe('shardId-000000000012')
  })

  test('ids of different widths are told apart by their width', () => {
    const answers = [
      isOlderShardId('shardId-9', 'shardId-10'),
      isOlderShardId('shardId-10', 'shardId-9'),
      isOlderShardId('shardId-1', 'shardId-1')
    ]

    expect(answers).toEqual([true, false, false])
  })
})

describe('a listing that is not believed', () => {
  test.each<[string, readonly ShardHashRange[], string]>([
    ['empty', [], 'has no open shard'],
    ['with a gap', [range('a', 0n, 9n), range('b', 11n, MAX_HASH_KEY)], 'has a gap'],
    ['with a gap at the start', [range('a', 1n, MAX_HASH_KEY)], 'has a gap'],
    ['that ends early', [range('a', 0n, MAX_HASH_KEY - 1n)], 'ends before 2^128 - 1'],
    ['with an overlap', [range('a', 0n, 10n), range('b', 10n, MAX_HASH_KEY)], 'has an overlap'],
    ['with one range twice', [range('a', 0n, MAX_HASH_KEY), range('b', 0n, MAX_HASH_KEY)], 'has an overlap'],
    ['with parent and children', [range('p', 0n, MAX_HASH_KEY), range('c', HALF, MAX_HASH_KEY)], 'has an overlap'],
    ['with a range that ends before it starts', [range('a', 0n, 9n), range('b', 10n, 5n)], 'has an overlap'],
    ['with one id twice', [range('a', 0n, 9n), range('a', 10n, MAX_HASH_KEY)], 'names one shard twice']
  ])('%s is refused with its fault', (_, listing, fault) => {
    const error = thrownBy(() => new ShardMap(listing))

    expect(error).toBeInstanceOf(ProducerError)
    expect([(error as ProducerError).code, (error as ProducerError).message]).toEqual([
      'KPL_ERR_BAD_SHARD_MAP',
      `the shard listing ${fault}`
    ])
  })

  test.each<[string, object]>([
    ['no id', { shardId: undefined }],
    ['an empty id', { shardId: '' }],
    ['an id that is no text', { shardId: 7 }],
    ['no start', { startingHashKey: undefined }],
    ['a start that is no number', { startingHashKey: 'zero' }],
    ['a signed start', { startingHashKey: '-1' }],
    ['a start with a leading zero', { startingHashKey: '00' }],
    ['an empty end', { endingHashKey: '' }],
    ['an end in hexadecimal', { endingHashKey: '0xff' }],
    ['an end with a space', { endingHashKey: ` ${MAX_HASH_KEY}` }],
    ['an end beyond 2^128 - 1', { endingHashKey: String(MAX_HASH_KEY + 1n) }],
    ['an end of a million digits', { endingHashKey: '9'.repeat(1_000_000) }],
    ['an end that is a bigint', { endingHashKey: MAX_HASH_KEY }]
  ])('a shard with %s is malformed', (_, over) => {
    const shard = { ...range('a', 0n, MAX_HASH_KEY), ...over } as ShardHashRange

    const error = thrownBy(() => new ShardMap([shard]))

    expect([(error as ProducerError).code, (error as ProducerError).message]).toEqual([
      'KPL_ERR_BAD_SHARD_MAP',
      'the shard listing has a shard without an id or with a malformed hash key range'
    ])
  })

  test('any one shard that is missing, doubled or moved by one is noticed', () => {
    const harms = fc.constantFrom<[string, (shards: ShardHashRange[], at: number) => void]>(
      ['missing', (shards, at) => shards.splice(at, 1)],
      ['doubled', (shards, at) => shards.push(shards[at]!)],
      [
        'moved',
        (shards, at) => {
          const shard = shards[at]!
          const startingHashKey = String(BigInt(shard.startingHashKey) + 1n)
          shards[at] = { ...shard, startingHashKey }
        }
      ]
    )
    fc.assert(
      fc.property(cuts, harms, fc.nat(), (ends, [, harm], pick) => {
        const shards = rangesOf(ends).map(listed)
        harm(shards, pick % shards.length)

        const error = thrownBy(() => new ShardMap(shards))

        expect((error as ProducerError).code).toBe('KPL_ERR_BAD_SHARD_MAP')
      })
    )
  })

  test('more shards than any stream may have are refused', () => {
    const ends = Array.from({ length: 100_000 }, (_, i) => BigInt(i))

    const error = thrownBy(() => new ShardMap(rangesOf(ends).map(listed)))

    expect((error as Error).message).toBe('the shard listing has 100001 shards, more than 100000')
  })
})

interface Shard {
  readonly shardId: string
  readonly start: bigint
  readonly end: bigint
}

function rangesOf(cutKeys: readonly bigint[]): Shard[] {
  const ends = [...cutKeys].sort((left, right) => (left < right ? -1 : 1)).concat(MAX_HASH_KEY)
  return ends.map((end, i) => ({ shardId: `shardId-${i}`, start: i === 0 ? 0n : ends[i - 1]! + 1n, end }))
}

function listed({ shardId, start, end }: Shard): ShardHashRange {
  return range(shardId, start, end)
}

function range(shardId: string, start: bigint, end: bigint): ShardHashRange {
  return { shardId, startingHashKey: String(start), endingHashKey: String(end) }
}

function rotated<T>(items: readonly T[], seed: number): T[] {
  const at = seed % items.length
  const turned = [...items.slice(at), ...items.slice(0, at)]
  return seed % 2 === 0 ? turned : turned.reverse()
}

function wordsOf(key: bigint): Uint32Array {
  const words = new Uint32Array(HASH_KEY_WORDS)
  writeHashKey(key, words)
  return words
}

/**
 * What hostile aggregates cost: time in proportion to their bytes, and memory that does not grow with their members.
 * Invariant: every bound is a ratio or ten times what a quiet machine needs, so that a busy one does not fail.
 */
import { describe, expect, test } from 'vitest'
import { deaggregate } from '../../src/consumer/deaggregate.ts'
import { type Bomb, KEY_BOMB_PART, KEY_BOMBS, MEMBER_BOMBS } from './bombs.ts'
import { answerOf } from './child.ts'
import { framed } from './fields.ts'

const MIB = 1 << 20
/** All hash keys are inside, so each key is both hashed and decoded. */
const EVERYTHING = { startingHashKey: 0n, endingHashKey: (1n << 128n) - 1n }
/** Quadratic time would be 8. */
const MAX_TIME_RATIO = 4
const MAX_TRIES = 8
const MAX_MEMBER_BOMB_BYTES = 2_000_000
/** Eight bytes for the place of an entry that takes two, in an array that doubles. */
const MAX_KEY_BOMB_RATIO = 8

interface BombAnswer {
  readonly name: string
  readonly recordBytes: number
  readonly count: number
  readonly extraBytes: number
}

describe('the time for a hostile aggregate', () => {
  test.each(MEMBER_BOMBS)('grows with its bytes and not faster, from 1 to 8 MiB: $name', bomb => {
    const ratio = timeRatio(bomb, MIB)

    expect(ratio).toBeLessThan(MAX_TIME_RATIO)
  })

  test.each(KEY_BOMBS)('grows with its bytes and not faster, also with many or long keys: $name', bomb => {
    const ratio = timeRatio(bomb, MIB / KEY_BOMB_PART)

    expect(ratio).toBeLessThan(MAX_TIME_RATIO)
  })
})

describe('the memory for a hostile aggregate', () => {
  test('of 10 MiB stays below 2 MB while its members are gone through, but for the keys in it', async () => {
    const answers = (await answerOf('bomb-child.ts', ['--expose-gc'], {
      BOMB_BYTES: String(10 * MIB - 20)
    })) as BombAnswer[]

    const largest = Object.fromEntries(
      answers.map(({ name, recordBytes }) => [
        name,
        MEMBER_BOMBS.some(bomb => bomb.name === name) ? MAX_MEMBER_BOMB_BYTES : MAX_KEY_BOMB_RATIO * recordBytes
      ])
    )
    expect(answers.filter(({ name, extraBytes }) => extraBytes > largest[name]!)).toEqual([])
    expect(answers.map(({ name }) => name)).toEqual([...MEMBER_BOMBS, ...KEY_BOMBS].map(({ name }) => name))
    expect(answers[0]!.count).toBe(1_747_622)
  })
})

/** The time per byte of eight times the size over that of the size; at their best, and again while it looks bad. */
function timeRatio({ bodyOf }: Bomb, bytes: number): number {
  const [small, large] = [framed(bodyOf(bytes)), framed(bodyOf(8 * bytes))]
  let smallNs = Number.POSITIVE_INFINITY
  let largeNs = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < MAX_TRIES && !(largeNs / smallNs < MAX_TIME_RATIO); tries++) {
    smallNs = Math.min(smallNs, nsPerByte(small), nsPerByte(small))
    largeNs = Math.min(largeNs, nsPerByte(large))
  }
  return largeNs / smallNs
}

function nsPerByte(record: Uint8Array): number {
  let keyCharacters = 0
  const startMs = performance.now()
  for (const { partitionKey } of deaggregate(record, { shardRange: EVERYTHING, onCorrupt: 'throw' }))
    keyCharacters += partitionKey.length
  const ns = (performance.now() - startMs) * 1e6
  if (keyCharacters < 0) throw new Error('nothing was read')
  return ns / record.length
}

import { describe, expect, test } from 'vitest'
import { BlockPool, type BlockPoolOptions } from '../../src/wire/block-pool.ts'

const GRAIN_BYTES = 51_200

describe('a pool of blocks', () => {
  test('is used again once it was given back, for a record of another size too', () => {
    const blocks = pool()

    const first = blocks.take(51_000)
    blocks.release(first)
    const second = blocks.take(40_000)

    expect([first.length, second.length, second.buffer === first.buffer]).toEqual([51_000, 40_000, true])
  })

  test('is nobody else’s while it is lent', () => {
    const blocks = pool()

    const taken = Array.from({ length: 5 }, () => blocks.take(50_000).buffer)

    expect(new Set(taken).size).toBe(5)
  })

  test('is taken back once, and only by who lent it', () => {
    const blocks = pool()
    const lent = blocks.take(50_000)

    blocks.release(pool().take(50_000))
    blocks.release(Buffer.alloc(GRAIN_BYTES))
    blocks.release(lent)
    blocks.release(lent)

    expect(blocks.freeCount).toBe(1)
  })

  test.each([
    [51_201, 'little more than a block'],
    [38_399, 'less than three quarters of a block'],
    [0, 'nothing']
  ])('lends no block for %i bytes: %s', bytes => {
    const blocks = pool()

    const own = blocks.take(bytes)
    blocks.release(own)

    expect([own.length, blocks.freeCount]).toEqual([bytes, 0])
  })

  test('is never a slice of the slab that Node.js shares out, however small blocks are', () => {
    const blocks = pool({ grainBytes: 1000 })

    const block = blocks.take(900)

    expect([block.byteOffset, block.buffer.byteLength]).toEqual([0, 1000])
  })

  test('keeps no more than its bound', () => {
    const blocks = pool({ grainBytes: 1_048_576 })

    const taken = Array.from({ length: 20 }, () => blocks.take(1_048_576))
    for (const block of taken) blocks.release(block)

    expect(blocks.freeCount).toBe(16)
  })

  test('of more blocks than its bound keeps the largest', () => {
    const blocks = pool({ grainBytes: 100, maxFreeCount: 2, minFill: 0 })
    const taken = [300, 100, 200].map(bytes => blocks.take(bytes))
    for (const block of taken) blocks.release(block)

    const again = [blocks.take(150), blocks.take(250), blocks.take(1)]

    expect(again.map(({ buffer }) => taken.findIndex(block => block.buffer === buffer))).toEqual([2, 0, -1])
  })

  test('lends the smallest block that is large enough', () => {
    const blocks = pool({ grainBytes: 100, minFill: 0 })
    const [large, small] = [blocks.take(500), blocks.take(200)]
    for (const block of [large, small]) blocks.release(block)

    const taken = blocks.take(110)

    expect([taken.length, taken.buffer === small.buffer]).toEqual([110, true])
  })

  test('forgets what is at rest, and takes back nothing that was lent before twice', () => {
    const blocks = pool({ minFill: 0 })
    blocks.release(blocks.take(10))

    blocks.clear()

    expect(blocks.freeCount).toBe(0)
  })
})

function pool(over: Partial<BlockPoolOptions> = {}): BlockPool {
  return new BlockPool({ grainBytes: GRAIN_BYTES, maxFreeCount: 16, minFill: 3 / 4, ...over })
}

import { describe, expect, test } from 'vitest'
import { EnvelopeMemory } from '../../src/lanes/envelope-memory.ts'

const PIECE_BYTES = 51_200

describe('the memory of sealed envelopes', () => {
  test('is used again once it was given back, for a record of another size too', () => {
    const memory = new EnvelopeMemory(PIECE_BYTES)

    const first = memory.take(51_000)
    memory.release(first)
    const second = memory.take(40_000)

    expect([first.length, second.length, second.buffer === first.buffer]).toEqual([51_000, 40_000, true])
  })

  test('is nobody else’s while it is lent', () => {
    const memory = new EnvelopeMemory(PIECE_BYTES)

    const taken = Array.from({ length: 5 }, () => memory.take(50_000).buffer)

    expect(new Set(taken).size).toBe(5)
  })

  test('is taken back once, and only by who lent it', () => {
    const memory = new EnvelopeMemory(PIECE_BYTES)
    const lent = memory.take(50_000)

    memory.release(new EnvelopeMemory(PIECE_BYTES).take(50_000))
    memory.release(Buffer.alloc(PIECE_BYTES))
    memory.release(lent)
    memory.release(lent)

    expect(memory.freeCount).toBe(1)
  })

  test.each([
    [51_201, 'more than a piece'],
    [38_399, 'less than three quarters of one'],
    [0, 'nothing']
  ])('is not made of pieces for %i bytes: %s', bytes => {
    const memory = new EnvelopeMemory(PIECE_BYTES)

    const own = memory.take(bytes)
    memory.release(own)

    expect([own.length, memory.freeCount]).toEqual([bytes, 0])
  })

  test('is never a slice of the slab that Node.js shares out, however small the pieces are', () => {
    const memory = new EnvelopeMemory(1000)

    const piece = memory.take(900)

    expect([piece.byteOffset, piece.buffer.byteLength]).toEqual([0, 1000])
  })

  test('at rest is 16 MiB at most', () => {
    const memory = new EnvelopeMemory(1_048_576)

    const taken = Array.from({ length: 20 }, () => memory.take(1_048_576))
    for (const piece of taken) memory.release(piece)

    expect(memory.freeCount).toBe(16)
  })
})

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_ONE_BLOCK_BYTES, md5OfShortText } from '../../src/wire/md5.ts'

const HEX_DIGITS = 8
const asciiText = fc.string({
  unit: fc.integer({ min: 0, max: 127 }).map(unit => String.fromCharCode(unit)),
  maxLength: MAX_ONE_BLOCK_BYTES
})

test.each(Array.from({ length: MAX_ONE_BLOCK_BYTES + 1 }, (_, length) => length))(
  'equals node:crypto for ASCII text of %i characters',
  length => {
    const unit = fc.integer({ min: 0, max: 127 }).map(code => String.fromCharCode(code))
    fc.assert(
      fc.property(fc.string({ unit, minLength: length, maxLength: length }), text => {
        const words = new Uint32Array(4)

        const isDone = md5OfShortText(text, words, 0)

        expect([isDone, hexOf(words)]).toEqual([true, md5(text)])
      }),
      { numRuns: 50 }
    )
  }
)

test('writes four words at the place it is given and nothing beside', () => {
  fc.assert(
    fc.property(asciiText, fc.nat({ max: 8 }), (text, at) => {
      const words = new Uint32Array(12).fill(0xdeadbeef)

      md5OfShortText(text, words, at)

      expect(hexOf(words.subarray(at, at + 4))).toBe(md5(text))
      expect([...words.subarray(0, at), ...words.subarray(at + 4)]).toEqual(Array(8).fill(0xdeadbeef))
    })
  )
})

test('nothing of one text is left over for the next', () => {
  fc.assert(
    fc.property(asciiText, asciiText, (before, text) => {
      const words = new Uint32Array(4)
      md5OfShortText(before, words, 0)
      md5OfShortText(`${before.slice(0, 40)}é`, words, 0)

      md5OfShortText(text, words, 0)

      expect(hexOf(words)).toBe(md5(text))
    })
  )
})

test('refuses text that is longer than one block, and writes nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: MAX_ONE_BLOCK_BYTES + 1, max: 300 }), length => {
      const words = new Uint32Array(4).fill(7)

      const isDone = md5OfShortText('x'.repeat(length), words, 0)

      expect([isDone, ...words]).toEqual([false, 7, 7, 7, 7])
    })
  )
})

test('refuses text that is not ASCII wherever the character stands, and writes nothing', () => {
  const foreign = fc.constantFrom('\u0080', 'ÿ', 'é', '\uffff', '\ud800', '😀')
  fc.assert(
    fc.property(asciiText, foreign, asciiText, (before, character, after) => {
      const words = new Uint32Array(4).fill(7)

      const isDone = md5OfShortText(before + character + after, words, 0)

      expect([isDone, ...words]).toEqual([false, 7, 7, 7, 7])
    })
  )
})

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

function hexOf(words: Uint32Array): string {
  return Array.from(words, word => word.toString(16).padStart(HEX_DIGITS, '0')).join('')
}

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TextCache } from '../../src/cli/input/text-cache.ts'

test('gives what decoding gives, whatever it gave before', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc.constant('\u00c3\u00a9')
  )
  fc.assert(
    fc.property(fc.array(text, { maxLength: 200 }), texts => {
      const cache = new TextCache()
      // Bytes that are the beginning and the end of others, and the same ones again.
      const all = [...texts, ...texts, 'e\u0301', '\u00e9']

      const given = all.map(each => {
        const bytes = Buffer.from(`"${each}"`)
        return cache.at(bytes, 1, bytes.length - 1)
      })

      expect(given).toEqual(all.map(each => Buffer.from(each).toString()))
    })
  )
})

test('keeps texts apart that share a place of its table', () => {
  const cache = new TextCache()
  const texts = Array.from({ length: 100_000 }, (_, n) => `user-${n}`)

  const given = [...texts, ...texts].map(text => cache.at(Buffer.from(text), 0, text.length))

  expect(given).toEqual([...texts, ...texts])
})

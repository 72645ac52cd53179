import { describe, expect, test } from 'vitest'
import { EnvelopeReader } from '../../src/wire/envelope-reader.ts'
import { wrap } from './vectors.ts'

const hex = (text: string): Uint8Array => wrap(Buffer.from(text.replaceAll(' ', ''), 'hex'))

describe('EnvelopeReader', () => {
  test('counts members and data bytes, and goes through them as often as it is rewound', () => {
    const reader = new EnvelopeReader(hex('0a0161 1a0508001a0178 1a0608001a027979'))
    const walk = () => {
      const data: string[] = []
      while (reader.next()) data.push(Buffer.from(reader.data()).toString())
      return data
    }

    const walks = [walk(), walk()]
    reader.rewind()
    walks.push(walk())

    expect([reader.count, reader.dataBytes, walks]).toEqual([2, 3, [['x', 'yy'], [], ['x', 'yy']]])
  })

  test.each([
    [
      'a key cut off in a character, before a tag whose first byte could go on with it',
      '0a01c2 8a0001 62',
      ['\ufffd', 'b']
    ],
    ['keys of which one is not ASCII', '0a0161 0a02c3a9 0a0162 0a00', ['a', '\u00e9', 'b', '']],
    ['a key with a length of two bytes', `0a0161 0a8001${'6b'.repeat(128)} 0a0162`, ['a', 'k'.repeat(128), 'b']],
    ['keys with other fields between them', '0a0161 2801 0a0162 120139 0a0163', ['a', 'b', 'c']]
  ])('gives each key as it stands alone: %s', (_, body, expected) => {
    const reader = new EnvelopeReader(hex(body))

    const texts = Array.from({ length: reader.keys.count }, (_, index) => {
      reader.keys.select(index)
      return reader.keys.text()
    })

    expect(texts).toEqual(expected)
  })
})

/**
 * Texts that break code: keys that are names of an object's own parts, that look like numbers, that end strings early,
 * of all widths of UTF-8; explicit hash keys at the borders of every word; data at the borders of lengths.
 * Invariant: `wellFormedKey` gives well-formed Unicode of at least one character, `anyText` gives anything.
 */
import fc from 'fast-check'
import { HOSTILE_KEYS } from './hostile-keys.ts'

const MAX_HASH_KEY = (1n << 128n) - 1n

/** One character of each width that UTF-8 has. */
const characterOfWidth: fc.Arbitrary<string> = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0x7ff }),
    fc.integer({ min: 0x800, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0xffff }),
    fc.integer({ min: 0x10000, max: 0x10ffff })
  )
  .map(point => String.fromCodePoint(point))

/** Well-formed text of `minLength` to `maxLength` characters of all widths. */
export function wellFormedText(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: characterOfWidth, minLength, maxLength })
}

export const wellFormedKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE_KEYS),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 }),
  wellFormedText(1, 24)
)

const loneSurrogate = fc.integer({ min: 0xd800, max: 0xdfff }).map(unit => String.fromCharCode(unit))

/** Text with lone surrogates in it, some of which pair up. */
export function brokenText(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.oneof(loneSurrogate, characterOfWidth), maxLength })
}

export const anyText: fc.Arbitrary<string> = fc.oneof(wellFormedKey, brokenText(12))

/** 0 to 2^128 - 1, often beside a border of a word. */
export const hashKey: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX_HASH_KEY }),
  fc.constantFrom(0n, 1n, 9n, 10n, MAX_HASH_KEY - 1n, MAX_HASH_KEY),
  fc
    .tuple(fc.integer({ min: 0, max: 128 }), fc.constantFrom(-1n, 0n, 1n))
    .map(([bit, step]) => (1n << BigInt(bit)) + step)
    .filter(value => value >= 0n && value <= MAX_HASH_KEY)
)

const LENGTHS = [126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385]

/** Data as bytes or text, often of a length at which a varint becomes longer. */
export const dataAtBorders: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  wellFormedText(0, 40),
  fc.constantFrom(...LENGTHS).map(length => new Uint8Array(length)),
  fc.constantFrom(...LENGTHS).map(length => '\u00e9'.repeat(length >> 1))
)

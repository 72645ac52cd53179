/**
 * The numbers of MD5, for every way in which this folder computes it from a table.
 * Invariant: constants only. Source: RFC 1321, section 3.
 */

export const BLOCK_BYTES = 64
export const BLOCK_WORDS = 16
export const WORD_BYTES = 4
/** The length in bits, at the end of the last block. */
export const LENGTH_BYTES = 8
/** Follows the last byte. */
export const END_MARK = 0x80
export const STEP_COUNT = 64
/** T[i] of the RFC: floor(2^32 |sin i|), as signed words. */
export const STEPS: Int32Array = /* @__PURE__ */ Int32Array.from(
  { length: STEP_COUNT },
  (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0
)
/** Rotations: four in turn for each of the four rounds. */
const ROTATIONS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
/** A, B, C and D before the first block. */
export const INITIAL_STATE: readonly number[] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]

/** The word of the block that step `i` adds. */
export function wordOfStep(i: number): number {
  return [i, 5 * i + 1, 3 * i + 5, 7 * i][i >> 4]! % BLOCK_WORDS
}

/** The bits by which step `i` rotates to the left. */
export function rotationOfStep(i: number): number {
  return ROTATIONS[(i >> 4) * 4 + (i % 4)]!
}

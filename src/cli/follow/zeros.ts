/**
 * Where a run of zero bytes ends: a sparse file may have gigabytes of them.
 * Invariant: whole blocks are compared at once, so a hole costs as much as reading it.
 */

const BLOCK = Buffer.alloc(65_536)

/** Returns the index of the first byte that is not zero, or the length. */
export function firstNonZero(bytes: Buffer): number {
  let index = 0
  while (index < bytes.length) {
    const length = Math.min(BLOCK.length, bytes.length - index)
    if (bytes.compare(BLOCK, 0, length, index, index + length) !== 0) break
    index += length
  }
  while (index < bytes.length && bytes[index] === 0) index++
  return index
}

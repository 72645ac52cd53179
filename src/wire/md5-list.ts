/**
 * MD5 of a list of byte strings: side by side in lanes where that is faster, one by one with `md5` where it is not.
 * Example: of 10 MiB and four times 50 KB, the first is left to node:crypto, because it would run alone, and the four run together.
 * Invariant: the digests are those of `md5`, whatever computes them; nothing that was handed in is kept.
 */
import { isMd5Refused, md5 } from './digest.ts'
import { DIGEST_BYTES } from './format.ts'
import { compileLanes, type Md5Lanes } from './md5-lanes.ts'

/**
 * Hashed one by one before lanes are compiled, which takes as long as they save on this much. So a Lambda function's first put
 * never waits for it.
 */
const COMPILE_AFTER_BYTES = 8 * 1024 * 1024

let hashedBytes = 0
/** undefined: not compiled yet; null: the host has none. */
let lanes: Md5Lanes | null | undefined

/** Returns the digests one after the other, 16 bytes each, in the order of `pieces`, which are plain views. Linear in the bytes. */
export function md5OfAll(pieces: readonly Uint8Array[]): Buffer {
  const digests = Buffer.allocUnsafe(pieces.length * DIGEST_BYTES)
  const longestFirst = pieces.map((_, index) => index)
  longestFirst.sort((one, other) => pieces[other]!.length - pieces[one]!.length)
  const aloneCount = countOfThoseAlone(pieces, longestFirst)
  const together = longestFirst.slice(aloneCount)
  const ready = together.length === 0 ? undefined : lanesFor(pieces, together)
  ready?.digest(pieces, together, digests)
  const alone = ready === undefined ? longestFirst : longestFirst.slice(0, aloneCount)
  for (const index of alone) digests.write(md5(pieces[index]!, 'binary'), index * DIGEST_BYTES, 'latin1')
  return digests
}

/**
 * How many of the longest go one by one: those longer than half of what is left beside them, as one and two always are. Lanes take
 * as long as their longest, and alone in its lane it takes 1.4 to 2.4 times as long as with node:crypto.
 */
function countOfThoseAlone(pieces: readonly Uint8Array[], longestFirst: readonly number[]): number {
  // Even one lane is faster than plain JavaScript.
  if (isMd5Refused()) return 0
  let leftBytes = 0
  for (const piece of pieces) leftBytes += piece.length
  let count = 0
  for (const index of longestFirst) {
    const { length } = pieces[index]!
    leftBytes -= length
    if (length * 2 <= leftBytes) break
    count++
  }
  return count
}

function lanesFor(pieces: readonly Uint8Array[], together: readonly number[]): Md5Lanes | undefined {
  if (lanes === undefined) {
    for (const index of together) hashedBytes += pieces[index]!.length
    if (hashedBytes >= COMPILE_AFTER_BYTES || isMd5Refused()) lanes = compileLanes() ?? null
  }
  return lanes ?? undefined
}

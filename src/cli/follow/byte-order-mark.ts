/**
 * The encoding of a file, from its first bytes.
 * Example: EF BB BF is `utf-8`, and three bytes that are no data; EF alone is `unknown`, as two more may follow.
 * Invariant: at most three bytes are looked at; without a mark nothing is guessed.
 */

export type ByteOrderMark = 'none' | 'utf-8' | 'utf-16' | 'unknown'

/** Returns what the mark is; undefined stands for a byte that is not there yet. */
export function markOf(first: number, second: number | undefined, third: number | undefined): ByteOrderMark {
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  if (isUtf16) return 'utf-16'
  if (first === 0xff || first === 0xfe) return second === undefined ? 'unknown' : 'none'
  if (first !== 0xef) return 'none'
  if (second === undefined || (second === 0xbb && third === undefined)) return 'unknown'
  return second === 0xbb && third === 0xbf ? 'utf-8' : 'none'
}

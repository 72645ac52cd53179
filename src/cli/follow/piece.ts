/**
 * The pieces of a followed file: records to send, and bytes that settle without sending.
 * Example: the line `a\r\n` is a record with the data `a`, from 0 to 3 of the file.
 * Invariant: the pieces of a file join without gap; a splitter has one object, and writes each piece into it.
 */

export type SkipReason = 'bom' | 'header' | 'footer' | 'hole' | 'empty' | 'too-long' | 'too-large'

/**
 * The next bytes of a file, and what becomes of them.
 * `record`: to send. `too-large`: a record that no policy lets pass; its data is there for a dead letter.
 * `skipped`: settled without sending. `utf-16`: the file is not read.
 */
export interface Piece {
  readonly kind: 'record' | 'too-large' | 'skipped' | 'utf-16'
  readonly reason: SkipReason | undefined
  readonly data: Uint8Array
  readonly startOffset: number
  readonly endOffset: number
  /** Whether the beginning of the line was sent before, when the file seemed to be done. */
  readonly isRestOfLine: boolean
  readonly isTruncated: boolean
}

export type MutablePiece = { -readonly [Key in keyof Piece]: Piece[Key] }

export const NO_DATA = new Uint8Array(0)

export function firstPiece(offset: number): MutablePiece {
  const offsets = { startOffset: offset, endOffset: offset }
  return { kind: 'record', reason: undefined, data: NO_DATA, ...offsets, isRestOfLine: false, isTruncated: false }
}

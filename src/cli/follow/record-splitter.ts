/**
 * The bytes of a followed file, as they are read, into pieces: records to send, and bytes that are settled without sending.
 * Example: `a\r\n\nb` gives the record `a` (3 bytes), an empty line (1 byte), and `b` when the file is done.
 * Invariant: pieces join without gap, and do not depend on where a read ended. A splitter that begins where a piece ended gives
 * the pieces that would have followed.
 * Hot: a line costs one search, one view and no object.
 */
import { ChunkedBytes } from '../input/chunked-bytes.ts'
import { truncated } from '../input/truncate.ts'
import { markOf } from './byte-order-mark.ts'
import type { FramingSettings } from './flow-settings.ts'
import { isMatch } from './line-match.ts'
import { firstPiece, type MutablePiece, NO_DATA, type Piece, type SkipReason } from './piece.ts'
import { firstNonZero } from './zeros.ts'

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

/** Where in a file the next byte is. `over`: in a line that is too long. `ended`: behind a footer. */
type Phase = 'head' | 'header' | 'lines' | 'hole' | 'over' | 'ended' | 'utf-16'
/** The unit that ends with the bytes: nothing, a record of several lines, also a last line, or the file. */
type Cut = 'none' | 'unit' | 'partial' | 'file'

export class RecordSplitter {
  readonly #settings: FramingSettings
  readonly #terminator: Buffer
  readonly #bytes = new ChunkedBytes()
  readonly #piece: MutablePiece
  #phase: Phase
  #cut: Cut = 'none'
  /** Of the file: where the next piece begins. */
  #offset: number
  /** Places in `#bytes`: where the next piece begins (before 0 when its bytes are gone), its last line, the search for its newline. */
  #unit = 0
  #line = 0
  #scan = 0
  /** Lines from `#unit` to `#line`, of one record, and where the data of their last ends. */
  #unitLines = 0
  #unitDataEnd = 0
  #headerLines: number
  #isMidLine = false
  #lastByteMs = 0

  /** `offset`: 0, or the end of a piece. `isEnded`: a footer was found before it. */
  constructor(settings: FramingSettings, offset: number, { isEnded = false }: { readonly isEnded?: boolean } = {}) {
    this.#settings = settings
    this.#terminator = Buffer.from(settings.truncatedTerminator)
    this.#offset = offset
    this.#headerLines = settings.skipHeader
    this.#phase = isEnded ? 'ended' : offset === 0 ? 'head' : 'lines'
    this.#piece = firstPiece(offset)
  }

  /** Where in the file the last piece ended. */
  get offset(): number {
    return this.#offset
  }

  /** Bytes of the file that were given and are in no piece yet. */
  get pendingBytes(): number {
    return this.#bytes.length - this.#unit
  }

  /** Whether a footer was found. A later splitter for the same file needs to know. */
  get isEnded(): boolean {
    return this.#phase === 'ended'
  }

  /** When `expire` has something to do, if no byte comes before. */
  get dueAtMs(): number | undefined {
    const { multiline, partialAfterMs } = this.#settings
    if (this.#phase !== 'lines') return undefined
    const unitMs = this.#unitLines > 0 ? multiline?.flushAfterMs : undefined
    const partialMs = this.#bytes.length > this.#line ? partialAfterMs : undefined
    if (unitMs === undefined && partialMs === undefined) return undefined
    return this.#lastByteMs + Math.min(unitMs ?? Number.POSITIVE_INFINITY, partialMs ?? Number.POSITIVE_INFINITY)
  }

  /**
   * Takes the bytes that follow in the file. Only after `next` has returned undefined. Data of pieces are views of `bytes`, or
   * of a copy that is never written to again.
   */
  push(bytes: Uint8Array, nowMs: number): void {
    this.#bytes.append(bytes)
    this.#cut = 'none'
    if (bytes.length > 0) this.#lastByteMs = nowMs
  }

  /** Lets a record go that waited long enough for more. Only when there was nothing more to read in the file. */
  expire(nowMs: number): void {
    const { dueAtMs } = this
    if (dueAtMs === undefined || nowMs < dueAtMs) return
    const waitedMs = nowMs - this.#lastByteMs
    const isPartialDue = waitedMs >= (this.#settings.partialAfterMs ?? Number.POSITIVE_INFINITY)
    this.#cut = isPartialDue && this.#bytes.length > this.#line ? 'partial' : 'unit'
  }

  /** The file is done: a last line without newline is a record. More bytes may still follow. */
  finish(): void {
    this.#cut = 'file'
  }

  /** Returns the next piece, or undefined if it takes more bytes. The object is the same each time: read it at once. */
  next(): Piece | undefined {
    for (;;) {
      const before = this.#phase
      const piece = before === 'lines' ? this.#nextOfLines() : this.#nextOutsideLines(before)
      if (piece !== undefined) return piece
      if (this.#phase === before) break
    }
    this.#cut = 'none'
    this.#drop()
    return undefined
  }

  #nextOfLines(): Piece | undefined {
    const bytes = this.#bytes
    while (this.#line < bytes.length) {
      if (bytes.at(this.#line) === 0) {
        if (this.#unitLines > 0) return this.#unitPiece()
        this.#scan = this.#line
        this.#phase = 'hole'
        return undefined
      }
      const newline = bytes.indexInChunk(NEWLINE, this.#scan)
      if (newline < 0) break
      this.#scan = newline
      const piece = this.#pieceOfLine(newline, newline + 1)
      if (piece !== undefined) return piece
    }
    this.#scan = bytes.length
    if (bytes.length - this.#line > this.#settings.maxLineBytes) {
      if (this.#unitLines > 0) return this.#unitPiece()
      this.#phase = 'over'
      return undefined
    }
    return this.#nextAtCut()
  }

  /** Returns the record that waits for more bytes, when it must wait no longer. */
  #nextAtCut(): Piece | undefined {
    const { length } = this.#bytes
    if (this.#cut === 'none') return undefined
    if (this.#cut === 'unit' || this.#line === length) return this.#unitLines > 0 ? this.#unitPiece() : undefined
    const piece = this.#pieceOfLine(length, length) ?? (this.#unitLines > 0 ? this.#unitPiece() : undefined)
    if (this.#unit === length) this.#isMidLine = true
    return piece
  }

  /** A line of `#line` to `contentEnd`, which ends at `lineEnd`. Undefined: it became a part of the record that grows. */
  #pieceOfLine(contentEnd: number, lineEnd: number): Piece | undefined {
    const { footer, multiline, keepNewline, emptyLines, maxLineBytes } = this.#settings
    const hasUnit = this.#unitLines > 0
    if (contentEnd - this.#line > maxLineBytes) return hasUnit ? this.#unitPiece() : this.#skipped('too-long', lineEnd)
    const end = contentEnd < lineEnd ? this.#withoutCr(contentEnd) : contentEnd
    if (footer !== undefined && isMatch(footer, this.#bytes.view(this.#line, end))) {
      if (hasUnit) return this.#unitPiece()
      this.#phase = 'ended'
      return this.#skipped('footer', lineEnd)
    }
    if (!hasUnit && end === this.#line && (emptyLines === 'skip' || this.#isMidLine)) {
      return this.#skipped('empty', lineEnd)
    }
    const dataEnd = keepNewline ? lineEnd : end
    if (multiline === undefined) return this.#record(dataEnd, lineEnd)
    const isOther =
      hasUnit &&
      (dataEnd - this.#unit > multiline.maxBytes || isMatch(multiline.start, this.#bytes.view(this.#line, end)))
    if (isOther) return this.#unitPiece()
    this.#unitLines++
    this.#unitDataEnd = dataEnd
    this.#line = lineEnd
    this.#scan = lineEnd
    return this.#unitLines >= multiline.maxLines ? this.#unitPiece() : undefined
  }

  #withoutCr(contentEnd: number): number {
    if (this.#settings.keepCr || contentEnd === this.#line) return contentEnd
    return this.#bytes.at(contentEnd - 1) === CARRIAGE_RETURN ? contentEnd - 1 : contentEnd
  }

  #unitPiece(): Piece {
    return this.#record(this.#unitDataEnd, this.#line)
  }

  #record(dataEnd: number, end: number): Piece {
    const { maxRecordBytes, maxRecord } = this.#settings
    const isTooLarge = dataEnd - this.#unit > maxRecordBytes
    if (isTooLarge && maxRecord === 'skip') return this.#skipped('too-large', end)
    const isTruncated = isTooLarge && maxRecord === 'truncate'
    const data = this.#bytes.view(this.#unit, dataEnd)
    const piece = this.#piece
    piece.kind = isTooLarge && !isTruncated ? 'too-large' : 'record'
    piece.reason = undefined
    piece.data = isTruncated ? truncated(data, maxRecordBytes, this.#terminator) : data
    piece.isTruncated = isTruncated
    return this.#advanced(end)
  }

  #skipped(reason: SkipReason, end: number): Piece {
    const piece = this.#piece
    piece.kind = 'skipped'
    piece.reason = reason
    piece.data = NO_DATA
    piece.isTruncated = false
    return this.#advanced(end)
  }

  #advanced(end: number): Piece {
    const piece = this.#piece
    piece.isRestOfLine = this.#isMidLine
    piece.startOffset = this.#offset
    this.#offset += end - this.#unit
    piece.endOffset = this.#offset
    this.#isMidLine = false
    this.#unit = end
    this.#line = end
    if (this.#scan < end) this.#scan = end
    this.#unitLines = 0
    return piece
  }

  #nextOutsideLines(phase: Exclude<Phase, 'lines'>): Piece | undefined {
    switch (phase) {
      case 'head':
        return this.#nextOfHead()
      case 'header':
        return this.#nextOfHeader()
      case 'hole':
        return this.#nextOfHole()
      case 'over':
        return this.#nextOfLongLine()
      case 'ended':
        return this.pendingBytes > 0 ? this.#skipped('footer', this.#bytes.length) : undefined
      case 'utf-16':
        return undefined
    }
  }

  /** The first bytes of the file say how to read it. */
  #nextOfHead(): Piece | undefined {
    const bytes = this.#bytes
    const first = bytes.at(0)
    if (first === undefined) return undefined
    const mark = this.#settings.encoding === 'bytes' ? 'none' : markOf(first, bytes.at(1), bytes.at(2))
    if (mark === 'unknown' && this.#cut !== 'file') return undefined
    if (mark === 'utf-16') {
      this.#phase = 'utf-16'
      this.#piece.kind = 'utf-16'
      return this.#advanced(bytes.length)
    }
    // A hole is what a writer left behind that went on after a truncation: no header is there.
    this.#phase = this.#headerLines > 0 && first !== 0 ? 'header' : 'lines'
    return mark === 'utf-8' && this.#phase === 'lines' ? this.#skipped('bom', 3) : undefined
  }

  #nextOfHeader(): Piece | undefined {
    while (this.#headerLines > 0) {
      const newline = this.#bytes.indexInChunk(NEWLINE, this.#scan)
      if (newline < 0) return this.#atEnd('header')
      this.#scan = newline + 1
      this.#headerLines--
    }
    return this.#backInLines('header')
  }

  #nextOfHole(): Piece | undefined {
    const { length } = this.#bytes
    this.#scan += firstNonZero(this.#bytes.view(this.#scan, length))
    return this.#scan === length ? this.#atEnd('hole') : this.#backInLines('hole')
  }

  #nextOfLongLine(): Piece | undefined {
    const newline = this.#bytes.indexInChunk(NEWLINE, this.#scan)
    if (newline < 0) return this.#atEnd('too-long')
    this.#scan = newline + 1
    return this.#backInLines('too-long')
  }

  #backInLines(reason: SkipReason): Piece {
    this.#phase = 'lines'
    return this.#skipped(reason, this.#scan)
  }

  #atEnd(reason: SkipReason): Piece | undefined {
    return this.#cut === 'file' && this.pendingBytes > 0 ? this.#skipped(reason, this.#bytes.length) : undefined
  }

  /** Forgets the bytes that no piece needs, and copies the others out of the chunk. */
  #drop(): void {
    const isNeeded = this.#phase === 'lines' || this.#phase === 'head'
    const from = isNeeded ? this.#unit : this.#bytes.length
    this.#bytes.keep(from)
    this.#unit -= from
    this.#line -= from
    this.#scan = this.#bytes.length
    this.#unitDataEnd -= from
  }
}

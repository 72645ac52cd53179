/**
 * One content history of one file while it is followed: where it is, how far it was read, what of it is acknowledged.
 * Bytes enter, records leave; it never touches a file, and no time passes in it.
 * Invariant: records leave in the order of the file, each once; `ledger.acked` is the end of what is settled without a gap.
 */
import type { FlowSettings } from './flow-settings.ts'
import { History } from './history.ts'
import { ANCHOR_BYTES, type Generation, markOf, PREFIX_BYTES } from './identity.ts'
import { Ledger } from './ledger.ts'
import { NO_DATA, type Piece } from './piece.ts'
import type { FileStat, FlowSink, FollowedRecord, FollowFailure, OpenFile, RecordEnd, RecordOwner } from './ports.ts'
import { RecordSplitter } from './record-splitter.ts'

/** Each read begins this much earlier and compares: a file rewritten under an open descriptor is seen at once. */
export const CHECK_BYTES = 64
/** A file with more than this unacknowledged is not read. */
const MAX_OPEN_BYTES = 16 * 1024 * 1024
const MAX_OPEN_RECORDS = 65_536

/**
 * `discovered`: not known yet whether it is a new file. `suspect`: perhaps the copy of another one. `lost`: its bytes are no longer where
 * they were, and are searched for. `drained`: read to the end, and nothing more is expected.
 */
export type Phase = 'discovered' | 'suspect' | 'following' | 'lost' | 'drained'
/** Whether the path that was followed still leads to the file. */
export type Place = 'here' | 'rotated' | 'deleted'

export interface TailListener {
  /** Bytes became acknowledged. */
  onAcked(tail: Tail, bytes: number): void
  onFailed(tail: Tail, failure: FollowFailure): void
  onSkipped(tail: Tail, reason: string): void
}

/** Where a tail begins, and what lies before that. */
export interface Start {
  readonly id: string
  readonly offset: number
  readonly prefix: Uint8Array
  /** The bytes that end at `offset`. */
  readonly before: Uint8Array
  readonly isEnded?: boolean
}

export class Tail implements RecordOwner {
  readonly settings: FlowSettings
  readonly #listener: TailListener
  id: string
  path: string
  device: string
  inode: string
  phase: Phase = 'discovered'
  place: Place = 'here'
  file: OpenFile | undefined
  /** As seen last. */
  size: number
  mtimeMs: number
  linkCount = 1
  /** Compressed, and perhaps not to its end yet. */
  isBeingWritten: boolean
  readOffset = 0
  prefix: Buffer = Buffer.alloc(0)
  history = new History(0, new Uint8Array(0))
  ledger = new Ledger(0)
  #splitter: RecordSplitter
  /** The piece that the sink did not take. The splitter gives no other one meanwhile, so this one does not change. */
  #held: Piece | undefined
  #heldTicket = 0
  #hasFailed = false
  /** One object for all records: a sink reads it during the call only. */
  readonly #view: { -readonly [Key in keyof FollowedRecord]: FollowedRecord[Key] }
  /** Above this size, bytes without an end are no record any more. */
  readonly #maxPendingBytes: number
  /** Times of the follower's clock. */
  phaseAtMs: number
  lastGrowthMs: number
  /** When its path began to lead elsewhere. */
  placeAtMs = 0
  nextPollMs = 0
  /** The scans in which it was found, and in which its end was seen last. */
  discoveredInScan = 0
  endSeenInScan = -1
  /** There on the first run of a flow that begins at the end. */
  beginsAtEnd = false
  /** Set while the file cannot be read. */
  retryAtMs: number | undefined
  retryMs = 0
  /** The file that must be read to its end before this one. */
  predecessor: Tail | undefined
  /** It turned out to be the copy of this one, which goes on in its file. */
  replacedBy: Tail | undefined
  /** Of a suspect: whose copy it may be. */
  original: Tail | undefined
  /** Of a lost one: whether other bytes are in its file now. */
  wasRewritten = false
  isFlushed = false
  /** It was drained, and nothing was read since: other bytes at its inode are another file's, and none of its own are lost. */
  wasDrained = false

  constructor(settings: FlowSettings, path: string, stat: FileStat, nowMs: number, listener: TailListener) {
    this.settings = settings
    this.#listener = listener
    const { maxLineBytes, multiline } = settings.framing
    this.#maxPendingBytes = 2 * maxLineBytes + (multiline?.maxBytes ?? 0) + CHECK_BYTES
    this.id = ''
    this.path = path
    this.device = stat.device
    this.inode = stat.inode
    this.size = stat.size
    this.mtimeMs = stat.mtimeMs
    this.isBeingWritten = stat.isBeingWritten === true
    this.phaseAtMs = nowMs
    this.lastGrowthMs = nowMs
    this.#splitter = new RecordSplitter(settings.framing, 0)
    this.#view = { data: NO_DATA, path, startOffset: 0, owner: this, ticket: 0 }
  }

  get key(): string {
    return keyOf(this.path, this)
  }

  get dueAtMs(): number | undefined {
    return this.#splitter.dueAtMs
  }

  get isHeld(): boolean {
    return this.#held !== undefined
  }

  /** Records that a sink took and has not answered. */
  get handedOverCount(): number {
    return this.ledger.openCount - (this.#held === undefined ? 0 : 1)
  }

  get pendingBytes(): number {
    return this.#splitter.pendingBytes
  }

  get isOverLimit(): boolean {
    return this.ledger.openBytes > MAX_OPEN_BYTES || this.ledger.openCount > MAX_OPEN_RECORDS
  }

  get isAtEnd(): boolean {
    return this.readOffset >= this.size
  }

  enter(phase: Phase, nowMs: number): void {
    this.phase = phase
    this.phaseAtMs = nowMs
  }

  /** Begins at an offset. The prefix and the bytes before it are known. Nothing was read so far. */
  start({ id, offset, prefix, before, isEnded = false }: Start, nowMs: number): void {
    this.id = id
    this.readOffset = offset
    const seenBytes = Math.max(0, offset - this.settings.fingerprintIgnoreBytes)
    this.prefix = Buffer.from(prefix.subarray(0, seenBytes))
    this.history = new History(offset, before)
    this.ledger = new Ledger(offset)
    this.#splitter = new RecordSplitter(this.settings.framing, offset, { isEnded })
    this.enter('following', nowMs)
  }

  /** Where the next read begins: some bytes early, to compare them. */
  get checkBytes(): Uint8Array {
    return this.history.before(this.readOffset, CHECK_BYTES)
  }

  /** Bytes that follow at `readOffset`. They are never written to again. */
  took(bytes: Uint8Array, nowMs: number): void {
    const prefixAt = this.settings.fingerprintIgnoreBytes
    const wanted = PREFIX_BYTES - this.prefix.length
    const isPrefixOpen = wanted > 0 && this.readOffset + bytes.length > prefixAt
    if (isPrefixOpen && this.readOffset <= prefixAt + this.prefix.length) {
      const from = prefixAt + this.prefix.length - this.readOffset
      this.prefix = Buffer.concat([this.prefix, bytes.subarray(from, from + wanted)])
    }
    // No record ends in what waits: it is a line without an end, or a hole.
    const isEndless = this.readOffset - this.#splitter.offset > this.#maxPendingBytes
    if (isEndless) this.history.forget(this.#splitter.offset)
    this.history.append(bytes)
    this.history.release(this.ledger.acked)
    this.#splitter.push(bytes, nowMs)
    this.readOffset += bytes.length
    if (this.size < this.readOffset) this.size = this.readOffset
    this.lastGrowthMs = nowMs
    this.isFlushed = false
    this.wasDrained = false
  }

  /** No more bytes are expected: the last line needs no newline. */
  finish(): void {
    this.#splitter.finish()
    this.isFlushed = true
  }

  expire(nowMs: number): void {
    this.#splitter.expire(nowMs)
  }

  /** Gives on what is whole. Returns false when the sink is full: the record is kept and given on first next time. */
  pump(sink: FlowSink): boolean {
    const splitter = this.#splitter
    let piece = this.#held
    let ticket = this.#heldTicket
    this.#held = undefined
    for (;;) {
      if (piece === undefined) {
        piece = this.#hasFailed ? undefined : splitter.next()
        if (piece === undefined) return true
        ticket = this.ledger.add(piece.endOffset)
      }
      if (!this.#isTaken(sink, piece, ticket)) {
        this.#held = piece
        this.#heldTicket = ticket
        return false
      }
      piece = undefined
    }
  }

  /** The end of a record that a sink took. */
  settle(ticket: number, end: RecordEnd): void {
    if (end.kind === 'failed') {
      this.#fail(end.code, end.message, this.ledger.startOf(ticket), end.isPoison)
      return
    }
    if (end.kind === 'skipped') this.#listener.onSkipped(this, 'policy')
    this.#settle(ticket)
  }

  startOf(ticket: number): number {
    return this.ledger.startOf(ticket)
  }

  /** The generation as it is saved: its marks are those of the acknowledged offset. */
  saved(): Generation {
    const { id, settings, path, device, inode, prefix, size } = this
    const { acked } = this.ledger
    const anchor = markOf(this.history.before(acked, ANCHOR_BYTES))
    const isEnded = this.#splitter.isEnded ? { isEnded: true } : undefined
    return { id, flow: settings.id, path, device, inode, acked, prefix: markOf(prefix), anchor, size, ...isEnded }
  }

  /** As `saved`, at the offset that was read: where a copy must go on. */
  savedAsRead(): Generation {
    const anchor = markOf(this.history.before(this.readOffset, ANCHOR_BYTES))
    return { ...this.saved(), acked: this.readOffset, anchor }
  }

  #isTaken(sink: FlowSink, piece: Piece, ticket: number): boolean {
    const { reason } = piece
    if ((reason === 'too-long' || reason === 'too-large') && sink.passOver !== undefined) {
      sink.passOver(this.#viewOf(piece, ticket), reason)
      return true
    }
    if (piece.kind === 'skipped') {
      this.#listener.onSkipped(this, reason ?? '')
      this.#settle(ticket)
      return true
    }
    if (piece.kind === 'utf-16') {
      this.#fail('CLI_ERR_INPUT', 'the file is UTF-16', piece.startOffset, true)
      return true
    }
    const view = this.#viewOf(piece, ticket)
    if (piece.kind === 'record') return sink.tryPut(view)
    if (sink.refuse !== undefined) sink.refuse(view)
    else this.#fail('CLI_ERR_RECORD_TOO_LARGE', `a record has ${piece.data.length} bytes`, piece.startOffset, true)
    return true
  }

  #viewOf({ data, startOffset }: Piece, ticket: number): FollowedRecord {
    const view = this.#view
    view.data = data
    view.path = this.path
    view.startOffset = startOffset
    view.ticket = ticket
    return view
  }

  #settle(ticket: number): void {
    const before = this.ledger.acked
    this.ledger.settle(ticket)
    const bytes = this.ledger.acked - before
    if (bytes > 0) this.#listener.onAcked(this, bytes)
  }

  #fail(code: string, message: string, offset: number, isPoison: boolean): void {
    this.#hasFailed = true
    this.#listener.onFailed(this, { code, message, path: this.path, offset, isPoison })
  }
}

/** The key by which a file is found again: its inode, or its path where there are no inodes. */
export function keyOf(path: string, { device, inode }: { readonly device: string; readonly inode: string }): string {
  return inode === '0' ? `path:${path}` : `${device}:${inode}`
}

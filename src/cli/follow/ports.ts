/**
 * The doors of the engine: a file system, and a place that takes records.
 * Invariant: types only. Tests have a file system of their own and a virtual clock; the real one is in real-files.ts.
 */

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'other'
  /** Decimal text, because device and inode pass 2^53. Inode `0` means that the system has none. */
  readonly device: string
  readonly inode: string
  readonly size: number
  readonly mtimeMs: number
  /** 0 once no name leads to an open file. */
  readonly linkCount: number
  /** Compressed, and changed so lately that its end may not be there yet: `size` says nothing. */
  readonly isBeingWritten?: boolean
}

export interface OpenFile {
  stat(): Promise<FileStat>
  /** Returns how many bytes were read; fewer than the buffer holds only at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>
  close(): Promise<void>
}

/** Failures carry the system's `code`: ENOENT, EACCES, ESTALE. */
export interface Files {
  /** Returns absolute paths, each once, of whatever kind; links are followed. */
  list(patterns: readonly string[], exclude: readonly string[]): Promise<readonly string[]>
  /** Returns the paths of what lies directly in a folder; none when there is no such folder. */
  listFolder(folder: string): Promise<readonly string[]>
  /** Follows links. Undefined when nothing is there. */
  stat(path: string): Promise<FileStat | undefined>
  /** Opens for reading and never waits, also when the path has become a FIFO. */
  open(path: string): Promise<OpenFile>
  remove(path: string): Promise<void>
}

/**
 * One record of a file. The object is used again after the call; `data` stays as it is until the record is settled, so it need not be copied
 * before. A sink that takes the record calls `owner.settle(ticket, end)` once, at once or later.
 */
export interface FollowedRecord {
  readonly data: Uint8Array
  readonly path: string
  readonly startOffset: number
  readonly owner: RecordOwner
  /** Names the record to its owner. */
  readonly ticket: number
}

/** Gets the ends of records, by ticket: a record that is under way is a number, which costs no object. */
export interface RecordOwner {
  readonly path: string
  settle(ticket: number, end: RecordEnd): void
  /** Where a record that is not settled begins. */
  startOf(ticket: number): number
}

/**
 * The end of a record. Only `failed` keeps the checkpoint before the record, and it ends the following: a sink that retries,
 * skips or writes dead letters says `delivered` or `skipped` once that is done.
 */
export type RecordEnd =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly isPoison: boolean }

/** Where the records of a flow go: the process steps, the key, and the producer. */
export interface FlowSink {
  /** Returns false when it is full: nothing was taken. */
  tryPut(record: FollowedRecord): boolean
  /** A record above the limit that no policy lets pass. Without this method it ends the following. */
  refuse?(record: FollowedRecord): void
  /** A record of which the file's rules let nothing pass; its data is gone. Without this method it counts as skipped, and is not reported. */
  passOver?(record: FollowedRecord, reason: 'too-long' | 'too-large'): void
  /** Resolves when `tryPut` may take the next record. */
  ready(): Promise<void>
  /** Sends what is buffered, without waiting for a fuller batch. Resolves when everything taken before is settled. */
  flush(): Promise<void>
}

/** The record that ended the following. Its bytes are not in here. */
export interface FollowFailure {
  readonly code: string
  readonly message: string
  readonly path: string
  readonly offset: number
  readonly isPoison: boolean
}

/**
 * Whether a file that is found is one that was followed before: by device, inode, the growing prefix and the anchor.
 * Example: same inode, equal first bytes, other bytes just before the acknowledged offset: the file was rewritten.
 * Invariant: a doubt gives `new`, so the file is read from 0. That repeats records; it never skips one.
 */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'

export const PREFIX_BYTES = 1024
export const ANCHOR_BYTES = 256
/** Content alone says little below this offset: a banner may be equal in many files. */
const ADOPTED_FROM_BYTES = 1024

/** The hash of a part of a file. */
export interface Mark {
  readonly length: number
  readonly sha256: string
}

/** One content history of one file. Device and inode are decimal text, because they pass 2^53; inode `0` is no inode. */
export interface Generation {
  readonly id: string
  readonly flow: string
  readonly path: string
  readonly device: string
  readonly inode: string
  readonly acked: number
  readonly prefix: Mark
  /** The bytes that end at `acked`. */
  readonly anchor: Mark
  /** The size that was seen last: bytes above `acked` were not sent. */
  readonly size?: number | undefined
  /** The time of day when the file was first missed; undefined while it is there. */
  readonly goneAtMs?: number | undefined
  /** A footer was found: nothing behind it is sent. */
  readonly isEnded?: boolean | undefined
}

/** A file as it is now. `read` gives fewer bytes where the file ends. */
export interface FoundFile {
  readonly path: string
  readonly device: string
  readonly inode: string
  readonly size: number
  readonly mtimeMs: number
  /** Where the prefix begins, behind a banner that many files share. */
  readonly prefixAt?: number | undefined
  read(position: number, length: number): Uint8Array
}

/** `moved` needs `adoptedOf` to decide, because it takes the other candidates into account. */
export type Verdict = 'same' | 'rewritten' | 'moved' | 'new'

/** The prefix mark of what is seen of a file. It grows with the file up to 1,024 bytes. */
export function prefixOf(file: FoundFile): Mark {
  return markOf(file.read(file.prefixAt ?? 0, PREFIX_BYTES))
}

/** The mark of the bytes just before an offset. */
export function anchorOf(file: FoundFile, offset: number): Mark {
  const length = Math.min(ANCHOR_BYTES, offset)
  return markOf(file.read(offset - length, length))
}

export function verdictOf(generation: Generation, file: FoundFile): Verdict {
  const isContent = isContentOf(generation, file)
  if (isSameInode(generation, file)) return isContent ? 'same' : 'rewritten'
  return isContent ? 'moved' : 'new'
}

/**
 * Returns the file in which a generation goes on, or nothing. Its own inode comes first. A file with another inode is taken
 * only when it is the one candidate or clearly the best, and when enough was acknowledged or a truncation was just seen.
 */
export function adoptedOf(
  generation: Generation,
  files: readonly FoundFile[],
  wasTruncated: boolean
): FoundFile | undefined {
  const own = files.find(file => verdictOf(generation, file) === 'same')
  if (own !== undefined) return own
  const isShort = generation.acked < ADOPTED_FROM_BYTES
  if (isShort && !wasTruncated) return undefined
  return files
    .filter(file => verdictOf(generation, file) === 'moved' && (!isShort || hasNameOf(generation.path, file.path)))
    .sort((a, b) => rankOf(generation, b) - rankOf(generation, a) || b.size - a.size || b.mtimeMs - a.mtimeMs)[0]
}

/**
 * Whether a file may be the rotated one or the copy of another by its name: `app.log.1` and `app-2026.log` of `app.log`. A few equal
 * bytes are in files of other programs too.
 */
export function hasNameOf(path: string, found: string): boolean {
  const [stem = ''] = basename(path).split(/[._-]/)
  return basename(found).startsWith(stem)
}

function rankOf(generation: Generation, file: FoundFile): number {
  return file.path === generation.path ? 1 : 0
}

function isSameInode(generation: Generation, file: FoundFile): boolean {
  return generation.inode !== '0' && generation.inode === file.inode && generation.device === file.device
}

/** Nothing acknowledged proves nothing, and needs no proof: such a generation starts at 0 wherever it is. */
function isContentOf(generation: Generation, file: FoundFile): boolean {
  const { acked, prefix, anchor } = generation
  const prefixAt = file.prefixAt ?? 0
  if (file.size < acked || file.size < prefix.length) return false
  const isUnmarked = acked > 0 && (anchor.length === 0 || (prefix.length === 0 && acked > prefixAt))
  if (isUnmarked) return false
  return isMarked(file, prefixAt, prefix) && isMarked(file, acked - anchor.length, anchor)
}

/** Whether a file begins as the mark says. */
export function isPrefixOf(file: FoundFile, prefix: Mark): boolean {
  return file.size >= prefix.length && isMarked(file, file.prefixAt ?? 0, prefix)
}

function isMarked(file: FoundFile, position: number, mark: Mark): boolean {
  const now = markOf(file.read(position, mark.length))
  return now.length === mark.length && now.sha256 === mark.sha256
}

export function markOf(bytes: Uint8Array): Mark {
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

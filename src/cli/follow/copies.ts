/**
 * Files that may be copies: another inode with the first bytes of a file that is followed. The copy is made before the truncation, so it waits.
 * Example: `cp app.log app.log.1; : > app.log` makes app.log.1 a suspect, and the truncation makes it the rest of app.log.
 * Invariant: each wait has an end, and at its end the file is new; only `copies: skip` passes over it.
 */
import type { FollowContext } from './context.ts'
import type { FlowState } from './flow-state.ts'
import { ANCHOR_BYTES, type FoundFile, hasNameOf, PREFIX_BYTES } from './identity.ts'
import { partOf } from './reading.ts'
import type { Tail } from './tail.ts'
import { note } from './unreadable.ts'

/** A full copy whose original is still there after this time is a file of its own. */
const FULL_COPY_WAIT_MS = 60_000
/** Bounds the work of a scan that finds very many files with one banner. */
const MAX_COMPARED = 1_000

/** Returns the open file that begins with the same bytes. */
export function originalOf(flow: FlowState, tail: Tail, found: FoundFile): Tail | undefined {
  const prefix = found.read(flow.settings.fingerprintIgnoreBytes, PREFIX_BYTES)
  let compared = 0
  for (const other of flow.tails) {
    if (other === tail || !mayBeTruncated(flow, other) || other.prefix.length === 0 || other.prefix[0] !== prefix[0])
      continue
    if (++compared > MAX_COMPARED) return undefined
    const length = Math.min(other.prefix.length, prefix.length)
    const mayBe = length >= PREFIX_BYTES || hasNameOf(other.path, tail.path)
    if (mayBe && other.prefix.compare(prefix, 0, length, 0, length) === 0) return other
  }
  return undefined
}

/** A file that was renamed is truncated no more, but it may have been just before. Its next read says so. */
function mayBeTruncated(flow: FlowState, tail: Tail): boolean {
  return tail.phase === 'lost' || (tail.phase === 'following' && (tail.place === 'here' || flow.active.has(tail)))
}

/** `wait`: a truncation of the original may still come. */
export type CopyVerdict = 'new' | 'skip' | 'wait'

export async function judgeSuspect(context: FollowContext, flow: FlowState, tail: Tail): Promise<CopyVerdict> {
  const { original, settings } = tail
  if (original === undefined || !flow.tails.has(original) || !mayBeTruncated(flow, original)) return 'new'
  try {
    const { file } = await context.descriptors.opened(tail)
    const { size } = await file.stat()
    tail.size = size
    const end = Math.min(size, original.readOffset)
    const length = Math.min(ANCHOR_BYTES, end)
    const ours = await partOf(file, end - length, length)
    const theirs = await originalPart(original, end, length)
    const isOther = theirs !== undefined && !ours.equals(theirs)
    if (isOther) return 'new'
  } catch (error) {
    await note(context, flow, tail, error)
    return 'wait'
  }
  if (original.phase === 'lost') return 'wait'
  const waitedMs = context.clock.nowMs() - tail.phaseAtMs
  const isShort = tail.size <= settings.fingerprintIgnoreBytes + PREFIX_BYTES
  const isOriginalReadable = original.retryAtMs === undefined
  if (isShort && isOriginalReadable && (context.once || waitedMs >= settings.copyWaitMs)) return 'new'
  if (!context.once && waitedMs < FULL_COPY_WAIT_MS) return 'wait'
  return settings.copies === 'skip' && tail.size >= original.readOffset ? 'skip' : 'new'
}

/** The bytes that were read of the original, from memory where they are, else through its descriptor. */
async function originalPart(original: Tail, end: number, length: number): Promise<Uint8Array | undefined> {
  const held = original.history.before(end, length)
  if (held.length === length) return held
  return original.phase === 'lost' || original.file === undefined
    ? undefined
    : partOf(original.file, end - length, length)
}

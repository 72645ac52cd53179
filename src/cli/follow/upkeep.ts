/**
 * The work on the files of a flow after each scan: suspects are judged, searches end, done files are closed, deleted or forgotten.
 * Invariant: nothing is forgotten that is not acknowledged, and no file is deleted that is not acknowledged to its last byte.
 */
import { codeOf, type FollowContext, warnOnce } from './context.ts'
import { judgeSuspect } from './copies.ts'
import type { FlowState, Missing } from './flow-state.ts'
import { startAt, startNew } from './resolve.ts'
import { heldDeletedBytesOf } from './status.ts'
import { keyOf, type Tail } from './tail.ts'

/** After a start the time of day alone says how long a file is gone. It may be wrong, so we look for it this long. */
const LEAST_GONE_MS = 3_600_000
/** Above this the disk may fill up with files that were deleted to free it. */
const HELD_WARNING_BYTES = 1024 * 1024 * 1024

export async function upkeep(context: FollowContext, flow: FlowState): Promise<void> {
  for (const tail of [...flow.tails]) {
    if (tail.phase === 'suspect') await settleSuspect(context, flow, tail)
    else if (tail.phase === 'lost') giveUp(context, flow, tail)
    else if (tail.phase === 'drained') retire(context, flow, tail)
    else await closeIdle(context, flow, tail)
  }
  warnOfHeld(context, flow)
  for (const missing of [...flow.missing.values()]) age(context, flow, missing)
  if (flow.settings.afterDone === 'delete') await deleteDone(context, flow)
}

function warnOfHeld(context: FollowContext, flow: FlowState): void {
  const heldBytes = heldDeletedBytesOf([flow])
  if (heldBytes < HELD_WARNING_BYTES) return
  warnOnce(context, flow, 'CLI_WARN_HELD_DELETED', flow.settings.id, `holds ${heldBytes} unread bytes of deleted files`)
}

async function settleSuspect(context: FollowContext, flow: FlowState, tail: Tail): Promise<void> {
  const verdict = await judgeSuspect(context, flow, tail)
  if (verdict === 'new') startNew(context, flow, tail)
  if (verdict === 'skip') await startAt(context, tail, tail.size)
}

/** No copy was found in time: what was read is sent, also the last line without its end. */
function giveUp(context: FollowContext, flow: FlowState, tail: Tail): void {
  const nowMs = context.clock.nowMs()
  if (nowMs - tail.phaseAtMs < flow.settings.copyWaitMs) return
  tail.finish()
  if (!tail.pump(flow.sink)) return
  void context.descriptors.close(tail)
  flow.rest(tail)
  tail.enter('drained', nowMs)
  if (tail.wasDrained) return
  if (tail.wasRewritten) {
    flow.truncatedLost++
    warnOnce(
      context,
      flow,
      'CLI_WARN_TRUNCATED',
      tail.path,
      'was truncated, and no copy was found: bytes written since the last look are lost'
    )
  } else if (tail.size > tail.readOffset) {
    const bytes = tail.size - tail.readOffset
    flow.unsentBytes += bytes
    warnOnce(context, flow, 'CLI_WARN_UNSENT_BYTES', tail.path, `is gone with ${bytes} bytes that were never read`)
  }
}

/** A file that is gone for good is forgotten at once: the next one with its inode must not be taken for it. */
function retire(context: FollowContext, flow: FlowState, tail: Tail): void {
  if (tail.ledger.openCount > 0) return
  const isGone = tail.place === 'deleted' || tail.wasRewritten
  if (isGone) {
    flow.remove(tail)
    context.forget(tail.id)
  } else if (flow.byKey.get(tail.key) !== tail) {
    context.keep(flow, tail)
  }
}

async function closeIdle(context: FollowContext, flow: FlowState, tail: Tail): Promise<void> {
  const isIdle =
    tail.file !== undefined &&
    tail.phase === 'following' &&
    tail.place === 'here' &&
    tail.isAtEnd &&
    context.clock.nowMs() - tail.lastGrowthMs >= flow.settings.closeIdleMs
  if (isIdle) await context.descriptors.close(tail)
}

/** `generation` was not found. The time of day and the clock of this run both have to say that it is gone long enough. */
function age(context: FollowContext, flow: FlowState, { generation, sinceMs, wasRewritten }: Missing): void {
  const nowMs = context.clock.nowMs()
  if (nowMs < flow.searchUntilMs) return
  // It is at its place and cannot be read, so nothing is known of it.
  const isUnreadable = flow.byKey.get(keyOf(generation.path, generation))?.retryAtMs !== undefined
  if (isUnreadable && !wasRewritten) return
  const { id, path, size = 0, acked, goneAtMs } = generation
  if (goneAtMs === undefined && size > acked) {
    flow.unsentBytes += size - acked
    warnOnce(context, flow, 'CLI_WARN_UNSENT_BYTES', path, `is gone with ${size - acked} bytes that were not sent`)
  }
  if (wasRewritten) {
    flow.missing.delete(id)
    context.forget(id)
  } else if (goneAtMs === undefined) {
    const gone = { ...generation, goneAtMs: context.wallMs() }
    flow.missing.set(id, { generation: gone, sinceMs: nowMs, wasRewritten })
    context.save(gone)
  } else {
    const { forgetAfterMs } = flow.settings
    const isOld =
      context.wallMs() - goneAtMs >= forgetAfterMs && nowMs - sinceMs >= Math.min(forgetAfterMs, LEAST_GONE_MS)
    if (!isOld) return
    flow.missing.delete(id)
    context.forget(id)
  }
}

/** The size is looked at again just before: a writer may have appended meanwhile. */
export async function deleteDone(context: FollowContext, flow: FlowState): Promise<void> {
  for (const tail of [...flow.tails]) {
    // A writer may still have a renamed file open, and a file that was closed for another one may grow: both have to rest first.
    const isResting = context.once || context.clock.nowMs() - tail.lastGrowthMs >= flow.settings.closeIdleMs
    const isClosed =
      tail.phase === 'drained' || (tail.phase === 'following' && (tail.file === undefined || context.once))
    const { acked, openCount } = tail.ledger
    const isDone =
      isResting && isClosed && tail.place !== 'deleted' && acked > 0 && acked >= tail.size && openCount === 0
    if (!isDone || tail.pendingBytes > 0) continue
    try {
      const stat = await context.files.stat(tail.path)
      const isSame = stat?.kind === 'file' && keyOf(tail.path, stat) === tail.key && stat.size === acked
      if (!isSame) continue
      await context.files.remove(tail.path)
    } catch (error) {
      warnOnce(context, flow, 'CLI_WARN_UNREADABLE', tail.path, `cannot be deleted: ${codeOf(error)}`)
      continue
    }
    await context.descriptors.close(tail)
    flow.remove(tail)
    context.forget(tail.id)
  }
}

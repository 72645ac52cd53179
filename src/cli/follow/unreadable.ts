/**
 * Files that cannot be opened or read: when they are tried again, and the warning.
 * Example: a file without permission is tried after 1 s, 2 s, 4 s, at last each minute; one warning is given.
 * Invariant: a failure moves no offset.
 */
import { codeOf, type FollowContext, warnOnce } from './context.ts'
import type { FlowState } from './flow-state.ts'
import type { Tail } from './tail.ts'

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000

/** The descriptor is given up too: a server of files may have forgotten it (ESTALE). */
export async function note(context: FollowContext, flow: FlowState, tail: Tail, error: unknown): Promise<void> {
  const code = codeOf(error)
  if (code === '') throw error
  const canReopen = tail.place === 'here' || code === 'ESTALE'
  if (canReopen) await context.descriptors.close(tail)
  // The next scan says where the file is now.
  if (code === 'ENOENT') return
  tail.retryMs = tail.retryMs === 0 ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, tail.retryMs * 2)
  tail.retryAtMs = context.clock.nowMs() + (code === 'ESTALE' ? 0 : tail.retryMs)
  if (code !== 'ESTALE') warnOnce(context, flow, 'CLI_WARN_UNREADABLE', tail.path, `cannot be read: ${code}`)
}

/**
 * The first run of a flow: where each file that is there already begins. It is saved before the first record is sent.
 * Invariant: `from: end` is applied once in the life of a flow. A file that is found later begins at 0.
 */
import type { Checkpoint } from './checkpoint.ts'
import type { FollowContext } from './context.ts'
import type { FlowState } from './flow-state.ts'
import { partOf } from './reading.ts'
import { startAt, startNew } from './resolve.ts'
import type { Tail } from './tail.ts'
import { note } from './unreadable.ts'

/** A last line without a newline that is longer is not searched for its beginning. */
const LINE_SEARCH_BYTES = 64 * 1024
const NEWLINE = 0x0a

/** The flow's files were just scanned, and none of them was read. */
export async function startFirstRun(context: FollowContext, flow: FlowState, checkpoint: Checkpoint): Promise<void> {
  for (const tail of [...flow.tails]) {
    if (tail.size === 0) continue
    if (flow.settings.from === 'start') startNew(context, flow, tail)
    else {
      tail.beginsAtEnd = true
      await startAtEnd(context, flow, tail)
    }
  }
  const files = [...flow.tails].filter(tail => tail.id !== '').map(tail => tail.saved())
  await checkpoint.start({ id: flow.settings.id, startedAtMs: context.wallMs() }, files)
}

/** The last line belongs to what is sent unless it is whole: a record is never cut. */
export async function startAtEnd(context: FollowContext, flow: FlowState, tail: Tail): Promise<void> {
  try {
    const { file } = await context.descriptors.opened(tail)
    const { size } = await file.stat()
    const length = Math.min(size, LINE_SEARCH_BYTES)
    const last = (await partOf(file, size - length, length)).lastIndexOf(NEWLINE)
    const offset = last < 0 && length < size ? size : size - length + last + 1
    await startAt(context, tail, offset)
    flow.active.add(tail)
  } catch (error) {
    await note(context, flow, tail, error)
  }
}

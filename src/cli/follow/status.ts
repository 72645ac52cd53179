/**
 * The state of a follower, file by file.
 * Invariant: read-only; a state is derived from what is known of a file, and is kept nowhere.
 */
import type { FlowState } from './flow-state.ts'
import type { Tail } from './tail.ts'

/**
 * | state | meaning |
 * |---|---|
 * | DISCOVERED | found, and nothing read of it |
 * | SUSPECT | perhaps a copy of another file |
 * | UNREADABLE | cannot be opened or read now; it is tried again |
 * | READING | there is more to read |
 * | BLOCKED | the producer is full, or too much is unacknowledged |
 * | IDLE | read to its end |
 * | ROTATED, DELETED | its path leads elsewhere, and its descriptor is read to the end |
 * | TRUNCATED | its bytes are gone from its place, and their copy is searched for |
 * | DRAINED, DONE | read to its end and closed; DONE: all acknowledged |
 */
export type TailState =
  | 'DISCOVERED'
  | 'SUSPECT'
  | 'UNREADABLE'
  | 'READING'
  | 'BLOCKED'
  | 'IDLE'
  | 'ROTATED'
  | 'DELETED'
  | 'TRUNCATED'
  | 'DRAINED'
  | 'DONE'

export interface FileStatus {
  readonly flow: string
  readonly path: string
  readonly state: TailState
  /** Read so far. */
  readonly offset: number
  readonly acked: number
  readonly size: number
  readonly bytesBehind: number
}

export interface FollowStatus {
  readonly files: readonly FileStatus[]
  readonly bytesBehind: number
  readonly unreadable: number
  /** Unread bytes of deleted files, which the disk cannot free. */
  readonly heldDeletedBytes: number
  /** Files that were truncated or replaced and whose last bytes were not found in a copy. */
  readonly truncatedLost: number
  readonly openDescriptors: number
  readonly skipped: Readonly<Record<string, number>>
}

export function stateOf(tail: Tail): TailState {
  if (tail.retryAtMs !== undefined) return 'UNREADABLE'
  switch (tail.phase) {
    case 'discovered':
      return 'DISCOVERED'
    case 'suspect':
      return 'SUSPECT'
    case 'lost':
      return 'TRUNCATED'
    case 'drained':
      return tail.ledger.openCount === 0 ? 'DONE' : 'DRAINED'
    case 'following':
      if (tail.place === 'rotated') return 'ROTATED'
      if (tail.place === 'deleted') return 'DELETED'
      if (tail.isHeld || tail.isOverLimit) return 'BLOCKED'
      return tail.isAtEnd ? 'IDLE' : 'READING'
  }
}

export function fileStatuses(flows: readonly FlowState[]): FileStatus[] {
  return flows.flatMap(flow =>
    [...flow.tails].map(tail => {
      const { path, readOffset: offset, size } = tail
      const { acked } = tail.ledger
      const bytesBehind = Math.max(0, size - acked)
      return { flow: flow.settings.id, path, state: stateOf(tail), offset, acked, size, bytesBehind }
    })
  )
}

export function heldDeletedBytesOf(flows: readonly FlowState[]): number {
  let bytes = 0
  for (const { tails } of flows)
    for (const tail of tails) if (tail.place === 'deleted') bytes += Math.max(0, tail.size - tail.readOffset)
  return bytes
}

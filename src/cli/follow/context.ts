/**
 * The things that the parts of the follower share: the ports, the open files, and the listeners.
 * Invariant: no state of a file is here; that is in its tail and its flow.
 */
import type { Clock, Random } from '../../index.ts'
import type { Descriptors } from './descriptors.ts'
import type { FlowState } from './flow-state.ts'
import type { Generation } from './identity.ts'
import type { Files } from './ports.ts'
import type { Tail, TailListener } from './tail.ts'

export interface FollowContext {
  readonly files: Files
  readonly descriptors: Descriptors
  readonly clock: Clock
  readonly wallMs: () => number
  readonly random: Random
  readonly warn: (code: FollowWarning, message: string) => void
  readonly once: boolean
  readonly listener: TailListener
  /** Its place or its marks have to be saved. */
  readonly touch: (tail: Tail) => void
  readonly forget: (id: string) => void
  readonly save: (generation: Generation) => void
  /** A file is gone; what is known of it is kept. */
  readonly keep: (flow: FlowState, tail: Tail) => void
}

export type FollowWarning =
  | 'CLI_WARN_NOT_A_FILE'
  | 'CLI_WARN_UNREADABLE'
  | 'CLI_WARN_UNSENT_BYTES'
  | 'CLI_WARN_TRUNCATED'
  | 'CLI_WARN_COMPRESSED'
  | 'CLI_WARN_HELD_DELETED'
  | 'CLI_WARN_STATE'
  | 'CLI_WARN_SCAN'

const ID_BYTES = 8

export function newId(random: Random): string {
  return Array.from({ length: ID_BYTES }, () =>
    Math.floor(random() * 256)
      .toString(16)
      .padStart(2, '0')
  ).join('')
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Warns of one thing once in the life of a flow. */
export function warnOnce(
  context: FollowContext,
  flow: FlowState,
  code: FollowWarning,
  path: string,
  text: string
): void {
  const key = `${code} ${path}`
  if (flow.warned.has(key)) return
  flow.warned.add(key)
  context.warn(code, `${JSON.stringify(path)} ${text}`)
}

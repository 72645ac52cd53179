/**
 * `agent check`: whether files were sent and acknowledged to their end.
 * Example: as `prerotate` of logrotate, or before a rotated file is deleted.
 * Invariant: 0 only when each file is known by device, inode and content, and everything that it holds now was acknowledged; in doubt 1.
 */
import { resolve } from 'node:path'
import { listAt, type Outcome, type Words } from '../command.ts'
import type { FoundFile } from '../follow/identity.ts'
import { verdictOf } from '../follow/identity.ts'
import type { StateStore } from '../follow/state-store.ts'
import type { Session } from '../session.ts'
import { readAgentConfig } from './read-config.ts'
import { generationsOf, readState, savedPlace, withFile } from './saved-state.ts'
import type { StateFlags } from './state-place.ts'

export type CheckFlags = StateFlags

type Checked =
  | { readonly state: 'sent'; readonly bytes: number }
  | { readonly state: 'unsent'; readonly bytes: number }
  | { readonly state: 'unknown' | 'missing' }

export async function runCheck(session: Session, flags: CheckFlags, words: Words): Promise<Outcome> {
  const folder = savedPlace(session, flags)
  const store = await readState(folder)
  const flows = configuredFlows(session)
  const checked = listAt(words, 0).map(given => {
    const path = resolve(session.host.cwd, given)
    return { path: given, ...(withFile(path, file => checkedOf(store, flows, file)) ?? { state: 'missing' as const }) }
  })
  const isJson = session.flags.json === true
  for (const each of checked) {
    await session.host.stdout.write(isJson ? `${JSON.stringify({ type: 'file', ...each })}\n` : `${lineOf(each)}\n`)
  }
  const sent = checked.filter(({ state }) => state === 'sent').length
  return { exit: sent === checked.length ? 0 : 1, summary: { files: checked.length, sent } }
}

/** A flow that the config has no more will never send the rest: it must not hold a file for ever. */
function configuredFlows({ flags: { config } }: Session): ReadonlySet<string> | undefined {
  if (config === undefined) return undefined
  return new Set(readAgentConfig(config).config.flows.map(({ settings }) => settings.id))
}

/** Of several flows that follow one file the slowest counts. Without `flows` all of the state do. */
function checkedOf(store: StateStore, flows: ReadonlySet<string> | undefined, file: FoundFile): Checked {
  const known = generationsOf(store, file).filter(
    generation => (flows?.has(generation.flow) ?? true) && verdictOf(generation, file) === 'same'
  )
  if (known.length === 0) return { state: 'unknown' }
  const unsentBytes = Math.max(...known.map(({ acked, isEnded }) => (isEnded === true ? 0 : file.size - acked)))
  return unsentBytes > 0 ? { state: 'unsent', bytes: unsentBytes } : { state: 'sent', bytes: file.size }
}

function lineOf(each: Checked & { readonly path: string }): string {
  const { path, state } = each
  if (state === 'sent') return `sent     ${path}  ${each.bytes} bytes`
  if (state === 'unsent') return `unsent   ${path}  ${each.bytes} bytes are not acknowledged`
  return state === 'missing'
    ? `missing  ${path}`
    : `unknown  ${path}  no flow follows it, or nothing of it was acknowledged yet`
}

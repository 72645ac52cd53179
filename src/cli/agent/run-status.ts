/**
 * `agent status`: what the state directory says of each file.
 * Invariant: reads only, and needs no lock; a file that is gone or cannot be opened is shown with what is known of it.
 */
import type { Outcome } from '../command.ts'
import { type FoundFile, type Generation, verdictOf } from '../follow/identity.ts'
import { grouped } from '../output/progress.ts'
import type { Session } from '../session.ts'
import { holderNow } from './lock.ts'
import { nodeLockDirectory, nodeProcesses } from './node-lock.ts'
import { readState, savedPlace, withFile } from './saved-state.ts'
import type { StateFlags } from './state-place.ts'

export async function runStatus(session: Session, flags: StateFlags): Promise<Outcome> {
  const { host } = session
  const folder = savedPlace(session, flags)
  const store = await readState(folder)
  const holder = await holderNow({ directory: nodeLockDirectory(folder), processes: nodeProcesses(host) })
  const files = [...store.files.values()].map(generation => {
    const { flow, path, acked, size = 0 } = generation
    const found = fileNow(generation)
    const isUnreadable = found === 'unreadable'
    const now = isUnreadable ? undefined : found
    const bytes = now?.size ?? Math.max(size, acked)
    return {
      flow,
      path,
      acked,
      size: bytes,
      behind: Math.max(0, bytes - acked),
      isGone: now === undefined && !isUnreadable,
      isUnreadable,
      mtimeMs: now?.mtimeMs
    }
  })
  files.sort((a, b) => (a.flow < b.flow ? -1 : a.flow > b.flow ? 1 : a.path < b.path ? -1 : 1))
  for (const { mtimeMs: _, ...file } of files) {
    const { flow, path, acked, size, behind, isGone, isUnreadable } = file
    const remark = isGone ? ', not at this path any more' : isUnreadable ? ', cannot be read now' : ''
    const line =
      session.flags.json === true
        ? JSON.stringify({ type: 'file', ...file })
        : `${flow}  ${path}  ${grouped(acked)} of ${grouped(size)} bytes acknowledged, ${grouped(behind)} behind${remark}`
    await host.stdout.write(`${line}\n`)
  }
  const waiting = files.filter(({ behind }) => behind > 0)
  const oldestMs = Math.min(...waiting.map(({ mtimeMs }) => mtimeMs ?? Number.POSITIVE_INFINITY))
  const oldestUnsentMs = Number.isFinite(oldestMs) ? Math.max(0, Math.round(host.wallMs() - oldestMs)) : 0
  const bytesBehind = waiting.reduce((sum, { behind }) => sum + behind, 0)
  const running = holder === undefined ? 'no agent runs' : `process ${holder.pid} of ${holder.host} runs`
  const summary = {
    state: folder,
    files: files.length,
    filesBehind: waiting.length,
    bytesBehind,
    oldestUnsentMs,
    pid: holder?.pid,
    host: holder?.host
  }
  const text = `${folder}: ${running}; ${grouped(files.length)} files, ${grouped(waiting.length)} behind by ${grouped(bytesBehind)} bytes`
  return { exit: 0, summary, text }
}

/** The state belongs to the agent's user, the files to others: what cannot be opened is shown with what is known of it. */
function fileNow(generation: Generation): FoundFile | 'unreadable' | undefined {
  try {
    return withFile(generation.path, file => (verdictOf(generation, file) === 'same' ? file : undefined))
  } catch (error) {
    if (error instanceof Error && 'code' in error) return 'unreadable'
    throw error
  }
}

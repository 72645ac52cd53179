/**
 * Where the state is kept, and whether that place outlives the machine's next start.
 * Invariant: --state beats KINESIS_PRODUCER_STATE, which beats the config file; a folder that cannot be used ends with 4 and its name.
 */
import { accessSync, constants, mkdirSync, statfsSync } from 'node:fs'
import { homedir, platform, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { STATE_VARIABLE } from '../connection.ts'
import { CliError } from '../errors.ts'
import type { Host } from '../ports.ts'

const NAME = 'kinesis-producer'
/** Emptied when the system starts. */
const EMPTIED = /^(?:\/var\/run|\/run|\/tmp|\/dev\/shm)(?:\/|$)/
const TMPFS = 0x01021994
const NFS = 0x6969
const MODE = 0o700

export interface StateFlags {
  readonly state?: string
}

/** Returns the folder of the state; it need not be there. */
export function statePlace(
  { env, cwd }: Pick<Host, 'env' | 'cwd'>,
  { state }: StateFlags,
  configured?: string
): string {
  const named = state ?? env[STATE_VARIABLE] ?? configured
  if (named !== undefined && named !== '') return resolve(cwd, named)
  const { XDG_STATE_HOME: home, LOCALAPPDATA: local } = env
  if (home !== undefined && home !== '') return join(home, NAME)
  if (platform() === 'win32') return join(local ?? homedir(), NAME)
  if (userInfo().uid === 0) return join('/var/lib', NAME)
  return join(homedir(), '.local/state', NAME)
}

/** Makes the folder if it is not there. Throws CLI_ERR_STATE when it cannot be made or written. */
export function makeStatePlace(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: MODE })
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new CliError('CLI_ERR_STATE', `the state directory ${folder} cannot be used: ${reason}`, {
      fix: 'make it writable for this user, or name another one with --state'
    })
  }
}

/** Returns what speaks against the place, or nothing. */
export function placeWarning(folder: string): string | undefined {
  if (EMPTIED.test(folder))
    return `the state directory ${folder} is emptied when the machine starts; then everything is sent again, or skipped with "from": "end"`
  try {
    const { type } = statfsSync(folder)
    if (type === TMPFS) return `the state directory ${folder} is in memory (tmpfs), and is lost when the machine starts`
    if (type === NFS)
      return `the state directory ${folder} is on a network file system (NFS), which may lose what it has confirmed`
    return undefined
  } catch (error) {
    // Not every system tells; the place itself was tried already.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

/**
 * Reads the state directory without writing to it, for `status`, `check` and `doctor`, while an agent may be writing.
 * Invariant: nothing is written and no lock is taken. The view is at most a second old, and never ahead of the acknowledgements.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { CliError } from '../errors.ts'
import type { FoundFile, Generation } from '../follow/identity.ts'
import { StateStore } from '../follow/state-store.ts'
import type { Session } from '../session.ts'
import { nodeStateDirectory } from './node-state-directory.ts'
import { readAgentConfig } from './read-config.ts'
import { type StateFlags, statePlace } from './state-place.ts'

const MOST_TRIES = 5

/** Returns the folder that the flags, the environment or the config file name. */
export function savedPlace({ host, flags: { config } }: Session, flags: StateFlags): string {
  const configured = config === undefined ? undefined : readAgentConfig(config).config.state
  return statePlace(host, flags, configured)
}

/** Throws CLI_ERR_STATE when there is no state, or none that can be read. */
export async function readState(folder: string): Promise<StateStore> {
  if (!existsSync(folder)) {
    throw new CliError('CLI_ERR_STATE', `there is no state directory ${folder}`, {
      fix: 'name it with --state, or give --config'
    })
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await StateStore.read(nodeStateDirectory(folder))
    } catch (error) {
      if (error instanceof CliError) throw damagedState(folder, error)
      // A writer took a file away between the listing and the reading.
      const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (!isGone || attempt >= MOST_TRIES) throw error
    }
  }
}

/** A state is never repaired in part: the operator chooses what is sent again. */
export function damagedState(folder: string, error: CliError): CliError {
  return new CliError('CLI_ERR_STATE', `${folder}: ${error.message}`, {
    cause: error,
    fix: 'start agent once with --reset start (all files again) or --reset end (what is there now is passed over)'
  })
}

/** Calls `act` with a file as it is now; returns undefined when it is not there or is no file. */
export function withFile<Value>(path: string, act: (file: FoundFile) => Value): Value | undefined {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  }
  try {
    const { dev, ino, size, mtimeMs } = fstatSync(descriptor, { bigint: true })
    return act({
      path,
      device: String(dev),
      inode: String(ino),
      size: Number(size),
      mtimeMs: Number(mtimeMs),
      read(position, length) {
        const bytes = new Uint8Array(Math.max(0, length))
        return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, position))
      }
    })
  } finally {
    closeSync(descriptor)
  }
}

/** Returns the generations with this device and inode, or with this path where the system has no inodes. */
export function generationsOf(store: StateStore, file: FoundFile): readonly Generation[] {
  return [...store.files.values()].filter(({ device, inode, path }) =>
    file.inode === '0' ? path === file.path : inode === file.inode && device === file.device
  )
}

/**
 * The state directory over node:fs.
 * Invariant: a file is synced through the descriptor that wrote it, because another one would not report a failed write; after a failed sync it is closed
 * and never used again.
 */
import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { platform } from 'node:os'
import { join } from 'node:path'
import type { StateDirectory } from '../follow/state-store.ts'

/** Windows cannot sync a directory, and keeps names in its journal. */
const UNSUPPORTED = new Set(['EPERM', 'EISDIR', 'EINVAL', 'EACCES'])

/** Returns the calls on a folder that exists. Errors are those of node:fs. */
export function nodeStateDirectory(folder: string, isWindows = platform() === 'win32'): StateDirectory {
  const written = new Map<string, FileHandle>()
  const at = (name: string) => join(folder, name)
  const writeTo = async (name: string, bytes: Uint8Array, flags: 'w' | 'a') => {
    await written.get(name)?.close()
    written.delete(name)
    const file = await open(at(name), flags)
    written.set(name, file)
    await file.writeFile(bytes)
  }
  return {
    list: () => readdir(folder),
    read: name => readFile(at(name)),
    write: (name, bytes) => writeTo(name, bytes, 'w'),
    append: (name, bytes) => writeTo(name, bytes, 'a'),
    rename: (from, to) => rename(at(from), at(to)),
    remove: name => rm(at(name), { force: true }),
    async syncFile(name) {
      const file = written.get(name) ?? (await open(at(name), 'r+'))
      written.delete(name)
      try {
        await file.sync()
      } finally {
        await file.close()
      }
    },
    async syncDirectory() {
      try {
        const directory = await open(folder, 'r')
        try {
          await directory.sync()
        } finally {
          await directory.close()
        }
      } catch (error) {
        const isUnsupported =
          isWindows && error instanceof Error && 'code' in error && UNSUPPORTED.has(String(error.code))
        if (!isUnsupported) throw error
      }
    }
  }
}

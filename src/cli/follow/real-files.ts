/**
 * The files of this machine, over node:fs.
 * Invariant: nothing here waits for another process. A FIFO is opened without waiting for a writer, and is not read, because `stat` says what it is.
 */
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { glob, isDynamicPattern } from 'tinyglobby'
import { codeOf } from './context.ts'
import type { FileStat, Files, OpenFile } from './ports.ts'

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])
const NANOSECONDS_PER_MS = 1_000_000
/** Absent on Windows. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

export const realFiles: Files = {
  async list(patterns, exclude) {
    const globs = patterns.filter(pattern => isDynamicPattern(pattern))
    // A name without a star is used as it is: a glob would pass over a file that is not regular.
    const names = patterns.filter(pattern => !isDynamicPattern(pattern))
    if (globs.length === 0) return names
    const found = await glob(globs, { ignore: [...exclude], absolute: true, expandDirectories: false })
    return names.length === 0 ? found : [...new Set([...names, ...found])]
  },

  async listFolder(folder) {
    try {
      return (await readdir(folder)).map(name => join(folder, name))
    } catch (error) {
      if (NOT_THERE.has(codeOf(error))) return []
      throw error
    }
  },

  async stat(path) {
    try {
      return statOf(await stat(path, { bigint: true }))
    } catch (error) {
      if (NOT_THERE.has(codeOf(error))) return undefined
      throw error
    }
  },

  async open(path) {
    return openFile(await open(path, OPEN_FLAGS))
  },

  remove: path => rm(path)
}

function openFile(file: FileHandle): OpenFile {
  return {
    stat: async () => statOf(await file.stat({ bigint: true })),
    async read(buffer, position) {
      let count = 0
      while (count < buffer.length) {
        const { bytesRead } = await file.read(buffer, count, buffer.length - count, position + count)
        if (bytesRead === 0) break
        count += bytesRead
      }
      return count
    },
    close: () => file.close()
  }
}

/** Device and inode pass 2^53 on some systems, so they stay text. */
function statOf(stats: BigIntStats): FileStat {
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    device: String(stats.dev),
    inode: String(stats.ino),
    size: Number(stats.size),
    mtimeMs: Number(stats.mtimeNs) / NANOSECONDS_PER_MS,
    linkCount: Number(stats.nlink)
  }
}

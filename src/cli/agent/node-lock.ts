/**
 * The lock's directory and the machine's processes over node:fs.
 * Invariant: a process counts as gone only on its own machine, in the same run of it and in the same pid namespace; in doubt it is `unknown`.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Host } from '../ports.ts'
import type { LockDirectory, Process, ProcessTable } from './lock-ports.ts'

/** Behind the name in brackets, which may hold spaces: field 22 of proc(5) is the 20th. */
const START_TIME_FIELD = 19

export function nodeLockDirectory(folder: string): LockDirectory {
  const at = (name: string) => join(folder, name)
  return {
    create: (name, text) =>
      orWhen(
        'EEXIST',
        async () => {
          const file = await open(at(name), 'wx')
          try {
            await file.writeFile(text)
          } finally {
            await file.close()
          }
          return true
        },
        false
      ),
    read: name => orWhen('ENOENT', () => readFile(at(name), 'utf8'), undefined),
    mtimeMs: name => orWhen('ENOENT', async () => (await stat(at(name))).mtimeMs, undefined),
    async touch(name, text) {
      const file = await open(at(name), 'r+')
      try {
        await file.write(text, 0)
      } finally {
        await file.close()
      }
    },
    async touchProbe(name) {
      const file = await open(at(name), 'w')
      try {
        await file.writeFile('now')
        return (await file.stat()).mtimeMs
      } finally {
        await file.close()
        await rm(at(name), { force: true })
      }
    },
    rename: (from, to) =>
      orWhen(
        'ENOENT',
        async () => {
          await rename(at(from), at(to))
          return true
        },
        false
      ),
    remove: name => rm(at(name), { force: true })
  }
}

export function nodeProcesses({ processes }: Pick<Host, 'processes'>): ProcessTable {
  const self: Process = {
    pid: processes.pid,
    host: hostname(),
    bootId: lineOf('/proc/sys/kernel/random/boot_id'),
    startedAt: startOf(processes.pid),
    space: linkOf('/proc/self/ns/pid')
  }
  return {
    self: () => self,
    stateOf({ pid, host, bootId, startedAt, space }) {
      if (host !== self.host) return 'unknown'
      const isOtherBoot = bootId !== undefined && self.bootId !== undefined && bootId !== self.bootId
      if (isOtherBoot) return 'gone'
      if (space !== self.space) return 'unknown'
      if (!processes.isAlive(pid)) return 'gone'
      const now = startOf(pid)
      if (startedAt === undefined || now === undefined) return 'unknown'
      return startedAt === now ? 'alive' : 'gone'
    }
  }
}

function startOf(pid: number): string | undefined {
  const line = lineOf(`/proc/${pid}/stat`)
  return line?.slice(line.lastIndexOf(')') + 2).split(' ')[START_TIME_FIELD]
}

/** These files are Linux's: elsewhere nothing is known. */
function lineOf(path: string): string | undefined {
  return orNothing(() => readFileSync(path, 'utf8').trim())
}

function linkOf(path: string): string | undefined {
  return orNothing(() => readlinkSync(path))
}

function orNothing(read: () => string): string | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

async function orWhen<Value, Other>(code: string, act: () => Promise<Value>, other: Other): Promise<Value | Other> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === code) return other
    throw error
  }
}

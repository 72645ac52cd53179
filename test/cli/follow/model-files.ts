/**
 * A file system in memory: inodes, hard and symbolic links, open descriptors of deleted files, failures on demand.
 * Invariant: what a descriptor sees is its inode, whatever became of the names.
 */

import type { FileStat, Files, OpenFile } from '../../../src/cli/follow/ports.ts'
import type { Clock } from '../../../src/index.ts'

export interface Inode {
  readonly number: number
  bytes: Buffer
  length: number
  mtimeMs: number
  links: number
  opened: number
  kind: FileStat['kind']
  /** The code with which opening and reading fail. */
  failsWith: string | undefined
  /** Descriptors that were opened before are useless. */
  staleBefore: number
}

/** More calls at one instant are an endless loop. */
const MAX_CALLS_AT_ONCE = 200_000

export class ModelFiles implements Files {
  readonly names = new Map<string, Inode>()
  readonly symlinks = new Map<string, string>()
  readonly #clock: Clock
  #nextInode = 100
  readonly #free: number[] = []
  device = '1'
  reusesInodes = false
  hasInodes = true
  /** Called at each call of a process; a promise that never resolves is a process that is dead. */
  step: (call: string, path: string) => void | Promise<void> = () => {}
  listFailsWith: string | undefined
  maxOpened = 0
  opened = 0
  opens = 0
  calls = 0
  #callsAtMs = 0
  #callsAtInstant = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  // What programs do to files.

  create(path: string, text = '', kind: FileStat['kind'] = 'file'): Inode {
    this.unlink(path)
    const number = this.reusesInodes ? (this.#free.shift() ?? this.#nextInode++) : this.#nextInode++
    const inode: Inode = {
      number,
      bytes: Buffer.alloc(0),
      length: 0,
      mtimeMs: this.#clock.nowMs(),
      links: 1,
      opened: 0,
      kind,
      failsWith: undefined,
      staleBefore: 0
    }
    this.names.set(path, inode)
    this.write(inode, text)
    return inode
  }

  write(inode: Inode, text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    if (bytes.length === 0) return
    if (inode.length + bytes.length > inode.bytes.length) {
      const grown = Buffer.alloc(Math.max(256, (inode.length + bytes.length) * 2))
      inode.bytes.copy(grown, 0, 0, inode.length)
      inode.bytes = grown
    }
    inode.bytes.set(bytes, inode.length)
    inode.length += bytes.length
    inode.mtimeMs = this.#clock.nowMs()
  }

  append(path: string, text: string | Uint8Array): void {
    this.write(this.at(path), text)
  }

  truncate(path: string, length = 0): void {
    const inode = this.at(path)
    inode.bytes = Buffer.from(inode.bytes.subarray(0, Math.min(length, inode.length)))
    inode.length = inode.bytes.length
    inode.mtimeMs = this.#clock.nowMs()
  }

  rename(from: string, to: string): void {
    const inode = this.at(from)
    this.unlink(to)
    this.names.delete(from)
    this.names.set(to, inode)
  }

  copy(from: string, to: string, length?: number): Inode {
    const source = this.at(from)
    return this.writeTo(to, source.bytes.subarray(0, length ?? source.length))
  }

  link(from: string, to: string): void {
    const inode = this.at(from)
    inode.links++
    this.names.set(to, inode)
  }

  unlink(path: string): void {
    this.symlinks.delete(path)
    const inode = this.names.get(path)
    if (inode === undefined) return
    this.names.delete(path)
    inode.links--
    this.#freeIfUnused(inode)
  }

  at(path: string): Inode {
    const inode = this.#find(path)
    if (inode === undefined) throw fault('ENOENT', path)
    return inode
  }

  textOf(path: string): string {
    const { bytes, length } = this.at(path)
    return bytes.subarray(0, length).toString()
  }

  // What the follower does.

  async list(patterns: readonly string[], exclude: readonly string[]): Promise<readonly string[]> {
    await this.#enter('list', '')
    if (this.listFailsWith !== undefined) throw fault(this.listFailsWith, 'list')
    const wanted = patterns.map(regexOf)
    const unwanted = exclude.map(regexOf)
    const is = (path: string) => wanted.some(one => one.test(path)) && !unwanted.some(one => one.test(path))
    return [...this.names.keys(), ...this.symlinks.keys()].filter(is)
  }

  async listFolder(folder: string): Promise<readonly string[]> {
    await this.#enter('listFolder', folder)
    return [...this.names.keys()].filter(
      path => path.startsWith(`${folder}/`) && !path.slice(folder.length + 1).includes('/')
    )
  }

  async stat(path: string): Promise<FileStat | undefined> {
    await this.#enter('stat', path)
    const inode = this.#find(path)
    if (inode === undefined) return undefined
    return this.#statOf(inode)
  }

  async open(path: string): Promise<OpenFile> {
    await this.#enter('open', path)
    const inode = this.at(path)
    if (inode.kind !== 'file') throw new Error(`${path} would be opened, and is a ${inode.kind}`)
    if (inode.failsWith !== undefined) throw fault(inode.failsWith, path)
    const ordinal = ++this.opens
    inode.opened++
    this.maxOpened = Math.max(this.maxOpened, ++this.opened)
    let isOpen = true
    const enter = async (call: string) => {
      await this.#enter(call, path)
      if (!isOpen) throw new Error(`${call} of ${path} after close`)
      if (inode.failsWith !== undefined && call !== 'close') throw fault(inode.failsWith, path)
      if (ordinal <= inode.staleBefore && call !== 'close') throw fault('ESTALE', path)
    }
    return {
      stat: async () => {
        await enter('fstat')
        return this.#statOf(inode)
      },
      read: async (buffer, position) => {
        await enter('read')
        const part = inode.bytes.subarray(
          Math.min(position, inode.length),
          Math.min(inode.length, position + buffer.length)
        )
        buffer.set(part)
        return part.length
      },
      close: async () => {
        await enter('close')
        isOpen = false
        inode.opened--
        this.opened--
        this.#freeIfUnused(inode)
      }
    }
  }

  async remove(path: string): Promise<void> {
    await this.#enter('remove', path)
    this.unlink(path)
  }

  /** The process that had files open is gone. */
  closeAll(): void {
    this.opened = 0
    for (const inode of new Set(this.names.values())) inode.opened = 0
  }

  private writeTo(path: string, bytes: Uint8Array): Inode {
    const inode = this.create(path)
    this.write(inode, bytes)
    return inode
  }

  async #enter(call: string, path: string): Promise<void> {
    this.calls++
    const nowMs = this.#clock.nowMs()
    if (nowMs !== this.#callsAtMs) this.#callsAtInstant = 0
    this.#callsAtMs = nowMs
    if (++this.#callsAtInstant > MAX_CALLS_AT_ONCE) throw new Error(`an endless loop at ${nowMs}: ${call} ${path}`)
    await this.step(call, path)
  }

  #find(path: string): Inode | undefined {
    const target = this.symlinks.get(path)
    return target === undefined ? this.names.get(path) : this.#find(target)
  }

  #statOf(inode: Inode): FileStat {
    const { number, length, kind, mtimeMs, links } = inode
    return {
      kind,
      device: this.hasInodes ? this.device : '0',
      inode: this.hasInodes ? String(number) : '0',
      size: length,
      mtimeMs,
      linkCount: links
    }
  }

  #freeIfUnused(inode: Inode): void {
    if (inode.links <= 0 && inode.opened <= 0 && !this.#free.includes(inode.number)) this.#free.push(inode.number)
  }
}

function regexOf(glob: string): RegExp {
  const text = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*/g, star => (star === '*' ? '[^/]*' : '(?:.*/)?'))
  return new RegExp(`^${text}$`, 's')
}

function fault(code: string, path: string): Error {
  return Object.assign(new Error(`${code} ${path}`), { code })
}

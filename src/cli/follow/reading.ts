/**
 * One quantum of one file: what is there is compared with what was read before, and the next bytes are read.
 * Invariant: bytes are taken only when those before them are still the same. Otherwise the file is a new one, from 0.
 */
import type { Descriptors } from './descriptors.ts'
import { ANCHOR_BYTES } from './identity.ts'
import type { OpenFile } from './ports.ts'
import { keyOf, type Tail } from './tail.ts'

export const QUANTUM_BYTES = 256 * 1024

/** `missing`: the path leads to another file, or to none. `rewritten`: the file has other bytes than those that were read. */
export type Seen = 'read' | 'end' | 'rewritten' | 'missing'

export async function readQuantum(tail: Tail, descriptors: Descriptors, nowMs: () => number): Promise<Seen> {
  const { file, isNew } = await descriptors.opened(tail)
  const stat = await file.stat()
  if (isNew) {
    const isOther = stat.kind !== 'file' || keyOf(tail.path, stat) !== tail.key
    if (isOther) {
      await descriptors.close(tail)
      return 'missing'
    }
    if (!(await isSameContent(tail, file))) return 'rewritten'
  }
  tail.linkCount = stat.linkCount
  if (stat.size < tail.readOffset) return 'rewritten'
  const isUnchanged = stat.size === tail.readOffset && stat.mtimeMs === tail.mtimeMs
  if (isUnchanged) return 'end'
  const check = tail.checkBytes
  const buffer = Buffer.allocUnsafe(check.length + Math.min(QUANTUM_BYTES, stat.size - tail.readOffset))
  const count = buffer.length === 0 ? 0 : await file.read(buffer, tail.readOffset - check.length)
  if (count < check.length || buffer.compare(check, 0, check.length, 0, check.length) !== 0) return 'rewritten'
  tail.mtimeMs = stat.mtimeMs
  tail.size = stat.size
  if (count > check.length) tail.took(buffer.subarray(check.length, count), nowMs())
  return tail.readOffset < stat.size ? 'read' : 'end'
}

/** Reads a part of a file; fewer bytes where the file ends. */
export async function partOf(file: OpenFile, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, length))
  if (buffer.length === 0) return buffer
  return buffer.subarray(0, await file.read(buffer, position))
}

async function isSameContent(tail: Tail, file: OpenFile): Promise<boolean> {
  const prefix = await partOf(file, tail.settings.fingerprintIgnoreBytes, tail.prefix.length)
  if (!prefix.equals(tail.prefix)) return false
  const before = tail.history.before(tail.readOffset, ANCHOR_BYTES)
  return (await partOf(file, tail.readOffset - before.length, before.length)).equals(before)
}

/**
 * Whether a file that lines are appended to ends in the middle of one: a full disk or a kill ended a write there.
 * Invariant: reads one byte at most; a pipe has no last byte.
 */
import { fstatSync, readSync } from 'node:fs'

const NEWLINE = 0x0a

/** `file`: a descriptor that is open for reading, too. */
export function isTorn(file: number): boolean {
  const stat = fstatSync(file)
  if (!stat.isFile() || stat.size === 0) return false
  const last = Buffer.alloc(1)
  return readSync(file, last, 0, 1, stat.size - 1) === 1 && last[0] !== NEWLINE
}

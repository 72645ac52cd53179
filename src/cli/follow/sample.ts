/**
 * The parts of a file by which it is recognised, read once, so that the table of identity can decide without waiting.
 * Invariant: a part that was not read is empty, which matches nothing.
 */
import { type FoundFile, type Generation, PREFIX_BYTES } from './identity.ts'
import type { FileStat, OpenFile } from './ports.ts'
import type { PrefixIndex } from './prefix-index.ts'
import { partOf } from './reading.ts'

export interface Sample {
  readonly found: FoundFile
  /** The generations with the file's first bytes: their anchors were read. */
  readonly alike: readonly Generation[]
}

export interface SampleOptions {
  readonly path: string
  readonly stat: FileStat
  readonly prefixAt: number
  readonly wanted: PrefixIndex
}

export async function sampleOf(file: OpenFile, { path, stat, prefixAt, wanted }: SampleOptions): Promise<Sample> {
  const parts = new Map<number, Uint8Array>()
  const { device, inode, size, mtimeMs } = stat
  const prefix = await partOf(file, prefixAt, PREFIX_BYTES)
  const read = (position: number, length: number) => {
    const isPrefix = position === prefixAt && length <= PREFIX_BYTES
    const bytes = isPrefix ? prefix : parts.get(position)
    return bytes?.subarray(0, length) ?? new Uint8Array(0)
  }
  const found: FoundFile = { path, device, inode, size, mtimeMs, prefixAt, read }
  const alike = wanted.matching(found)
  for (const { acked, anchor } of alike) {
    const position = acked - anchor.length
    const known = parts.get(position)?.length ?? 0
    if (known < anchor.length) parts.set(position, await partOf(file, position, anchor.length))
  }
  return { found, alike }
}

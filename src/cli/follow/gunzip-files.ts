/**
 * Files of which those named `.gz` look as if they were not compressed: sizes, offsets and bytes are the decoded ones.
 * Example: `app.log.1.gz` has the bytes of `app.log.1`, so it is recognised as that file, and is not sent again.
 * Invariant: a file that is still being written has no bytes yet. One that ends too early gives the bytes before its end, with a warning.
 */
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { codeOf } from './context.ts'
import type { FileStat, Files, OpenFile } from './ports.ts'

const GZIP = /\.gz$/
/** `gzip` has ended once its file was quiet for this time. */
const QUIET_MS = 5_000
const CHUNK_BYTES = 64 * 1024
/** Decoded bytes that are kept to be read again: each read begins a little early. */
const KEPT_BYTES = 4 * 1024
const MAX_SIZES = 10_000

interface KnownSize {
  readonly version: string
  readonly size: number
}

export interface GunzipPorts {
  readonly wallMs: () => number
  /** The file is damaged, or ends too early. */
  readonly warn: (path: string, code: string) => void
}

export function gunzipFiles(files: Files, { wallMs, warn }: GunzipPorts): Files {
  /** By device and inode. */
  const sizes = new Map<string, KnownSize>()
  const decoded = async (path: string, stat: FileStat, file: () => Promise<OpenFile>): Promise<FileStat> => {
    const key = `${stat.device}:${stat.inode}:${stat.inode === '0' ? path : ''}`
    const version = `${stat.size} ${stat.mtimeMs}`
    const known = sizes.get(key)
    if (known?.version === version) return { ...stat, size: known.size }
    if (wallMs() - stat.mtimeMs < QUIET_MS) return { ...stat, size: known?.size ?? 0, isBeingWritten: true }
    const opened = await file()
    try {
      const size = await decodedSize(opened, code => warn(path, code))
      sizes.delete(key)
      sizes.set(key, { version, size })
      const [oldest] = sizes.keys()
      if (sizes.size > MAX_SIZES && oldest !== undefined) sizes.delete(oldest)
      return { ...stat, size }
    } finally {
      await opened.close()
    }
  }
  return {
    list: (patterns, exclude) => files.list(patterns, exclude),
    listFolder: folder => files.listFolder(folder),
    remove: path => files.remove(path),
    async stat(path) {
      const stat = await files.stat(path)
      const isPlain = stat === undefined || stat.kind !== 'file' || !GZIP.test(path)
      return isPlain ? stat : decoded(path, stat, () => files.open(path))
    },
    async open(path) {
      const file = await files.open(path)
      if (!GZIP.test(path)) return file
      const keptOpen: OpenFile = {
        stat: () => file.stat(),
        read: (buffer, position) => file.read(buffer, position),
        close: () => Promise.resolve()
      }
      return new GunzipFile(file, async () => decoded(path, await file.stat(), () => Promise.resolve(keptOpen)))
    }
  }
}

class GunzipFile implements OpenFile {
  readonly #file: OpenFile
  readonly stat: () => Promise<FileStat>
  #chunks: AsyncIterator<Buffer> | undefined
  /** Decoded bytes that end at `#endOffset`. */
  #held: Buffer = Buffer.alloc(0)
  #endOffset = 0

  constructor(file: OpenFile, stat: () => Promise<FileStat>) {
    this.#file = file
    this.stat = stat
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (position < this.#endOffset - this.#held.length) this.#begin()
    while (this.#endOffset < position + buffer.length) {
      this.#chunks ??= chunksOf(this.#file)[Symbol.asyncIterator]()
      const chunk = await nextOf(this.#chunks)
      if (chunk === undefined) break
      const startOffset = this.#endOffset - this.#held.length
      const keptFrom = Math.max(0, Math.min(position, this.#endOffset) - KEPT_BYTES - startOffset)
      this.#held = Buffer.concat([this.#held.subarray(keptFrom), chunk])
      this.#endOffset += chunk.length
    }
    const from = position - (this.#endOffset - this.#held.length)
    if (from < 0 || from >= this.#held.length) return 0
    return this.#held.copy(buffer, 0, from)
  }

  async close(): Promise<void> {
    await this.#chunks?.return?.()
    await this.#file.close()
  }

  #begin(): void {
    void this.#chunks?.return?.()
    this.#chunks = undefined
    this.#held = Buffer.alloc(0)
    this.#endOffset = 0
  }
}

function chunksOf(file: OpenFile): AsyncIterable<Buffer> {
  const source = Readable.from(rawChunksOf(file))
  const decoder = createGunzip()
  source.on('error', error => decoder.destroy(error))
  return source.pipe(decoder)
}

async function* rawChunksOf(file: OpenFile): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    const count = await file.read(buffer, position)
    if (count === 0) return
    position += count
    yield buffer.subarray(0, count)
  }
}

/** Bytes behind damage are no bytes of the file. */
async function nextOf(
  chunks: AsyncIterator<Buffer>,
  told: (code: string) => void = () => {}
): Promise<Buffer | undefined> {
  try {
    const { value, done } = await chunks.next()
    return done === true ? undefined : value
  } catch (error) {
    if (!codeOf(error).startsWith('Z_')) throw error
    told(codeOf(error))
    return undefined
  }
}

async function decodedSize(file: OpenFile, told: (code: string) => void): Promise<number> {
  const chunks = chunksOf(file)[Symbol.asyncIterator]()
  let size = 0
  for (let chunk = await nextOf(chunks, told); chunk !== undefined; chunk = await nextOf(chunks, told)) {
    size += chunk.length
  }
  return size
}

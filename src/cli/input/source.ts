/**
 * Where bytes come from: stdin or files, gunzipped where that is wanted.
 * Invariant: stdin is opened only when no file is named, or `-` is; reading stops at the next chunk once `stop` fires; a
 * file that cannot be read ends the command with 4 and its path.
 */
import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'

const PIECE_BYTES = 262_144

export interface Source {
  /** undefined: stdin. */
  readonly path: string | undefined
  readonly chunks: AsyncIterable<Uint8Array>
}

/** Gives the inputs in their order, each opened when the one before it has ended. */
export function* sourcesOf(
  session: Session,
  files: readonly string[],
  gunzip: boolean,
  stop: AbortSignal = session.stop
): Generator<Source> {
  for (const path of files.length === 0 ? ['-'] : files) {
    if (stop.aborted) return
    yield path === '-' ? stdinSource(session, gunzip, stop) : { path, chunks: fileChunks(stop, path, gunzip) }
  }
}

function stdinSource(session: Session, gunzip: boolean, stop: AbortSignal): Source {
  const stdin = session.host.stdin()
  if (stdin.isTTY === true) void session.note('reading from the terminal; end with Ctrl+D')
  return { path: undefined, chunks: untilStopped(stop, gunzip ? gunzipped(stdin) : stdin, 'stdin') }
}

async function* fileChunks(stop: AbortSignal, path: string, gunzip: boolean): AsyncGenerator<Uint8Array> {
  const isPacked = gunzip || (await isGzip(path))
  const stream = createReadStream(path, { highWaterMark: PIECE_BYTES })
  yield* untilStopped(stop, isPacked ? gunzipped(stream) : stream, path)
}

async function isGzip(path: string): Promise<boolean> {
  try {
    for await (const chunk of createReadStream(path, { start: 0, end: 1 }))
      return chunk[0] === 0x1f && chunk[1] === 0x8b
    return false
  } catch (error) {
    throw unreadable(path, error)
  }
}

function gunzipped(stream: Readable): Readable {
  // A fault of either is thrown where the output is read.
  return pipeline(stream, createGunzip(), () => {})
}

async function* untilStopped(stop: AbortSignal, stream: Readable, name: string): AsyncGenerator<Uint8Array> {
  const end = () => void stream.destroy()
  stop.addEventListener('abort', end, { once: true })
  try {
    if (!stop.aborted) yield* stream
  } catch (error) {
    // An input that the command cut off because it wants no more is not a fault.
    if (!stop.aborted) throw unreadable(name, error)
  } finally {
    stop.removeEventListener('abort', end)
    stream.destroy()
  }
}

function unreadable(name: string, error: unknown): CliError {
  const reason = error instanceof Error ? ('code' in error ? String(error.code) : error.message) : 'unknown'
  return new CliError('CLI_ERR_INPUT', `${name} cannot be read: ${reason}`)
}

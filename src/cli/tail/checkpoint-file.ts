/**
 * Where a `tail` goes on: the reader's position in a file.
 * Invariant: the file is whole at every moment (written beside, synchronised, renamed); a place is saved only after stdout
 * took the lines before it, so a crash repeats and never skips.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import type { StreamPosition } from '../../reader/read-stream.ts'
import { CliError } from '../errors.ts'
import { jsonValue } from '../input/json-text.ts'

/** Returns the saved position, or undefined when there is no file yet. Throws CLI_ERR_STATE for a damaged one. */
export function readCheckpoint(path: string, stream: string): StreamPosition | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const saved = parsed(text)
  if (saved === undefined)
    throw new CliError('CLI_ERR_STATE', `the checkpoint ${path} is damaged`, { fix: 'delete it to start at --from' })
  if (saved.stream === stream) return saved.position
  throw new CliError('CLI_ERR_STATE', `the checkpoint ${path} is of another stream`, { fix: 'give each stream a file' })
}

export function writeCheckpoint(path: string, stream: string, position: StreamPosition): void {
  try {
    const beside = `${path}.tmp`
    const file = openSync(beside, 'w')
    writeSync(file, `${JSON.stringify({ stream, position })}\n`)
    fsyncSync(file)
    closeSync(file)
    renameSync(beside, path)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new CliError('CLI_ERR_OUTPUT', `the checkpoint ${path} cannot be written: ${reason}`)
  }
}

function parsed(text: string): { readonly stream: string; readonly position: StreamPosition } | undefined {
  const value = jsonValue(text)
  if (!(value instanceof Object && 'stream' in value && 'position' in value)) return undefined
  const { stream, position } = value
  const isPosition = position instanceof Object && 'shards' in position && position.shards instanceof Object
  // The reader checks each place itself.
  return typeof stream === 'string' && isPosition ? { stream, position: position as StreamPosition } : undefined
}

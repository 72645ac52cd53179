/**
 * The bytes of the state: a snapshot of two lines, and a journal of one line for each change, each with its CRC-32.
 * Example of a journal line: `3d1f0a22 {"t":"forget","id":"a1"}`.
 * Invariant: a decoder gives only what its CRC vouches for. A damaged journal line ends that journal: later positions are lost, so records repeat.
 */
import { crc32 } from 'node:zlib'
import type { Generation, Mark } from './identity.ts'

const VERSION = 1
const CRC_DIGITS = 8

/** A flow has started: its first offsets are settled, so `from: end` is never applied again. */
export interface StartedFlow {
  readonly id: string
  readonly startedAtMs: number
}

export interface Snapshot {
  readonly sequence: number
  readonly flows: readonly StartedFlow[]
  readonly files: readonly Generation[]
}

export type Change =
  | { readonly t: 'file'; readonly file: Generation }
  | { readonly t: 'acked'; readonly id: string; readonly acked: number; readonly anchor: Mark }
  | { readonly t: 'forget'; readonly id: string }

export type DecodedSnapshot =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'newer' }

export function snapshotBytes(snapshot: Snapshot): Uint8Array {
  const text = JSON.stringify({ version: VERSION, ...snapshot })
  return Buffer.from(`${text}\ncrc32 ${crcOf(text)}\n`)
}

export function decodeSnapshot(bytes: Uint8Array): DecodedSnapshot {
  const [text = '', check = ''] = Buffer.from(bytes).toString().split('\n')
  if (check !== `crc32 ${crcOf(text)}`) return { kind: 'damaged' }
  const value: { version: number } & Snapshot = JSON.parse(text)
  if (value.version > VERSION) return { kind: 'newer' }
  return { kind: 'snapshot', snapshot: { sequence: value.sequence, flows: value.flows, files: value.files } }
}

export function journalBytes(changes: readonly Change[]): Uint8Array {
  const lines = changes.map(change => {
    const text = JSON.stringify(change)
    return `${crcOf(text)} ${text}\n`
  })
  return Buffer.from(lines.join(''))
}

/** Returns the changes up to the first line that is torn or damaged. */
export function decodeJournal(bytes: Uint8Array): { readonly changes: Change[]; readonly isWhole: boolean } {
  const lines = Buffer.from(bytes).toString().split('\n')
  const torn = lines.pop()
  const changes: Change[] = []
  for (const line of lines) {
    const text = line.slice(CRC_DIGITS + 1)
    if (line.slice(0, CRC_DIGITS + 1) !== `${crcOf(text)} `) return { changes, isWhole: false }
    changes.push(JSON.parse(text))
  }
  return { changes, isWhole: torn === '' }
}

function crcOf(text: string): string {
  return crc32(text).toString(16).padStart(CRC_DIGITS, '0')
}

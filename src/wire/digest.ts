/**
 * MD5 of any bytes, for the digest of an envelope and for hash keys: node:crypto's, or plain JavaScript where the host
 * refuses MD5 (FIPS). The format and the service ask for MD5; nothing here depends on it being hard to invert.
 * Invariant: both ways give the same digest, so a record has the same bytes and the same shard on every host.
 * Source of the plain way: RFC 1321. Twin: node:crypto, in the tests.
 */
import { hash } from 'node:crypto'
import {
  BLOCK_BYTES,
  END_MARK,
  INITIAL_STATE,
  LENGTH_BYTES,
  rotationOfStep,
  STEP_COUNT,
  STEPS,
  WORD_BYTES,
  wordOfStep
} from './md5-table.ts'

/** Set once the host has refused: asking again for every record would cost an exception each. */
let isRefused = false

/** Returns the MD5 of `input` (a string counts as its UTF-8 bytes) as 16 characters of one byte each, or as 32 hex digits. */
export function md5(input: string | Uint8Array, encoding: 'binary' | 'hex'): string {
  if (!isRefused) {
    try {
      return hash('md5', input, encoding)
    } catch {
      // Not swallowed: a host that refuses MD5 is what the other way is for.
      isRefused = true
    }
  }
  return Buffer.from(plainMd5(typeof input === 'string' ? Buffer.from(input) : input)).toString(encoding)
}

/** Whether node:crypto was asked and refused. */
export function isMd5Refused(): boolean {
  return isRefused
}

/** Returns the 16 bytes of the MD5 without node:crypto. */
export function plainMd5(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const padded = new Uint8Array(Math.ceil((length + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES)
  padded.set(bytes)
  padded[length] = END_MARK
  const view = new DataView(padded.buffer)
  view.setBigUint64(padded.length - LENGTH_BYTES, BigInt(length) * 8n, true)
  const state = new Int32Array(INITIAL_STATE)
  for (let blockAt = 0; blockAt < padded.length; blockAt += BLOCK_BYTES) mixBlock(state, view, blockAt)
  for (let i = 0; i < state.length; i++) view.setInt32(i * WORD_BYTES, state[i]!, true)
  return padded.subarray(0, state.byteLength)
}

function mixBlock(state: Int32Array, view: DataView, blockAt: number): void {
  let [a, b, c, d] = state as Iterable<number> as [number, number, number, number]
  for (let i = 0; i < STEP_COUNT; i++) {
    const mixed = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][i >> 4]!
    const sum = (a + mixed + STEPS[i]! + view.getInt32(blockAt + wordOfStep(i) * WORD_BYTES, true)) | 0
    const rotation = rotationOfStep(i)
    a = d
    d = c
    c = b
    b = (b + ((sum << rotation) | (sum >>> (32 - rotation)))) | 0
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
}

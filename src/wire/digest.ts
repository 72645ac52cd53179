/**
 * MD5 of any bytes, for the digest of an envelope and for hash keys: node:crypto's, or plain JavaScript where the host
 * refuses MD5 (FIPS). The format and the service ask for MD5; nothing here depends on it being hard to invert.
 * Invariant: both ways give the same digest, so a record has the same bytes and the same shard on every host.
 * Source of the plain way: RFC 1321. Twin: node:crypto, in the tests.
 */
import { hash } from 'node:crypto'

const BLOCK_BYTES = 64
const BLOCK_WORDS = 16
const WORD_BYTES = 4
const LENGTH_BYTES = 8
const END_MARK = 0x80
/** T[i] of the RFC: floor(2^32 |sin i|), as signed words. */
export const STEPS: Int32Array = Int32Array.from(
  { length: 64 },
  (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0
)
/** Rotations: four in turn for each of the four rounds. */
export const ROTATIONS: readonly number[] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

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

/** Returns the 16 bytes of the MD5 without node:crypto. */
export function plainMd5(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const padded = new Uint8Array(Math.ceil((length + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES)
  padded.set(bytes)
  padded[length] = END_MARK
  const view = new DataView(padded.buffer)
  view.setBigUint64(padded.length - LENGTH_BYTES, BigInt(length) * 8n, true)
  const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476])
  for (let blockAt = 0; blockAt < padded.length; blockAt += BLOCK_BYTES) mixBlock(state, view, blockAt)
  for (let i = 0; i < state.length; i++) view.setInt32(i * WORD_BYTES, state[i]!, true)
  return padded.subarray(0, state.byteLength)
}

function mixBlock(state: Int32Array, view: DataView, blockAt: number): void {
  let [a, b, c, d] = state as Iterable<number> as [number, number, number, number]
  for (let i = 0; i < STEPS.length; i++) {
    const round = i >> 4
    const mixed = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round]!
    const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round]! % BLOCK_WORDS
    const sum = (a + mixed + STEPS[i]! + view.getInt32(blockAt + word * WORD_BYTES, true)) | 0
    const rotation = ROTATIONS[round * 4 + (i % 4)]!
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

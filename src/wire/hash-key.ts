/**
 * The 128-bit hash key that decides a record's shard: MD5 of the partition key's UTF-8 bytes, big-endian, unsigned;
 * or the explicit hash key, a decimal number. Held as four unsigned 32-bit words, most significant first, because
 * comparing a bigint costs more than hashing the key did.
 * Invariant: the words of a key are the same whichever way the key was given (text, bytes, bigint, decimal).
 * Source: Kinesis API reference, PutRecord, PartitionKey and ExplicitHashKey, 2026-11.
 */
import { md5 } from './digest.ts'

/** Words of one hash key. */
export const HASH_KEY_WORDS = 4

/** 2^128 - 1, the greatest hash key. */
export const MAX_HASH_KEY: bigint = (1n << 128n) - 1n

/** A shard's hash keys, both ends inclusive. */
export interface HashRange {
  readonly start: bigint
  readonly end: bigint
}

const MAX_DECIMAL_DIGITS = 39
const CANONICAL_DECIMAL = /^(?:0|[1-9][0-9]{0,38})$/

/**
 * Writes the hash key of `partitionKey` (its UTF-8 bytes; a string is encoded) to `words` at `at`.
 * The digest is read as text because a Buffer a key costs three times that. Short texts: `md5.ts` is faster.
 */
export function hashPartitionKey(partitionKey: string | Uint8Array, words: Uint32Array, at: number = 0): void {
  const digest = md5(partitionKey, 'binary')
  for (let i = 0; i < HASH_KEY_WORDS; i++) {
    words[at + i] =
      (digest.charCodeAt(i * 4) << 24) |
      (digest.charCodeAt(i * 4 + 1) << 16) |
      (digest.charCodeAt(i * 4 + 2) << 8) |
      digest.charCodeAt(i * 4 + 3)
  }
}

/** Writes `value`, 0 to 2^128 - 1, to `words` at `at`. */
export function writeHashKey(value: bigint, words: Uint32Array, at: number = 0): void {
  words[at] = Number(value >> 96n)
  words[at + 1] = Number((value >> 64n) & 0xffffffffn)
  words[at + 2] = Number((value >> 32n) & 0xffffffffn)
  words[at + 3] = Number(value & 0xffffffffn)
}

/** Returns the hash key at `at` as a bigint. */
export function readHashKey(words: Uint32Array, at: number = 0): bigint {
  const high = (BigInt(words[at]!) << 32n) | BigInt(words[at + 1]!)
  const low = (BigInt(words[at + 2]!) << 32n) | BigInt(words[at + 3]!)
  return (high << 64n) | low
}

/** Returns a negative number, 0 or a positive one as the key at `leftAt` is below, equal to or above that at `rightAt`. */
export function compareHashKeys(left: Uint32Array, leftAt: number, right: Uint32Array, rightAt: number): number {
  for (let i = 0; i < HASH_KEY_WORDS; i++) {
    const difference = left[leftAt + i]! - right[rightAt + i]!
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * Returns what is wrong with an explicit hash key as a sentence's end, or undefined when it is a bigint or plain
 * decimal text (no sign, no leading zero) from 0 to 2^128 - 1. Linear in the text, and stops at 39 digits.
 */
export function explicitHashKeyFault(value: unknown): string | undefined {
  if (typeof value === 'bigint') {
    return value >= 0n && value <= MAX_HASH_KEY ? undefined : 'must be from 0 to 2^128 - 1, got a bigint outside of it'
  }
  if (typeof value !== 'string')
    return `must be a bigint or decimal text, got ${value === null ? 'null' : typeof value}`
  if (value.length > MAX_DECIMAL_DIGITS) {
    return `must be from 0 to 2^128 - 1 (at most ${MAX_DECIMAL_DIGITS} digits), got ${value.length} characters`
  }
  if (!CANONICAL_DECIMAL.test(value)) return 'must be plain decimal digits without sign, spaces or leading zeros'
  return BigInt(value) <= MAX_HASH_KEY ? undefined : 'must be from 0 to 2^128 - 1, got a greater number'
}

/**
 * The tag by which the copies of one user record are known, for every member that one producer writes.
 *
 *   tag   := 22 len 0A 05 "kp:id" 12 len value
 *   value := producer "." digits      producer: 11 characters; digits: the record's number in base 36
 *
 * An extension of ours: the KPL writes no tags, and the KCL passes over them (grammar: `format.ts`).
 * Invariant: `bytesOf` is exactly what `write` writes, at most `MAX_DEDUPE_TAG_BYTES`; equal numbers give equal bytes.
 */
import { DEDUPE_TAG_HEAD, MAX_DEDUPE_DIGITS, PRODUCER_ID_LENGTH, TAG_RECORD_TAG } from './format.ts'

const BASE = 36
const DIGIT_0 = 0x30
const LETTER_A = 0x61
const DECIMAL_DIGITS = 10
/** Where the value's length stands: after the field's own tag and length, and the head. */
const VALUE_LENGTH_AT: number = 2 + DEDUPE_TAG_HEAD.length
/** All but the digits: up to that length, and producer and dot. */
const START_BYTES: number = VALUE_LENGTH_AT + 1 + PRODUCER_ID_LENGTH + 1
export const MAX_DEDUPE_TAG_BYTES: number = START_BYTES + MAX_DEDUPE_DIGITS

/** Writes the tags of one producer. Numbers are from 0 to 2^53 - 1. */
export class DedupeTag {
  /** All but the digits; the two lengths are set for each number. */
  readonly #start: Uint8Array

  /** `producerId`: 11 characters of ASCII. */
  constructor(producerId: string) {
    this.#start = Uint8Array.of(TAG_RECORD_TAG, 0, ...DEDUPE_TAG_HEAD, 0, ...Buffer.from(`${producerId}.`))
    if (this.#start.length !== START_BYTES) throw new RangeError('a producer id has 11 characters of ASCII')
  }

  bytesOf(number: number): number {
    let digits = 1
    for (let limit = BASE; digits < MAX_DEDUPE_DIGITS && number >= limit; limit *= BASE) digits++
    return START_BYTES + digits
  }

  /** Writes the tag of `number` at `offset`; returns where it ends. */
  write(target: Uint8Array, offset: number, number: number): number {
    const start = this.#start
    const end = offset + this.bytesOf(number)
    for (let i = 0; i < START_BYTES; i++) target[offset + i] = start[i]!
    // Both lengths count what follows them, and are below 128.
    target[offset + 1] = end - (offset + 2)
    target[offset + VALUE_LENGTH_AT] = end - (offset + VALUE_LENGTH_AT + 1)
    let rest = number
    for (let at = end - 1; at >= offset + START_BYTES; at--) {
      const digit = rest % BASE
      target[at] = digit < DECIMAL_DIGITS ? DIGIT_0 + digit : LETTER_A + digit - DECIMAL_DIGITS
      rest = (rest - digit) / BASE
    }
    return end
  }
}

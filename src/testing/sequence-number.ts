/**
 * Sequence numbers: 56 decimal digits, a fixed head and a counter of the whole fake.
 * Invariant: all have the same length, so comparing their text compares the numbers; a later one is always greater,
 * also across shards and after a reshard, since one counter serves every stream.
 */

const HEAD = `4966${'0'.repeat(36)}`
const COUNTER_DIGITS = 16
const SEQUENCE_NUMBER = /^4966(?:0{36})([0-9]{16})$/

/** Returns the sequence number for the `ordinal`-th event of the fake, 0 to 2^53 - 1. */
export function sequenceNumberText(ordinal: number): string {
  return HEAD + String(ordinal).padStart(COUNTER_DIGITS, '0')
}

/** Returns what `sequenceNumberText` was given, or undefined for text it never made. */
export function sequenceOrdinal(sequenceNumber: string): number | undefined {
  const digits = SEQUENCE_NUMBER.exec(sequenceNumber)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/**
 * Places in a shard down to the user record, ordered and printed.
 * Invariant: the order is the KCL's (ExtendedSequenceNumber, 3.x): first the sequence number as a number, then the
 * sub-sequence number; AT_TIMESTAMP, TRIM_HORIZON and LATEST come before every number, in that order, SHARD_END after.
 */

/** A place in a shard. `sequenceNumber` is decimal text or one of the KCL's four words; no sub-sequence number is 0. */
export interface ExtendedSequenceNumber {
  readonly sequenceNumber: string
  readonly subSequenceNumber?: number | undefined
}

/** In order; the numbers stand before the last one. */
const WORDS = ['AT_TIMESTAMP', 'TRIM_HORIZON', 'LATEST', 'SHARD_END']
/** Above every sequence number: those have 56 digits, and text of more than 128 is refused. */
const SHARD_END = 10n ** 128n

/**
 * Returns a negative number, 0 or a positive one as `left` is before, at or after `right`: fit for `sort`.
 * Throws a SyntaxError for a sequence number that is neither decimal text nor one of the four words.
 */
export function compareSequenceNumbers(left: ExtendedSequenceNumber, right: ExtendedSequenceNumber): number {
  const leftValue = asNumber(left.sequenceNumber)
  const rightValue = asNumber(right.sequenceNumber)
  if (leftValue !== rightValue) return leftValue < rightValue ? -1 : 1
  return (left.subSequenceNumber ?? 0) - (right.subSequenceNumber ?? 0)
}

/** Returns `sequenceNumber:subSequenceNumber`, which `parseSequenceNumber` reads back. */
export function formatSequenceNumber(place: ExtendedSequenceNumber): string {
  return `${place.sequenceNumber}:${place.subSequenceNumber ?? 0}`
}

/**
 * Returns the place that `formatSequenceNumber` printed; a bare sequence number has sub-sequence number 0. Throws a SyntaxError
 * for a sub-sequence number that is none: every comparison with it would be false, and a reader would skip all records.
 */
export function parseSequenceNumber(text: string): { sequenceNumber: string; subSequenceNumber: number } {
  const parts = /^([^:]*)(?::(\d{1,15}))?$/.exec(text)
  if (parts === null) throw new SyntaxError(`not a place in a shard: ${text.slice(0, 64)}`)
  return { sequenceNumber: parts[1]!, subSequenceNumber: Number(parts[2] ?? 0) }
}

function asNumber(sequenceNumber: string): bigint {
  const word = WORDS.indexOf(sequenceNumber)
  if (word === WORDS.length - 1) return SHARD_END
  if (word >= 0) return BigInt(word - WORDS.length)
  if (!/^\d{1,128}$/.test(sequenceNumber))
    throw new SyntaxError(`not a sequence number: ${String(sequenceNumber).slice(0, 64)}`)
  return BigInt(sequenceNumber)
}

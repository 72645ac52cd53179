/**
 * Places in a shard down to the user record, ordered and printed.
 * Invariant: the order is the KCL's (ExtendedSequenceNumber, 3.x): first the sequence number as a number, then the
 * sub-sequence number; AT_TIMESTAMP, TRIM_HORIZON and LATEST come before every number, in that order, SHARD_END after.
 */
import { ConsumerError, invalidInput } from './consumer-error.ts'

/** A place in a shard. `sequenceNumber` is decimal text or one of the KCL's four words; no sub-sequence number is 0. */
export interface ExtendedSequenceNumber {
  /** Decimal text, or one of `TRIM_HORIZON`, `LATEST`, `AT_TIMESTAMP` and `SHARD_END`. */
  readonly sequenceNumber: string
  /** The place in the aggregate, from 0. Default: 0. */
  readonly subSequenceNumber?: number | undefined
}

const MUST = 'decimal digits or a word of the KCL'
/** In order; the numbers stand before the last one. */
const WORDS = ['AT_TIMESTAMP', 'TRIM_HORIZON', 'LATEST', 'SHARD_END']
/** Above every sequence number: those have 56 digits, and text of more than 128 is refused. */
const SHARD_END = 10n ** 128n

/**
 * Returns a negative number, 0 or a positive one as `left` is before, at or after `right`: fit for `sort`.
 * Throws KPL_ERR_INVALID_INPUT for a value that is not a place: a comparison with it would have no answer, and records would be passed over.
 *
 * @example
 * const places = [{ sequenceNumber: '10', subSequenceNumber: 1 }, { sequenceNumber: '9' }]
 * places.sort(compareSequenceNumbers)[0] // => { sequenceNumber: '9' }
 */
export function compareSequenceNumbers(left: ExtendedSequenceNumber, right: ExtendedSequenceNumber): number {
  const leftPlace = placeOf(left)
  const rightPlace = placeOf(right)
  if (leftPlace.value !== rightPlace.value) return leftPlace.value < rightPlace.value ? -1 : 1
  return leftPlace.subSequenceNumber - rightPlace.subSequenceNumber
}

/**
 * Returns `sequenceNumber:subSequenceNumber`, which `parseSequenceNumber` reads back. Throws KPL_ERR_INVALID_INPUT.
 *
 * @example
 * formatSequenceNumber({ sequenceNumber: '10', subSequenceNumber: 1 }) // => '10:1'
 */
export function formatSequenceNumber(place: ExtendedSequenceNumber): string {
  return `${place?.sequenceNumber}:${placeOf(place).subSequenceNumber}`
}

/**
 * Returns the place that `formatSequenceNumber` printed; a bare sequence number has sub-sequence number 0. Throws
 * KPL_ERR_INVALID_INPUT.
 *
 * @example
 * parseSequenceNumber('10:1') // => { sequenceNumber: '10', subSequenceNumber: 1 }
 */
export function parseSequenceNumber(text: string): {
  /** Decimal text, or a word of the KCL. */
  sequenceNumber: string
  /** The place in the aggregate, from 0. */
  subSequenceNumber: number
} {
  if (typeof text !== 'string') throw invalidInput('place', 'text', text)
  const [, sequenceNumber = '', sub = '0'] = /^([^:]*)(?::(\d{1,15}))?$/.exec(text) ?? []
  const place = { sequenceNumber, subSequenceNumber: Number(sub) }
  placeOf(place)
  return place
}

/** A place whose sequence number is comparable. */
interface Place {
  readonly value: bigint
  readonly subSequenceNumber: number
}

function placeOf(place: ExtendedSequenceNumber): Place {
  const { sequenceNumber, subSequenceNumber = 0 } = Object(place) as Partial<ExtendedSequenceNumber>
  if (!Number.isSafeInteger(subSequenceNumber) || subSequenceNumber < 0) {
    throw invalidInput('subSequenceNumber', 'a whole number from 0', subSequenceNumber)
  }
  return { value: numericValue(sequenceNumber), subSequenceNumber }
}

function numericValue(sequenceNumber: unknown): bigint {
  if (typeof sequenceNumber !== 'string') throw invalidInput('sequenceNumber', MUST, sequenceNumber)
  const word = WORDS.indexOf(sequenceNumber)
  if (word === WORDS.length - 1) return SHARD_END
  if (word >= 0) return BigInt(word - WORDS.length)
  if (/^\d{1,128}$/.test(sequenceNumber)) return BigInt(sequenceNumber)
  throw new ConsumerError('KPL_ERR_INVALID_INPUT', `sequenceNumber must be ${MUST}, got text that is neither`)
}

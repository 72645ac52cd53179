/**
 * Tells where the user records of an aggregate belong, by their hash keys.
 * Invariant: a hash key is that of the key's raw bytes or of the explicit hash key, never of decoded text; a table entry
 * is hashed or parsed once, however many members point to it, so the work is linear in the envelope.
 * Hash keys are 32 hexadecimal digits here: they order as text the way they order as numbers.
 */
import { md5 } from '../../wire/digest.ts'
import type { EnvelopeReader } from '../../wire/envelope-reader.ts'
import type { OptionRule } from './given-options.ts'

/** A shard's hash keys, both ends included, as decimal text or bigint; or the SDK's `Shard.HashKeyRange` as it is. */
export type ShardRange =
  | {
      /** The first hash key of the shard. */
      readonly startingHashKey: string | bigint
      /** The last hash key of the shard. */
      readonly endingHashKey: string | bigint
    }
  | {
      /** The first hash key of the shard. */
      readonly StartingHashKey: string | undefined
      /** The last hash key of the shard. */
      readonly EndingHashKey: string | undefined
    }

/**
 * `outside`: another shard's. `nowhere`: a number, but not from 0 to 2^128 - 1, so no shard's.
 * `unknown`: an explicit hash key that is not a number.
 */
export type Place = 'inside' | 'outside' | 'nowhere' | 'unknown'

const MAX_HASH_KEY = 2n ** 128n - 1n
const ALL: ShardRange = { startingHashKey: 0n, endingHashKey: MAX_HASH_KEY }
const HEX_DIGITS = 32
const MAX_DECIMAL_DIGITS = 39

/** The rule of the option `shardRange`. A range whose end comes first holds no key: it would drop every user record. */
export const SHARD_RANGE: OptionRule = {
  must: 'two hash keys, the smaller one first, as decimal text or bigint',
  isMet: isRange
}

/** The places of one envelope's members with respect to one shard. */
export class RangeFilter {
  readonly #start: string
  readonly #end: string
  readonly #reader: EnvelopeReader
  // Without a prototype that could be asked for places that are not there yet.
  readonly #byKey: Place[] = Object.setPrototypeOf([], null)
  readonly #byHashKey: Place[] = Object.setPrototypeOf([], null)

  /** No range means all hash keys; one that is given meets SHARD_RANGE. */
  constructor(reader: EnvelopeReader, range: ShardRange = ALL) {
    const { start, end } = boundsOf(range)
    this.#start = hex(start)
    this.#end = hex(end)
    this.#reader = reader
  }

  /** The place of the member the reader's cursor is on. */
  place(): Place {
    const { keys, hashKeys } = this.#reader
    const decimal = hashKeys.text()
    return decimal === undefined
      ? (this.#byKey[keys.index] ??= this.#placeOf(md5(keys.bytes(), 'hex')))
      : (this.#byHashKey[hashKeys.index] ??= this.#placeOf(decimalToHex(decimal)))
  }

  #placeOf(hashKey: string | undefined): Place {
    if (hashKey === undefined) return 'unknown'
    if (hashKey.length !== HEX_DIGITS) return 'nowhere'
    return hashKey >= this.#start && hashKey <= this.#end ? 'inside' : 'outside'
  }
}

/**
 * Reads decimal text as Java's BigInteger does: a sign and leading zeros are fine. Undefined when it is no number.
 * Linear in the text: more digits than a hash key can have are never converted.
 */
function decimalToHex(text: string): string | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  const digits = text.replace(/^[+-]?0*/, '')
  const isNegative = digits !== '' && text.startsWith('-')
  return isNegative || digits.length > MAX_DECIMAL_DIGITS ? '' : hex(digits)
}

function isRange(range: unknown): boolean {
  const { start, end } = boundsOf(Object(range))
  return isHashKey(start) && isHashKey(end) && BigInt(start) <= BigInt(end) && BigInt(end) <= MAX_HASH_KEY
}

function isHashKey(value: unknown): value is string | bigint {
  return typeof value === 'bigint' ? value >= 0n : typeof value === 'string' && /^\d{1,64}$/.test(value)
}

/** Either shape; the SDK's types allow undefined. */
function boundsOf(range: ShardRange): { readonly start: string | bigint; readonly end: string | bigint } {
  const { startingHashKey, StartingHashKey, endingHashKey, EndingHashKey } = range as Readonly<Record<string, string>>
  return { start: (startingHashKey ?? StartingHashKey)!, end: (endingHashKey ?? EndingHashKey)! }
}

/** As 32 digits; more when it takes more. */
function hex(hashKey: string | bigint): string {
  return BigInt(hashKey).toString(16).padStart(HEX_DIGITS, '0')
}

/**
 * Tells where the user records of an aggregate belong, by their hash keys.
 * Invariant: a hash key is that of the key's raw bytes or of the explicit hash key, never of decoded text; a table entry
 * is hashed or parsed once, however many members point to it, so the work is linear in the envelope.
 * Hash keys are 32 hexadecimal digits here: they order as text the way they order as numbers.
 */
import { md5 } from '../../wire/digest.ts'
import type { EnvelopeReader } from '../../wire/envelope-reader.ts'
import { invalidInput } from './consumer-error.ts'

/** A shard's hash keys, both ends included, as decimal text or bigint; or the SDK's `Shard.HashKeyRange` as it is. */
export type ShardRange =
  | { readonly startingHashKey: string | bigint; readonly endingHashKey: string | bigint }
  | { readonly StartingHashKey: string | undefined; readonly EndingHashKey: string | undefined }

/**
 * `outside`: another shard's. `nowhere`: a number, but not from 0 to 2^128 - 1, so no shard's.
 * `unknown`: an explicit hash key that is not a number.
 */
export type Place = 'inside' | 'outside' | 'nowhere' | 'unknown'

/** Both shapes in one. */
interface AnyRange {
  readonly startingHashKey?: unknown
  readonly StartingHashKey?: unknown
  readonly endingHashKey?: unknown
  readonly EndingHashKey?: unknown
}

const ALL: ShardRange = { startingHashKey: 0n, endingHashKey: 2n ** 128n - 1n }
const HEX_DIGITS = 32
const MAX_DECIMAL_DIGITS = 39

/** The places of one envelope's members with respect to one shard. */
export class RangeFilter {
  readonly #start: string
  readonly #end: string
  readonly #reader: EnvelopeReader
  // Without a prototype that could be asked for places that are not there yet.
  readonly #byKey: Place[] = Object.setPrototypeOf([], null)
  readonly #byHashKey: Place[] = Object.setPrototypeOf([], null)

  /** No range means all hash keys. Throws KPL_ERR_INVALID_INPUT for a bound that is no hash key. */
  constructor(reader: EnvelopeReader, range: ShardRange | undefined) {
    const { startingHashKey, StartingHashKey, endingHashKey, EndingHashKey }: AnyRange = range ?? ALL
    this.#start = bound(startingHashKey ?? StartingHashKey)
    this.#end = bound(endingHashKey ?? EndingHashKey)
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

function bound(hashKey: unknown): string {
  const isHashKey = typeof hashKey === 'bigint' || (typeof hashKey === 'string' && /^\d{1,64}$/.test(hashKey))
  if (!isHashKey) throw invalidInput('shardRange', 'two hash keys, as decimal text or bigint', hashKey)
  return hex(hashKey)
}

/** As 32 digits; more when it takes more. */
function hex(hashKey: string | bigint): string {
  return BigInt(hashKey).toString(16).padStart(HEX_DIGITS, '0')
}

/**
 * Tells where the user records of an aggregate belong, by their hash keys.
 * Invariant: a hash key is that of the key's raw bytes or of the explicit hash key, never of decoded text; a table entry
 * is hashed or parsed once, however many members point to it, so the work is linear in the envelope.
 * Hash keys are 32 hexadecimal digits here: they order as text the way they order as numbers.
 */
import { hash } from 'node:crypto'
import type { EnvelopeReader } from '../wire/envelope-reader.ts'

/** A shard's hash keys, both ends included, as decimal text or bigint; or the SDK's `Shard.HashKeyRange` as it is. */
export type ShardRange =
  | { readonly startingHashKey: string | bigint; readonly endingHashKey: string | bigint }
  | { readonly StartingHashKey: string | undefined; readonly EndingHashKey: string | undefined }

/**
 * `outside`: another shard's. `nowhere`: a number, but not from 0 to 2^128 - 1, so no shard's.
 * `unknown`: an explicit hash key that is not a number.
 */
export type Place = 'inside' | 'outside' | 'nowhere' | 'unknown'

const HEX_DIGITS = 32
const MAX_DECIMAL_DIGITS = 39

/** The places of one envelope's members with respect to one shard. */
export class RangeFilter {
  readonly #start: string
  readonly #end: string
  readonly #reader: EnvelopeReader
  readonly #byKey: Place[] = []
  readonly #byHashKey: Place[] = []

  /** No range means all hash keys. */
  constructor(reader: EnvelopeReader, range: ShardRange | undefined) {
    const [start, end] = range === undefined ? [0, 2n ** 128n - 1n] : bounds(range)
    this.#reader = reader
    this.#start = hex(BigInt(start))
    this.#end = hex(BigInt(end))
  }

  /** The place of the member the reader's cursor is on. */
  place(): Place {
    const { partitionKeyIndex, explicitHashKeyIndex, partitionKeys, explicitHashKeys } = this.#reader
    if (explicitHashKeyIndex < 0) {
      return (this.#byKey[partitionKeyIndex] ??= this.#placeOf(
        hash('md5', this.#reader.textBytes(partitionKeys, partitionKeyIndex))
      ))
    }
    return (this.#byHashKey[explicitHashKeyIndex] ??= this.#placeOf(
      decimalToHex(this.#reader.text(explicitHashKeys, explicitHashKeyIndex))
    ))
  }

  #placeOf(hashKey: string | undefined): Place {
    if (hashKey === undefined) return 'unknown'
    if (hashKey.length !== HEX_DIGITS) return 'nowhere'
    return hashKey >= this.#start && hashKey <= this.#end ? 'inside' : 'outside'
  }
}

function bounds(range: ShardRange): [string | bigint, string | bigint] {
  if ('startingHashKey' in range) return [range.startingHashKey, range.endingHashKey]
  return [range.StartingHashKey ?? '', range.EndingHashKey ?? '']
}

/**
 * Reads decimal text as Java's BigInteger does: a sign and leading zeros are fine. Undefined when it is no number.
 * Linear in the text: digits beyond any hash key's are never converted.
 */
function decimalToHex(text: string): string | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined
  const digits = text.replace(/^[+-]?0*/, '')
  if (digits.length > MAX_DECIMAL_DIGITS || (digits !== '' && text.startsWith('-'))) return ''
  return hex(BigInt(digits))
}

/** As 32 digits; more when it takes more. */
function hex(hashKey: bigint): string {
  return hashKey.toString(16).padStart(HEX_DIGITS, '0')
}

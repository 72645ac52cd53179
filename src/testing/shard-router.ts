/**
 * Finds the shard that owns a hash key, by binary search over the ranges' starts.
 * Invariant: the given ranges are sorted and cover 0 to 2^128 - 1 without gap or overlap.
 */
import { compareHashKeys, HASH_KEY_WORDS, hashPartitionKey, writeHashKey } from '../wire/hash-key.ts'

export class ShardRouter<Owner extends { readonly start: bigint }> {
  readonly #owners: readonly Owner[]
  readonly #starts: Uint32Array
  readonly #key: Uint32Array = new Uint32Array(HASH_KEY_WORDS)

  /** `owners` is not copied. */
  constructor(owners: readonly Owner[]) {
    this.#owners = owners
    this.#starts = new Uint32Array(owners.length * HASH_KEY_WORDS)
    for (let i = 0; i < owners.length; i++) writeHashKey(owners[i]!.start, this.#starts, i * HASH_KEY_WORDS)
  }

  /** `explicitHashKey`, valid decimal text, overrides the MD5 of `partitionKey`. O(log owners). */
  ownerOf(partitionKey: string, explicitHashKey: string | undefined): Owner {
    return this.#owners[this.indexOf(partitionKey, explicitHashKey)]!
  }

  /** As `ownerOf`, but the owner's index. */
  indexOf(partitionKey: string, explicitHashKey: string | undefined): number {
    if (this.#owners.length === 1) return 0
    if (explicitHashKey === undefined) hashPartitionKey(partitionKey, this.#key)
    else writeHashKey(BigInt(explicitHashKey), this.#key)
    let low = 0
    let high = this.#owners.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (compareHashKeys(this.#starts, middle * HASH_KEY_WORDS, this.#key, 0) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }
}

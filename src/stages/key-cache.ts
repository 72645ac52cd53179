/**
 * Remembers what was found out about partition keys: their UTF-8 length and hash key, and the shard last predicted.
 * Two generations: when the young one is full it becomes the old one, so that keys in use survive and memory is bounded.
 * Invariant: at most 2 x `GENERATION_KEYS` keys are held; an entry's words never move.
 * Hot: one Map lookup per record for a key that was seen before.
 */
import { HASH_KEY_WORDS, hashPartitionKey } from '../wire/hash-key.ts'

export interface HashedKey {
  readonly utf8Bytes: number
  /** The hash key is four words from `at`. */
  readonly words: Uint32Array
  readonly at: number
  /** The last prediction, good as long as `predictedBy` is the map in use. */
  predictedShard: string
  predictedBy: object | undefined
}

/** Keys of one generation: a few thousand hot keys fit, and a generation of unique keys is 2 MB. */
const GENERATION_KEYS = 8192

export class KeyCache {
  #young = new Map<string, HashedKey>()
  #old = new Map<string, HashedKey>()
  #words = new Uint32Array(GENERATION_KEYS * HASH_KEY_WORDS)

  /** Returns what is known of `partitionKey`, hashing it when it is new; undefined when it is not well-formed Unicode. */
  get(partitionKey: string): HashedKey | undefined {
    return this.#young.get(partitionKey) ?? this.#old.get(partitionKey) ?? this.#add(partitionKey)
  }

  #add(partitionKey: string): HashedKey | undefined {
    if (!partitionKey.isWellFormed()) return undefined
    if (this.#young.size === GENERATION_KEYS) {
      this.#old = this.#young
      this.#young = new Map()
      this.#words = new Uint32Array(GENERATION_KEYS * HASH_KEY_WORDS)
    }
    const at = this.#young.size * HASH_KEY_WORDS
    hashPartitionKey(partitionKey, this.#words, at)
    const key: HashedKey = {
      utf8Bytes: Buffer.byteLength(partitionKey),
      words: this.#words,
      at,
      predictedShard: '',
      predictedBy: undefined
    }
    this.#young.set(partitionKey, key)
    return key
  }
}

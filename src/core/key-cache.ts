/**
 * Remembers what was found out about partition keys: their UTF-8 length and hash key, and the lane of the last record.
 * Two generations: when the young one is full it becomes the old one, so that keys in use survive and memory is bounded.
 * While nearly every key is new the cache steps aside, because filling it then costs more than hashing does.
 * Invariant: at most 2 x `GENERATION_KEYS` keys are held; the words of a remembered key never move.
 * Hot: one Map lookup per record for a key that was seen before.
 */
import type { Lane } from '../lanes/lane.ts'
import type { KeySlot } from '../wire/encode.ts'
import { HASH_KEY_WORDS, hashPartitionKey } from '../wire/hash-key.ts'
import { md5OfShortText } from '../wire/md5.ts'

/** A key is its own slot, the place where it stands in the open envelope of its lane: one look at memory less. */
export interface HashedKey extends KeySlot {
  utf8Bytes: number
  /** The hash key is four words from `at`. */
  readonly words: Uint32Array
  readonly at: number
  /** The lane that it was last routed to, good as long as `laneTable` is the one in use. */
  lane: Lane | undefined
  laneTable: object | undefined
  /** Whether it stands for one text only, so that it may be used as a slot. */
  readonly isRemembered: boolean
}

/** Keys of one generation: a few thousand hot keys fit, and a generation of unique keys is 2 MB. */
const GENERATION_KEYS = 8192
/** The cache judges itself after this many lookups, and steps aside for the next `ASIDE_LOOKUPS` above the misses. */
const JUDGED_LOOKUPS = 1024
const ASIDE_MISSES = 900
const ASIDE_LOOKUPS = 16_384

export class KeyCache {
  #young = new Map<string, HashedKey>()
  #old = new Map<string, HashedKey>()
  #words = new Uint32Array(GENERATION_KEYS * HASH_KEY_WORDS)
  readonly #passing: HashedKey = newKey(new Uint32Array(HASH_KEY_WORDS), 0, false)
  #lookups = 0
  #misses = 0
  #asideLookups = 0

  /**
   * Returns what is known of `partitionKey`, hashing it when it is new; undefined when it is not well-formed Unicode. The
   * result is valid until the next call.
   */
  get(partitionKey: string): HashedKey | undefined {
    if (this.#asideLookups > 0) {
      this.#asideLookups--
      return this.#hash(partitionKey)
    }
    this.#lookups++
    if (this.#lookups === JUDGED_LOOKUPS) this.#judge()
    return this.#young.get(partitionKey) ?? this.#promote(partitionKey) ?? this.#add(partitionKey)
  }

  /** A key of the old generation that is asked for again belongs to the young one. */
  #promote(partitionKey: string): HashedKey | undefined {
    const key = this.#old.get(partitionKey)
    if (key === undefined) return undefined
    this.#old.delete(partitionKey)
    this.#turnIfFull()
    this.#young.set(partitionKey, key)
    return key
  }

  #turnIfFull(): void {
    if (this.#young.size < GENERATION_KEYS) return
    this.#old = this.#young
    this.#young = new Map()
    this.#words = new Uint32Array(GENERATION_KEYS * HASH_KEY_WORDS)
  }

  #judge(): void {
    if (this.#misses >= ASIDE_MISSES) this.#asideLookups = ASIDE_LOOKUPS
    this.#lookups = 0
    this.#misses = 0
  }

  #hash(partitionKey: string): HashedKey | undefined {
    if (!partitionKey.isWellFormed()) return undefined
    const key = this.#passing
    learn(key, partitionKey)
    key.laneTable = undefined
    return key
  }

  #add(partitionKey: string): HashedKey | undefined {
    if (!partitionKey.isWellFormed()) return undefined
    this.#misses++
    this.#turnIfFull()
    const key = newKey(this.#words, this.#young.size * HASH_KEY_WORDS, true)
    learn(key, partitionKey)
    this.#young.set(partitionKey, key)
    return key
  }
}

function newKey(words: Uint32Array, at: number, isRemembered: boolean): HashedKey {
  return { utf8Bytes: 0, table: 0, index: 0, isRemembered, lane: undefined, laneTable: undefined, words, at }
}

function learn(key: HashedKey, partitionKey: string): void {
  if (!md5OfShortText(partitionKey, key.words, key.at)) hashPartitionKey(partitionKey, key.words, key.at)
  key.utf8Bytes = Buffer.byteLength(partitionKey)
}

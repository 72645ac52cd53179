/**
 * One complete listing of a stream's open shards: from a hash key to the shard that owns it.
 * Invariant: the ranges cover 0 to 2^128 - 1 without gap or overlap, sorted; an instance never changes.
 * Cost: O(log shards) a lookup.
 */
import { ProducerError } from '../model/errors.ts'
import type { ShardHashRange } from '../model/ports.ts'
import {
  compareHashKeys,
  explicitHashKeyFault,
  HASH_KEY_WORDS,
  type HashRange,
  MAX_HASH_KEY,
  writeHashKey
} from '../wire/hash-key.ts'

/** More shards than any stream may have; a longer listing is not believed. */
const MAX_SHARDS = 100_000

export class ShardMap {
  readonly #ids: readonly string[]
  /** Last hash key of each shard, ascending. */
  readonly #ends: Uint32Array
  readonly #ranges: ReadonlyMap<string, HashRange>
  readonly #places: ReadonlyMap<string, number>

  /** Throws ProducerError KPL_ERR_BAD_SHARD_MAP when the listing is malformed, has a gap or an overlap, or is empty. */
  constructor(listing: readonly ShardHashRange[]) {
    if (!Array.isArray(listing)) throw badMap('is no list')
    const shards = listing.map(parseShard).sort((left, right) => (left.start < right.start ? -1 : 1))
    assertCovers(shards)
    this.#ids = shards.map(shard => shard.shardId)
    this.#ends = new Uint32Array(shards.length * HASH_KEY_WORDS)
    for (let i = 0; i < shards.length; i++) writeHashKey(shards[i]!.end, this.#ends, i * HASH_KEY_WORDS)
    this.#ranges = new Map(shards.map(shard => [shard.shardId, { start: shard.start, end: shard.end }]))
    this.#places = new Map(this.#ids.map((shardId, place) => [shardId, place]))
    if (this.#ranges.size !== shards.length) throw badMap('names one shard twice')
  }

  get shardIds(): readonly string[] {
    return this.#ids
  }

  /** The id made last: ids carry an ascending number of fixed width. */
  get newestShardId(): string {
    return this.#ids.reduce((newest, id) => (isOlderShardId(newest, id) ? id : newest))
  }

  /** The range of an open shard of this map. */
  rangeOf(shardId: string): HashRange | undefined {
    return this.#ranges.get(shardId)
  }

  /** The place of an open shard in `shardIds`. */
  placeOf(shardId: string): number | undefined {
    return this.#places.get(shardId)
  }

  /** Returns the shard that owns the hash key of four `words` from `at`. */
  predict(words: Uint32Array, at: number): string {
    return this.#ids[this.indexOf(words, at)]!
  }

  /** Returns the place in `shardIds` of the shard that owns the hash key of four `words` from `at`. */
  indexOf(words: Uint32Array, at: number): number {
    let low = 0
    let high = this.#ids.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareHashKeys(words, at, this.#ends, middle * HASH_KEY_WORDS) <= 0) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Whether `left` was made before `right`, as far as ids of the form `shardId-` and 12 digits tell. */
export function isOlderShardId(left: string, right: string): boolean {
  return left.length === right.length ? left < right : left.length < right.length
}

interface ParsedShard extends HashRange {
  readonly shardId: string
}

function parseShard(shard: ShardHashRange | null | undefined): ParsedShard {
  const { shardId, startingHashKey, endingHashKey } = shard ?? ({} as Partial<ShardHashRange>)
  const isWellFormed =
    typeof shardId === 'string' &&
    shardId.length > 0 &&
    typeof startingHashKey === 'string' &&
    typeof endingHashKey === 'string' &&
    explicitHashKeyFault(startingHashKey) === undefined &&
    explicitHashKeyFault(endingHashKey) === undefined
  if (!isWellFormed) throw badMap('has a shard without an id or with a malformed hash key range')
  return { shardId, start: BigInt(startingHashKey), end: BigInt(endingHashKey) }
}

function assertCovers(shards: readonly ParsedShard[]): void {
  if (shards.length === 0) throw badMap('has no open shard')
  if (shards.length > MAX_SHARDS) throw badMap(`has ${shards.length} shards, more than ${MAX_SHARDS}`)
  let next = 0n
  for (const { start, end } of shards) {
    if (start !== next || end < start) throw badMap(start > next ? 'has a gap' : 'has an overlap')
    next = end + 1n
  }
  if (next !== MAX_HASH_KEY + 1n) throw badMap('ends before 2^128 - 1')
}

function badMap(fault: string): ProducerError {
  return new ProducerError('KPL_ERR_BAD_SHARD_MAP', `the shard listing ${fault}`)
}

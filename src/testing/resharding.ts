/**
 * How UpdateShardCount gets from the open ranges to equal ones: by the service's own two moves, split and merge.
 * Invariant: after the steps, run in order, the starts of the open shards are exactly those of `uniformStarts`.
 */
import { MAX_HASH_KEY } from '../wire/hash-key.ts'

const HASH_KEY_SPACE = MAX_HASH_KEY + 1n

/** Split the shard that holds `at` so that a shard begins there, or merge the two shards that meet at `at`. */
export interface ReshardStep {
  readonly kind: 'split' | 'merge'
  readonly at: bigint
}

/** Returns the first hash keys of `shardCount` equal ranges, rounded down as the service does. */
export function uniformStarts(shardCount: number): bigint[] {
  return Array.from({ length: shardCount }, (_, i) => (BigInt(i) * HASH_KEY_SPACE) / BigInt(shardCount))
}

/** Returns the steps from ranges that begin at `starts` (sorted) to `targetShardCount` equal ones: splits, then merges. */
export function reshardSteps(starts: readonly bigint[], targetShardCount: number): ReshardStep[] {
  const wanted = uniformStarts(targetShardCount)
  const present = new Set(starts)
  const kept = new Set(wanted)
  return [
    ...wanted.filter(at => !present.has(at)).map(at => ({ kind: 'split', at }) as const),
    ...starts.filter(at => !kept.has(at)).map(at => ({ kind: 'merge', at }) as const)
  ]
}

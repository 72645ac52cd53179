/**
 * Listings that must not be believed.
 * Invariant: whatever comes out breaks the cover of all hash keys, or the form of an entry.
 */
import type { ShardHashRange } from '../../src/model/ports.ts'

/** Spoils a good listing; `draw` in [0, 1) chooses how. */
export function malformed(listing: readonly ShardHashRange[], draw: number): ShardHashRange[] {
  const first = listing[0]!
  const spoiled = [
    () => [],
    () => listing.slice(1),
    () => [...listing, first],
    () => [{ ...first, startingHashKey: '-1' }, ...listing.slice(1)],
    () => [{ ...first, endingHashKey: 'zebra' }, ...listing.slice(1)],
    () => [{ ...first, endingHashKey: (1n << 128n).toString() }, ...listing.slice(1)],
    () => [{ ...first, shardId: '' }, ...listing.slice(1)]
  ]
  return spoiled[Math.floor(draw * spoiled.length)]!()
}

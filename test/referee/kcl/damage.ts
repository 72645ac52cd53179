/**
 * Damaged aggregates on which every reader has to agree: no byte of them is a user record of the aggregate any more.
 * Bodies that are not valid Protobuf below a valid digest are left to proto/vectors: there we deviate, and docs/consumers.md says how.
 */
import { createHash } from 'node:crypto'
import { seededRandom } from '../../../src/testing/seeded-random.ts'

const MAGIC_BYTES = 4
const DIGEST_BYTES = 16

/** Returns five damaged Kinesis records for each aggregate. */
export function damagedAggregates(aggregates: readonly Uint8Array[], seed: number): Uint8Array[] {
  const random = seededRandom(`damage/${seed}`)
  return aggregates.flatMap(aggregate => [
    flipped(aggregate, MAGIC_BYTES + Math.floor(random() * (aggregate.length - MAGIC_BYTES)), random),
    flipped(aggregate, Math.floor(random() * MAGIC_BYTES), random),
    aggregate.subarray(0, Math.floor(random() * aggregate.length)),
    Buffer.concat([aggregate, Uint8Array.of(Math.floor(random() * 256))]),
    // A body of no bytes with the right digest has no user records and is not longer than its frame.
    Buffer.concat([aggregate.subarray(0, MAGIC_BYTES), createHash('md5').digest().subarray(0, DIGEST_BYTES)])
  ])
}

function flipped(bytes: Uint8Array, at: number, random: () => number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at]! ^= 1 << Math.floor(random() * 8)
  return copy
}

/**
 * The shards of one stream as a reader sees them: where it is in each, and which may be read now.
 * Invariant: a shard is readable only when each of its parents that is known has ended.
 */
import type { ChildShard, HashKeyRange, Shard } from '@aws-sdk/client-kinesis'
import {
  compareSequenceNumbers,
  type ExtendedSequenceNumber,
  formatSequenceNumber,
  parseSequenceNumber
} from '../deaggregate.ts'

/**
 * A place for each shard: `SHARD_END`, `TRIM_HORIZON`, `LATEST`, `AT_TIMESTAMP:` and milliseconds, or the last user
 * record that was done, as `formatSequenceNumber` prints it. A shard that is missing starts at its oldest record.
 */
export interface StreamPosition {
  readonly shards: Readonly<Record<string, string>>
}

/** The oldest record kept, only what comes from now on, a time in milliseconds since the epoch, or an earlier position. */
export type StreamStart = 'TRIM_HORIZON' | 'LATEST' | { readonly timestampMs: number } | StreamPosition

const SHARD_END = 'SHARD_END'

/** One shard being read. */
export class ShardCursor {
  readonly shardId: string
  readonly parents: readonly string[]
  readonly range: HashKeyRange & { readonly StartingHashKey: string; readonly EndingHashKey: string }
  place: string
  iterator: string | undefined
  /** On the reader's clock. */
  nextReadMs = 0
  /** Reads in a row that failed. */
  failures = 0
  isCaughtUp = false

  constructor(shardId: string, parents: readonly string[], range: HashKeyRange | undefined, place: string) {
    this.shardId = shardId
    this.parents = parents
    this.range = { StartingHashKey: '0', EndingHashKey: `${2n ** 128n - 1n}`, ...range } as ShardCursor['range']
    this.place = place
  }
}

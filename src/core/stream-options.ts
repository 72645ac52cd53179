/**
 * The options that a stream needs, and the values that follow from them.
 * Invariant: derived once; nothing downstream computes a default or a relation between options.
 */
import { DEFAULT_RECORD_BYTES } from '../model/limits.ts'
import type { ResolvedOptions } from '../model/options.ts'
import type { TakeBytes } from '../wire/bytes.ts'
import type { DedupeTag } from '../wire/dedupe-tag.ts'

export interface StreamOptions extends ResolvedOptions {
  /**
   * How long a Kinesis record that goes again may wait for others that go again. The KPL has the same span, and adds it to the
   * buffering time of every record.
   */
  readonly collectionWindowMs: number
  /** An envelope that is due within this time of one that is due leaves with it. */
  readonly sealTogetherMs: number
  /** With `dedupeTags`; drawn by the set, one for each producer. */
  readonly dedupeTag?: DedupeTag | undefined
  /** Where sealed records get their memory; the set's, if it is used again. */
  readonly takeBytes?: TakeBytes | undefined
  /** How much of the buffer may wait for one shard while there are others. */
  readonly laneMaxBytes: number
}

/** Source: KPL 1.0.7, stream.h: min(50 ms, 20 % of RecordMaxBufferedTime). */
const WINDOW_PART = 0.2
const MAX_WINDOW_MS = 50
/**
 * The part of `recordMaxBufferedTimeMs` that an envelope may leave early, with one that is due. Of two lanes with the same time,
 * one is always due within half of it after the other, so this is enough to bring them into step.
 */
const TOGETHER_PART = 1 / 2
/** Room in a record beside its envelope for the container key: one character, or a user's key of 256 in UTF-8. */
const CONTAINER_KEY_BYTES = 1
/** One hot or dead shard may not take the buffer from all others. */
const LANE_PART = 1 / 2
const LONGEST_KEY_BYTES = 1024

export function streamOptions(options: ResolvedOptions): StreamOptions {
  const keyBytes = options.containerKey === 'a' ? CONTAINER_KEY_BYTES : LONGEST_KEY_BYTES
  const recordBytes = Math.max(options.maxUserRecordBytes, DEFAULT_RECORD_BYTES)
  return {
    ...options,
    aggregationMaxBytes: Math.min(options.aggregationMaxBytes, recordBytes - keyBytes),
    laneMaxBytes: options.bufferMaxBytes * LANE_PART,
    sealTogetherMs: options.recordMaxBufferedTimeMs * TOGETHER_PART,
    collectionWindowMs: Math.min(MAX_WINDOW_MS, options.recordMaxBufferedTimeMs * WINDOW_PART)
  }
}

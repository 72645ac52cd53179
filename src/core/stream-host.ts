/**
 * The two sides of a stream: its calls to its surroundings, and their calls to it.
 * Invariant: types only.
 */

import type { LaneBatch } from '../lanes/lane.ts'
import type { Settlement } from '../model/exchange.ts'
import type { Random } from '../model/ports.ts'
import type { StreamTelemetry } from '../stats/telemetry.ts'
import type { RecordValidator } from './record-validator.ts'

/** None of these may call back into the stream before they return. `Sender` is the stream, which this file need not know. */
export interface StreamHost<Sender> {
  readonly random: Random
  readonly validator: RecordValidator
  /** Whether somebody waits for a flush: nothing should linger. */
  isFlushing(): boolean
  hasFreeSlot(): boolean
  /** Takes a slot and sends; the answer goes to `complete`. */
  send(stream: Sender, batch: LaneBatch, nowMs: number): void
  /** Fetches the listing: the answer goes to `shardsListed` or `shardsFailed`. */
  fetchShards(stream: Sender): void
  /** Fetches the summary: the answer goes to `described`. */
  fetchSummary(stream: Sender): void
  /** Queues a settlement; callbacks run when the streams are at rest. */
  settle(stream: Sender, settlement: Settlement): void
  warn(code: string, message: string): void
}

/** The state that a stream leaves to its replacement. */
export interface FormerStream {
  readonly telemetry: StreamTelemetry
  /** When the shards may be listed again. */
  readonly blindUntilMs: number
}

/**
 * The two sides of a pipeline: what it asks of its surroundings, and what it is told.
 * Invariant: types only.
 */

import type { Settlement } from '../model/exchange.ts'
import type { Batch } from '../model/kinesis-record.ts'
import type { Random } from '../model/ports.ts'
import type { StreamTelemetry } from '../stats/telemetry.ts'
import type { Admission } from './admission.ts'

/** None of these may call back into the pipeline before they return. `Sender` is the pipeline, which this file need not know. */
export interface PipelineHost<Sender> {
  readonly random: Random
  readonly admission: Admission
  /** Whether somebody waits for a flush: nothing should linger. */
  isFlushing(): boolean
  hasFreeSlot(): boolean
  /** Takes a slot and sends; the answer comes to `complete`. */
  send(pipeline: Sender, batch: Batch, nowMs: number): void
  /** Fetches the listing: it comes to `shardsListed` or `shardsFailed`. */
  fetchShards(pipeline: Sender): void
  /** Fetches the summary: it comes to `described`. */
  fetchSummary(pipeline: Sender): void
  /** Queues a settlement; callbacks run when the pipelines are at rest. */
  settle(pipeline: Sender, settlement: Settlement): void
  warn(code: string, message: string): void
}

/** What a pipeline leaves to the one that takes its place. */
export interface FormerPipeline {
  readonly telemetry: StreamTelemetry
  /** When the shards may be listed again. */
  readonly blindUntilMs: number
}

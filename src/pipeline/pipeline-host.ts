/**
 * The two sides of a pipeline: what it asks of its surroundings, and what it is told.
 * Invariant: types only.
 */
import type { TransportError } from '../model/errors.ts'
import type { Batch } from '../model/kinesis-record.ts'
import type { PutRecordsAnswer, Random } from '../model/ports.ts'
import type { Admission } from './admission.ts'
import type { Pipeline } from './pipeline.ts'
import type { Settlement } from './settlement.ts'
import type { StreamTelemetry } from './telemetry.ts'

/** None of these may call back into the pipeline before they return. */
export interface PipelineHost {
  readonly random: Random
  readonly admission: Admission
  /** Whether somebody waits for a flush: nothing should linger. */
  isFlushing(): boolean
  hasFreeSlot(): boolean
  /** Takes a slot and sends; the answer comes to `complete`. */
  send(pipeline: Pipeline, batch: Batch, nowMs: number): void
  /** Fetches the listing: it comes to `shardsListed` or `shardsFailed`. */
  fetchShards(pipeline: Pipeline): void
  /** Fetches the summary: it comes to `described`. */
  fetchSummary(pipeline: Pipeline): void
  /** Queues a settlement; callbacks run when the pipelines are at rest. */
  settle(pipeline: Pipeline, settlement: Settlement): void
  warn(code: string, message: string): void
}

/** What a pipeline leaves to the one that takes its place. */
export interface FormerPipeline {
  readonly telemetry: StreamTelemetry
  /** When the shards may be listed again. */
  readonly blindUntilMs: number
}

/** The answers to one batch, or its failure as a whole. */
export interface Outcome {
  readonly startMs: number
  readonly endMs: number
  readonly records?: readonly PutRecordsAnswer[]
  readonly error?: TransportError
}

/** The present state of one stream's pipeline. */
export interface PipelineGauges {
  readonly openEnvelopes: number
  readonly sealedRecords: number
  readonly openShards: number
  readonly isBreakerOpen: boolean
  readonly isServiceManaged: boolean
}

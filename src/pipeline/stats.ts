/**
 * The snapshot that `stats()` gives.
 * Invariant: plain data, copied; reading it changes nothing, and it does not change afterwards.
 */
import type { PipelineGauges } from './pipeline-host.ts'
import type { PipelineSet } from './pipeline-set.ts'
import type { StreamStats } from './telemetry.ts'

export interface ProducerStats {
  /** Accepted and not settled, now. */
  readonly bufferedRecords: number
  /** Their data, keys and overhead, as `bufferMaxBytes` counts them. */
  readonly bufferedBytes: number
  readonly inFlightRequests: number
  /** Acknowledged and failed user records since the start. */
  readonly delivered: number
  readonly failed: number
  /** By stream name, or ARN where that is what was given. */
  readonly streams: Readonly<Record<string, StreamStats & PipelineGauges>>
}

/** Cost: O(streams x shards). */
export function snapshot(set: PipelineSet): ProducerStats {
  const streams: Record<string, StreamStats & PipelineGauges> = {}
  for (const pipeline of set.pipelines) {
    streams[pipeline.streamName] = { ...pipeline.telemetry.snapshot(), ...pipeline.gauges }
  }
  return {
    bufferedRecords: set.budget.usedRecords,
    bufferedBytes: set.budget.usedBytes,
    inFlightRequests: set.inFlightRequests,
    delivered: set.delivered,
    failed: set.failed,
    streams
  }
}

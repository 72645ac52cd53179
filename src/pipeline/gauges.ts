/**
 * The present state of one stream's pipeline, read from its stages.
 * Invariant: reads only.
 */
import type { Intake } from './intake.ts'
import type { Outbox } from './outbox.ts'
import type { PipelineGauges } from './pipeline-host.ts'
import type { Routing } from './routing.ts'

export interface StreamGauges extends PipelineGauges {
  /** When the shard map in use was loaded, on the producer's clock; undefined before the first. */
  readonly shardMapLoadedMs: number | undefined
  /** The present rate of an open shard as a part of its full rate: below 1 after throttles. */
  rateFactorOf(shardId: string): number
}

export function gaugesOf(intake: Intake, outbox: Outbox, routing: Routing): StreamGauges {
  const { map, loadedMs } = routing.directory
  return {
    openEnvelopes: intake.openEnvelopes,
    sealedRecords: outbox.count,
    isBreakerOpen: outbox.breaker.isOpen,
    openShards: map?.shardIds.length ?? 0,
    isServiceManaged: !routing.isKeyed,
    shardMapLoadedMs: map === undefined ? undefined : loadedMs,
    rateFactorOf: shardId => outbox.limiter.rateFactorOf(shardId) ?? 1
  }
}

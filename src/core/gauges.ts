/**
 * The present state of one stream's pipeline, read from its stages.
 * Invariant: reads only.
 */
import type { StreamGauges } from '../model/exchange.ts'
import type { Intake } from './intake.ts'
import type { Outbox } from './outbox.ts'
import type { Routing } from './routing.ts'

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

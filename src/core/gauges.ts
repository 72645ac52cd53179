/**
 * The present state of one stream's stream, read from its stages.
 * Invariant: reads only.
 */
import type { StreamGauges } from '../model/exchange.ts'
import type { Intake } from './intake.ts'
import type { Outbox } from './outbox.ts'
import type { Router } from './router.ts'

export function gaugesOf(intake: Intake, outbox: Outbox, router: Router): StreamGauges {
  const { map, loadedMs } = router.directory
  return {
    openEnvelopes: intake.openEnvelopes,
    sealedRecords: outbox.count,
    isBreakerOpen: outbox.breaker.isOpen,
    openShards: map?.shardIds.length ?? 0,
    isServiceManaged: !router.isKeyed,
    shardMapLoadedMs: map === undefined ? undefined : loadedMs,
    rateFactorOf: shardId => outbox.limiter.rateFactorOf(shardId) ?? 1
  }
}

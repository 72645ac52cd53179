/**
 * The figures of a producer over all of its streams, for summaries.
 * Invariant: pure.
 */
import type { ProducerStats } from '../../index.ts'

export interface Totals {
  readonly kinesisRecords: number
  readonly requests: number
  readonly retries: number
  readonly throttled: number
}

export function totalsOf({ streams }: ProducerStats): Totals {
  const totals = { kinesisRecords: 0, requests: 0, retries: 0, throttled: 0 }
  for (const stream of Object.values(streams)) {
    totals.kinesisRecords += stream.kinesisRecordsPut
    totals.requests += stream.requests
    totals.retries += stream.retries
    totals.throttled += stream.throttled
  }
  return totals
}

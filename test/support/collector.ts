/** A collector for tests, with limits that no test meets unless it sets them. */
import { Collector, type CollectorOptions } from '../../src/core/collector.ts'

export function collector(options: Partial<CollectorOptions> = {}): Collector {
  const defaults = { collectionMaxCount: 500, collectionMaxBytes: 5_242_880, collectionMaxShardBytes: 10_485_760 }
  return new Collector({ ...defaults, ...options })
}

/**
 * The metrics of the process, by prom-client, and those of the producer on one page for Prometheus. In a project of your own,
 * import from 'kinesis-producer/prometheus'.
 * Invariant: one scrape reads `stats()` once; no name is in both parts, because the producer's begin with `kinesis_producer_`.
 */
import type { RequestListener } from 'node:http'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { PROMETHEUS_CONTENT_TYPE, prometheusText, type StatsSources } from '../../src/metrics/prometheus.ts'

/** Returns what answers GET /metrics. */
export function prometheusHandler(producers: StatsSources): RequestListener {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return async (_request, response) => {
    const ofProcess = await registry.metrics()
    response.writeHead(200, { 'content-type': PROMETHEUS_CONTENT_TYPE })
    response.end(ofProcess + prometheusText(producers))
  }
}

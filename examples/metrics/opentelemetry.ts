/**
 * The metrics of the producer through OpenTelemetry's SDK and its exporter for Prometheus. Any other exporter is a reader of the
 * MeterProvider as well. In a project of your own, import from 'kinesis-producer/otel'.
 * Invariant: after `close` nothing is observed.
 */
import type { RequestListener } from 'node:http'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { openTelemetry, type StatsSources } from '../../src/metrics/otel.ts'

export interface Telemetry {
  readonly handler: RequestListener
  close(): Promise<void>
}

/** Returns what answers GET /metrics. Call it once: the durations of requests come from all producers of the process. */
export function openTelemetryHandler(producers: StatsSources): Telemetry {
  const exporter = new PrometheusExporter({ preventServerStart: true })
  const meterProvider = new MeterProvider({ readers: [exporter] })
  const telemetry = openTelemetry(producers, { meterProvider, granularity: 'shard' })
  return {
    handler: (request, response) => exporter.getMetricsRequestHandler(request, response),
    close: async () => {
      telemetry.close()
      await meterProvider.shutdown()
    }
  }
}

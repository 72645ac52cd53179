/**
 * The bounds of the latency buckets: 5 ms, 10 ms, 25 ms, and so on.
 * Invariant: this file loads nothing, so an exporter that needs the bounds does not load the histogram.
 */

/** Upper bounds of the buckets. Source: OpenTelemetry messaging.client.operation.duration, advice as of 2026-11. */
export const LATENCY_BOUNDS_MS = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000] as const

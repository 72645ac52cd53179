/**
 * Where CloudWatch data go: to PutMetricData, or to a writer of log lines.
 * Invariant: what is handed in either arrived or is handed back; one failure does not keep the rest from being sent.
 */
import pRetry from 'p-retry'
import type { Clock } from '../model/ports.ts'
import { boundedCall } from './bounded-call.ts'
import type { Datum } from './dimension-tree.ts'
import { emfLines } from './emf.ts'

/** A `CloudWatchClient` of `@aws-sdk/client-cloudwatch` 3. */
export interface CloudWatchClientLike {
  /** Sends one command of `@aws-sdk/client-cloudwatch`, and resolves to its output. */
  send(
    command: object,
    options?: {
      /** Ends the call when it fires. */
      readonly abortSignal?: AbortSignal
    }
  ): Promise<unknown>
}

/** The data that did not arrive, and the first reason. */
export interface Leftover {
  readonly data: readonly Datum[]
  readonly error?: unknown
}

export interface MetricSink {
  /** Resolves also when a call is never answered. `cut` ends it at once. */
  put(data: readonly Datum[], cut: AbortSignal): Promise<Leftover>
}

/** Data in one PutMetricData call. Source: KPL 1.0.7, metrics_manager.cc; the API takes 1,000 today. */
export const MAX_CALL_DATA = 20
const RETRY_BASE_MS = 200
/** The time of one call. Without it, a call that is never answered would be the last one. */
const CALL_TIMEOUT_MS = 10_000

export interface PutMetricDataOptions {
  readonly client: CloudWatchClientLike
  readonly namespace: string
  readonly uploadRetries: number
  readonly clock: Clock
}

/** Returns a sink that calls PutMetricData, one call after the other. */
export function putMetricDataSink(options: PutMetricDataOptions): MetricSink {
  const { client, namespace, uploadRetries, clock } = options
  return {
    async put(data, cut) {
      const left: Datum[] = []
      let firstError: unknown
      for (let at = 0; at < data.length; at += MAX_CALL_DATA) {
        const batch = data.slice(at, at + MAX_CALL_DATA)
        const input = { Namespace: namespace, MetricData: batch.map(apiDatum) }
        const retryOptions = { retries: uploadRetries, minTimeout: RETRY_BASE_MS, randomize: true, signal: cut }
        try {
          // Only an upload needs the package; log lines do without.
          const { PutMetricDataCommand } = await import('@aws-sdk/client-cloudwatch')
          const send = (signal: AbortSignal) => client.send(new PutMetricDataCommand(input), { abortSignal: signal })
          await pRetry(() => boundedCall({ clock, timeoutMs: CALL_TIMEOUT_MS, cut }, send), retryOptions)
        } catch (error) {
          left.push(...batch)
          firstError ??= error
        }
      }
      return { data: left, error: firstError }
    }
  }
}

export interface EmfOptions {
  /** Takes one document, without a line break. A promise is waited for. */
  readonly write: (line: string) => unknown
  readonly namespace: string
  readonly wallMs: () => number
  readonly clock: Clock
}

/** Returns a sink that writes embedded metric format, one line after the other. */
export function emfSink({ write, namespace, wallMs, clock }: EmfOptions): MetricSink {
  return {
    async put(data, cut) {
      const left: Datum[] = []
      let firstError: unknown
      let timestampMs: number
      try {
        timestampMs = wallMs()
      } catch (error) {
        return { data, error }
      }
      for (const line of emfLines(data, namespace, timestampMs)) {
        try {
          const written = write(line.text)
          if (isThenable(written)) await boundedCall({ clock, timeoutMs: CALL_TIMEOUT_MS, cut }, () => written)
        } catch (error) {
          left.push(...line.data)
          firstError ??= error
        }
      }
      return { data: left, error: firstError }
    }
  }
}

function isThenable(value: unknown): boolean {
  return typeof Object(value).then === 'function'
}

function apiDatum({ name, unit, dimensions, set }: Datum) {
  return {
    MetricName: name,
    Unit: unit,
    Dimensions: dimensions.map(([Name, Value]) => ({ Name, Value })),
    StatisticValues: { SampleCount: set.count, Sum: set.sum, Minimum: set.min, Maximum: set.max }
  }
}

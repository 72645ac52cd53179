/**
 * The options of the CloudWatch exporter, with the KPL's defaults.
 * Invariant: resolved once; every fault is named at once.
 */
import { ANY, FUNCTION, having, type OptionRules, TEXT } from '../consumer/deaggregate/given-options.ts'
import { OptionsError } from '../model/errors.ts'
import { messageFirst } from '../model/object-first-logger.ts'
import type { Clock, Logger } from '../model/ports.ts'
import { systemClock } from '../system.ts'
import type { ExtraDimension, Granularity } from './dimension-tree.ts'
import { assertGivenOptions } from './given.ts'
import type { MetricLevel } from './metric-entry.ts'
import { type CloudWatchClientLike, emfSink, type MetricSink, putMetricDataSink } from './metric-sinks.ts'
import { METRICS } from './metrics-table.ts'
import { systemWallMs } from './wall-clock.ts'

/** The options of `CloudWatchMetrics`: `client` or `write` is required. */
export interface CloudWatchOptions {
  /** A `CloudWatchClient` to upload through; this or `write`. Never destroyed here. */
  readonly client?: CloudWatchClientLike
  /** Takes lines of embedded metric format, for Lambda and containers; this or `client`. A promise is waited for. */
  readonly write?: (line: string) => unknown
  /** KPL: MetricsNamespace. Default: `'KinesisProducerLibrary'`. */
  readonly namespace?: string
  /** KPL: MetricsLevel. Default: `'detailed'`. */
  readonly level?: 'none' | MetricLevel
  /** KPL: MetricsGranularity. Default: `'shard'`. */
  readonly granularity?: Granularity
  /** KPL: addAdditionalMetricsDimension. Those with a blank value are left out. */
  readonly dimensions?: readonly ExtraDimension[]
  /** KPL: MetricsUploadDelay. 1 to 60,000, or Infinity: only `flush` and `close` upload. Default: 60,000. */
  readonly uploadDelayMs?: number
  /** Tries after the first, of one PutMetricData call; what fails for good goes with the next upload. Default: 2. */
  readonly uploadRetries?: number
  /** Told of uploads that failed; default: one process warning. */
  readonly logger?: Logger
  /** Time and timers, for tests. Default: the machine's. */
  readonly clock?: Clock
  /** The time of day for log lines, in milliseconds since 1970. */
  readonly wallMs?: () => number
}

export interface ResolvedCloudWatchOptions {
  readonly sink: MetricSink
  readonly level: 'none' | MetricLevel
  readonly granularity: Granularity
  readonly dimensions: readonly ExtraDimension[]
  readonly uploadDelayMs: number
  readonly logger: Logger | undefined
  readonly clock: Clock
}

/** Kinds only. The bounds are below, where all faults come together. */
const KINDS: OptionRules<CloudWatchOptions> = {
  client: having('send'),
  write: FUNCTION,
  namespace: TEXT,
  level: ANY,
  granularity: ANY,
  dimensions: { must: 'a list of dimensions', isMet: Array.isArray },
  uploadDelayMs: ANY,
  uploadRetries: ANY,
  logger: having('warn'),
  clock: having('nowMs', 'schedule'),
  wallMs: FUNCTION
}

const LEVELS: readonly unknown[] = ['none', 'summary', 'detailed']
const GRANULARITIES: readonly unknown[] = ['global', 'stream', 'shard']
const MAX_DELAY_MS = 60_000
const MAX_RETRIES = 10
/** CloudWatch takes 30 dimensions; three are ours. */
const MAX_EXTRA_DIMENSIONS = 27
/** Source: CloudWatch API reference, Dimension, 2026-11. The KPL documents 255 and checks nothing. */
const MAX_NAME_CHARACTERS = 255
const MAX_VALUE_CHARACTERS = 1024
const NAMESPACE = /^(?!AWS\/).{1,255}$/
const TAKEN_NAMES = new Set(['StreamName', 'ShardId', 'ErrorCode', '_aws', ...Object.keys(METRICS)])

/** Throws OptionsError (KPL_ERR_INVALID_OPTIONS) that names every fault. */
export function resolveCloudWatchOptions(options: CloudWatchOptions): ResolvedCloudWatchOptions {
  assertGivenOptions('CloudWatchMetrics', options, KINDS)
  const { namespace = 'KinesisProducerLibrary', level = 'detailed', granularity = 'shard' } = options
  const { uploadDelayMs = MAX_DELAY_MS, uploadRetries = 2, clock = systemClock, wallMs = systemWallMs } = options
  const dimensions = (options.dimensions ?? []).filter(({ value }) => String(value).trim() !== '')
  const { client, write } = options
  const isDelayInBounds = uploadDelayMs === Number.POSITIVE_INFINITY || isInteger(uploadDelayMs, 1, MAX_DELAY_MS)
  const faults = [
    ...((client === undefined) === (write === undefined) ? ['give either client or write'] : []),
    ...(NAMESPACE.test(namespace) ? [] : ['namespace must have 1 to 255 characters and not begin with AWS/']),
    ...(LEVELS.includes(level) ? [] : [`level must be none, summary or detailed, got ${level}`]),
    ...(GRANULARITIES.includes(granularity) ? [] : [`granularity must be global, stream or shard, got ${granularity}`]),
    ...(isDelayInBounds ? [] : [`uploadDelayMs must be 1 to ${MAX_DELAY_MS} or Infinity, got ${uploadDelayMs}`]),
    ...(isInteger(uploadRetries, 0, MAX_RETRIES) ? [] : [`uploadRetries must be 0 to ${MAX_RETRIES}`]),
    ...dimensionFaults(dimensions)
  ]
  if (faults.length > 0) throw new OptionsError(faults)
  const sink =
    client === undefined
      ? emfSink({ write: write ?? ignore, namespace, wallMs, clock })
      : putMetricDataSink({ client, namespace, uploadRetries, clock })
  return {
    sink,
    level,
    granularity,
    dimensions,
    uploadDelayMs,
    logger: options.logger && messageFirst(options.logger),
    clock
  }
}

function dimensionFaults(dimensions: readonly ExtraDimension[]): string[] {
  const names = dimensions.map(({ name }) => name)
  const faults = dimensions.flatMap(({ name, value, granularity }) => [
    ...(isText(name, MAX_NAME_CHARACTERS) ? [] : [`the name of dimension ${name} must have 1 to 255 characters`]),
    ...(isText(value, MAX_VALUE_CHARACTERS) ? [] : [`the value of dimension ${name} must have 1 to 1024 characters`]),
    ...(TAKEN_NAMES.has(name) ? [`dimension ${name} has a name that is taken`] : []),
    ...(GRANULARITIES.includes(granularity) ? [] : [`dimension ${name} must have a granularity, got ${granularity}`])
  ])
  if (new Set(names).size < names.length) faults.push('two dimensions have one name')
  if (names.length > MAX_EXTRA_DIMENSIONS) faults.push(`at most ${MAX_EXTRA_DIMENSIONS} dimensions can be added`)
  return faults
}

function isText(value: unknown, maxCharacters: number): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= maxCharacters
}

function isInteger(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}

function ignore(): void {}

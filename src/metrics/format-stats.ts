/**
 * `stats()` as text for people: on a terminal, in a log, in a report of a fault.
 * Example: the buffer; then for each stream its records, requests and latencies, its errors by code, and a line for each shard.
 * Invariant: pure, and in ASCII as long as stream names are. One snapshot gives one text. It holds no payload and no partition key.
 */
import { wholeNumberFrom } from '../consumer/deaggregate/given-options.ts'
import type { LatencyStats } from '../stats/latency.ts'
import type { ProducerStats, ShardState, StreamState } from '../stats/stats.ts'
import { assertGivenOptions, assertSnapshot } from './given.ts'

/** How much `formatStats` writes. */
export interface FormatStatsOptions {
  /** The longest list: streams, the shards of a stream, its error codes. A last line counts the others. Default: 20. */
  readonly maxRows?: number
}

type Row = readonly string[]

const DEFAULT_MAX_ROWS = 20
const UNITS = ['byte', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/**
 * Returns a snapshot as lines of text, without a line break at the end. Streams stand in the order of their first use, shards with
 * the most throttled first, then those with the most records. Cost: O(streams x shards). Throws OptionsError for a value that is not a snapshot, and
 * for wrong options.
 *
 * @example
 * console.log(formatStats(producer.stats()))
 */
export function formatStats(stats: ProducerStats, options: FormatStatsOptions = {}): string {
  assertSnapshot('formatStats', stats)
  assertGivenOptions('formatStats', options, { maxRows: wholeNumberFrom(1) })
  const { maxRows = DEFAULT_MAX_ROWS } = options
  const { bufferedRecords, bufferMaxRecords, bufferedBytes, bufferMaxBytes, inFlightRequests } = stats
  const buffer = `${grouped(bufferedRecords)} of ${counted(bufferMaxRecords, 'record')}, ${size(bufferedBytes)} of ${size(bufferMaxBytes)}`
  const settled = `${grouped(stats.delivered)} delivered, ${grouped(stats.failed)} failed`
  const head = [
    ['buffer', `${buffer}, ${counted(inFlightRequests, 'request')} in flight`],
    ['records', `${settled}, ${grouped(stats.refused)} refused, ${grouped(stats.invalid)} invalid`]
  ]
  const streams = Object.entries(stats.streams)
  const shown = streams.slice(0, maxRows).map(([name, stream]) => streamText(name, stream, maxRows))
  return [aligned(head).join('\n'), ...shown, ...more(streams.length - shown.length)].join('\n\n')
}

function streamText(name: string, stream: StreamState, maxRows: number): string {
  const lines = [
    `stream ${name}`,
    ...aligned(factsOf(stream)),
    '',
    ...columns([['latency', 'p50', 'p90', 'p99', 'p99.9', 'max'], ...latencyRows(stream)]),
    ...codeLines(stream, maxRows),
    ...shardLines(stream, maxRows)
  ]
  return lines.join('\n')
}

function factsOf(stream: StreamState): Row[] {
  const { openShards, shardMapAgeMs } = stream
  const { count, sum } = stream.metrics.UserRecordsPerKinesisRecord
  const perRecord = count === 0 ? '' : `, ${(sum / count).toFixed(1)} user records in each`
  const settled = `${grouped(stream.userRecordsPut)} put, ${grouped(stream.userRecordsFailed)} failed`
  const map = shardMapAgeMs === undefined ? 'no shard map' : counted(openShards, 'open shard')
  return [
    [
      'user records',
      `${grouped(stream.userRecordsReceived)} received, ${settled}, ${grouped(stream.userRecordsPending)} pending`
    ],
    ['user data', size(stream.userRecordsDataPut)],
    ['Kinesis records', `${grouped(stream.kinesisRecordsPut)}, ${size(stream.kinesisRecordsDataPut)}${perRecord}`],
    ['requests', `${grouped(stream.requests)}, ${counted(stream.retries, 'Kinesis record')} sent again`],
    ['throttled', `${counted(stream.throttled, 'Kinesis record')}, ${percent(stream.throttledRatio)} of the answered`],
    ['mispredicted', `${counted(stream.mispredicted, 'Kinesis record')} in another shard than predicted`],
    ['duplicates', `${grouped(stream.duplicatesPossible)} possible`],
    ['state', `${map}, breaker ${stream.isBreakerOpen ? 'OPEN' : 'closed'}`],
    ['oldest record', `waits ${(stream.oldestRecordAgeMs / 1000).toFixed(1)} s`]
  ]
}

function latencyRows({ putToAck, requestTime }: StreamState): Row[] {
  const row = (name: string, { p50Ms, p90Ms, p99Ms, p999Ms, maxMs }: LatencyStats): Row => [
    name,
    ...[p50Ms, p90Ms, p99Ms, p999Ms, maxMs].map(ms => `${ms.toFixed(1)} ms`)
  ]
  return [row('put to ack', putToAck), row('request to answer', requestTime)]
}

function codeLines({ errorsByCode }: StreamState, maxRows: number): string[] {
  const codes = Object.entries(errorsByCode).sort(byCountThenName)
  if (codes.length === 0) return []
  const rows = codes.slice(0, maxRows).map(([code, count]): Row => [code, grouped(count)])
  return ['', ...columns([['error code', 'failed'], ...rows]), ...more(codes.length - rows.length)]
}

/** `records`: user records put; `Kinesis`, `throttled`, `failed`: Kinesis records. Short heads, because a terminal has 80 columns. */
function shardLines({ shards }: StreamState, maxRows: number): string[] {
  const entries = Object.entries(shards).sort(hottestFirst)
  if (entries.length === 0) return []
  const head = ['shard', 'records', 'data', 'Kinesis', 'throttled', 'failed', 'rate']
  const rows = entries
    .slice(0, maxRows)
    .map(
      ([shardId, shard]): Row => [
        shardId,
        grouped(shard.userRecordsPut),
        size(shard.userRecordsDataPut),
        grouped(shard.kinesisRecordsPut),
        grouped(shard.throttled),
        grouped(shard.allErrors),
        percent(shard.rateFactor)
      ]
    )
  return ['', ...columns([head, ...rows]), ...more(entries.length - rows.length)]
}

type ShardEntry = readonly [shardId: string, shard: ShardState]

function hottestFirst([leftId, left]: ShardEntry, [rightId, right]: ShardEntry): number {
  return right.throttled - left.throttled || right.userRecordsPut - left.userRecordsPut || order(leftId, rightId)
}

function byCountThenName([left, leftCount]: readonly [string, number], [right, rightCount]: readonly [string, number]) {
  return rightCount - leftCount || order(left, right)
}

/** By code units: the order must not depend on a locale. */
function order(left: string, right: string): number {
  return left < right ? -1 : Number(left > right)
}

/** `count` rows were left out. */
function more(count: number): string[] {
  return count > 0 ? [`  and ${grouped(count)} more`] : []
}

/** Names and their values, two columns to the left. */
function aligned(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([name = '']) => name.length))
  return rows.map(([name = '', value]) => `  ${name.padEnd(width)}  ${value}`)
}

/** A table: its first column to the left, figures to the right. */
function columns(rows: readonly Row[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]!.length), 0))
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)
  return rows.map(row => `  ${row.map(cell).join('  ')}`)
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** `noun` in the singular; its plural has an `s`. */
function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`
}

function size(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return power === 0 ? counted(bytes, UNITS[0]) : `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`
}

/**
 * The soak's words: a line every few seconds, a table at the end.
 * Invariant: every figure was counted or measured; nothing is computed from what should have happened.
 */
import type { ProducerStats } from '../../src/index.ts'
import type { Health } from './health.ts'
import type { Verdict } from './ledger.ts'
import type { ServerStatus } from './messages.ts'
import type { SoakResult } from './soak.ts'

export interface Totals {
  /** Of the generations that were judged. */
  readonly verdict: Verdict
  readonly generations: number
  readonly kinesisRecords: number
  readonly dropped: number
  readonly foreign: number
  readonly producer: ProducerStats
  /** How often the buffer was full. */
  readonly fullCount: number
  readonly server: ServerStatus | undefined
}

const MIB = 1_048_576

export function statusLine(seconds: number, totals: Totals, health: Health): string {
  const { producer, server, verdict } = totals
  return [
    `${seconds.toFixed(0).padStart(4)} s`,
    `${count(producer.delivered)} acknowledged`,
    `${count(producer.bufferedRecords)} buffered`,
    `${count(verdict.readBack)} read back`,
    `${verdict.lost} lost`,
    `${verdict.duplicates} duplicates (${verdict.unexplained} unexplained)`,
    `heap ${mib(health.lastLiveBytes)}`,
    `server ${mib(server?.liveBytes ?? 0)}`,
    `${server?.openShards ?? 0} shards`,
    server?.fault ?? 'calm'
  ].join(' | ')
}

/** Whether the run may be called a success. */
export function isSound({ verdict, foreign, generations }: SoakResult): boolean {
  return generations > 0 && verdict.lost + verdict.unexplained + verdict.denied + foreign === 0
}

export function report(result: SoakResult): string {
  const { verdict, health, server, producer, rotation } = result
  const errors = new Map<string, number>()
  for (const stream of Object.values(producer.streams)) {
    for (const [code, times] of Object.entries(stream.errorsByCode)) errors.set(code, (errors.get(code) ?? 0) + times)
  }
  const streams = Object.values(producer.streams)
  const rows: [string, string][] = [
    ['time', `${result.seconds.toFixed(0)} s, ${result.generations} generations of streams`],
    ['user records put', count(verdict.put)],
    ['acknowledged', count(verdict.acknowledged)],
    ['failed', count(verdict.failed)],
    [
      'read back, as a KCL consumer would',
      `${count(verdict.readBack)} in ${count(result.kinesisRecords)} Kinesis records`
    ],
    ['aggregates dropped by the KCL, sent again', count(result.dropped)],
    ['LOST: acknowledged, not read back', count(verdict.lost)],
    ['DENIED: failed as not stored, and read back', count(verdict.denied)],
    ['FOREIGN: read back, never put so', count(result.foreign)],
    ['duplicates', `${count(verdict.duplicates)} (${percent(verdict.duplicates, verdict.put)})`],
    ['DUPLICATES UNEXPLAINED', count(verdict.unexplained)],
    [
      'requests, retried records',
      `${count(sum(streams, each => each.requests))}, ${count(sum(streams, each => each.retries))}`
    ],
    ['buffer full', `${count(result.fullCount)} times`],
    ['reshards', count(server?.reshards ?? 0)],
    ['credentials', `${count(rotation.count)} sets, ${count(rotation.failures)} failures of the provider`],
    ['spells of faults', list(Object.entries(server?.spells ?? {}))],
    ['errors seen by the producer', list([...errors])],
    ['heap slope after two minutes', slopeText(health)],
    ['resident memory, highest', mib(health.maxRssBytes)],
    ['event loop delay, p50, p99, highest', `${ms(health, 50)}, ${ms(health, 99)}, ${ms(health, 100)}`],
    ["server's live memory at the end", `${mib(server?.liveBytes ?? 0)} (resident ${mib(server?.rssBytes ?? 0)})`]
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

function slopeText(health: Health): string {
  const { heapSlope, spanCount } = health
  if (heapSlope === undefined) return 'too short a run to tell'
  return `${(heapSlope / MIB).toFixed(2)} MiB/h over ${spanCount} spans of half a minute, now ${mib(health.lastLiveBytes)}`
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

function list(entries: readonly (readonly [string, number])[]): string {
  return entries.length === 0 ? 'none' : entries.map(([name, times]) => `${name} ${times}`).join(', ')
}

function ms(health: Health, percentile: number): string {
  return `${health.delayMs(percentile).toFixed(1)} ms`
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${((100 * part) / whole).toFixed(2)} %`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}

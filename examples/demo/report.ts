/**
 * The demo's last words: the producer's own figures, then what the reader found.
 * Invariant: every figure was counted; nothing is computed from what should have happened.
 */
import type { ProducerStats } from '../../src/index.ts'
import { formatStats } from '../../src/metrics/index.ts'
import type { Verification } from './verify.ts'
import { percentileMs, type Workload } from './workload.ts'

export function report(
  stats: ProducerStats,
  workload: Workload,
  verification: Verification,
  bufferMaxBytes: number
): string {
  const count = (value: number) => value.toLocaleString('en-US')
  const ms = (value: number) => `${value.toFixed(1)} ms`
  const rows: [string, string][] = [
    ['user records put', count(workload.put)],
    ['acknowledged', count(verification.acknowledged)],
    ['failed', count(verification.failed)],
    ['put to ack, undisturbed: p50 / p99 / max', latency(workload, 'calm')],
    ['put to ack, whole run: p50 / p99 / max', latency(workload, 'whole')],
    ['peak of the buffer', `${mib(workload.peakBufferedBytes)} of ${mib(bufferMaxBytes)}`],
    ['read back', count(verification.read)],
    ['duplicates (explained)', `${count(verification.duplicates)} (${count(verification.explained)})`],
    ['foreign or damaged', count(verification.foreign)],
    ['LOST', count(verification.lost)]
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
  return [formatStats(stats), '', 'verified', ...table].join('\n')

  function latency({ calm, whole }: Workload, part: 'calm' | 'whole'): string {
    const histogram = part === 'calm' ? calm : whole
    return [50, 99, 100].map(percentile => ms(percentileMs(histogram, percentile))).join(' / ')
  }
}

/** Whether the run is a success: nothing lost, nothing damaged, no duplicate without an explanation. */
export function isSound({ lost, foreign, duplicates, explained }: Verification): boolean {
  return lost === 0 && foreign === 0 && duplicates === explained
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`
}

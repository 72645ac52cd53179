/**
 * Shows how far the demo is: a screen that redraws itself on a terminal, one line a second elsewhere.
 * Invariant: only reads; what it prints is in the producer's `stats()` or is told by `say`. A line on a terminal is never wider than
 * the terminal, so that as many lines are erased as were drawn.
 */
import type { KinesisProducer, StreamStats } from '../../src/index.ts'
import { RECORD_BYTES, type Workload } from './workload.ts'

const TTY_MS = 200
const PLAIN_MS = 1000
const BAR_WIDTH = 24
const SHARD_BYTES_PER_SECOND = 1_048_576

export class Progress {
  readonly #out: NodeJS.WriteStream
  readonly #producer: KinesisProducer
  readonly #workload: Workload
  readonly #total: number
  #timer: NodeJS.Timeout | undefined
  #lines = 0
  #last = { atMs: performance.now(), records: 0, shardBytes: new Map<string, number>() }

  constructor(out: NodeJS.WriteStream, producer: KinesisProducer, workload: Workload, total: number) {
    this.#out = out
    this.#producer = producer
    this.#workload = workload
    this.#total = total
  }

  start(): void {
    this.#timer = setInterval(() => this.#draw(), this.#out.isTTY ? TTY_MS : PLAIN_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#draw()
    this.#lines = 0
  }

  /** Prints a line that stays. */
  say(text: string): void {
    this.#erase()
    this.#out.write(`${text}\n`)
  }

  #draw(): void {
    const stats = this.#producer.stats()
    const stream = Object.values(stats.streams)[0]
    if (stream === undefined) return
    const nowMs = performance.now()
    const seconds = Math.max(TTY_MS, nowMs - this.#last.atMs) / 1000
    const recordsPerSecond = (stats.delivered - this.#last.records) / seconds
    const total = this.#total.toLocaleString('en-US')
    const figure = (count: number) => Math.round(count).toLocaleString('en-US').padStart(total.length)
    const done = [
      `${figure(stats.delivered)} of ${total} acknowledged`,
      `${figure(recordsPerSecond)} records/s`,
      `${((recordsPerSecond * RECORD_BYTES) / 1e6).toFixed(1).padStart(4)} MB/s`
    ].join(' | ')
    const open = [
      `${figure(this.#workload.put)} put`,
      `${figure(stats.bufferedRecords)} buffered`,
      `${String(stats.inFlightRequests).padStart(2)} in flight`,
      `${stream.throttled} throttled`
    ].join(' | ')
    this.#erase()
    const lines = this.#out.isTTY
      ? [done, open, ...this.#bars(stream, seconds)].map(line => line.slice(0, this.#out.columns))
      : [`${done} | ${open}`]
    this.#out.write(`${lines.join('\n')}\n`)
    this.#lines = this.#out.isTTY ? lines.length : 0
    const shardBytes = new Map(Object.entries(stream.shards).map(([id, shard]) => [id, shard.kinesisRecordsDataPut]))
    this.#last = { atMs: nowMs, records: stats.delivered, shardBytes }
  }

  #bars(stream: StreamStats, seconds: number): string[] {
    return Object.entries(stream.shards)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([shardId, shard]) => {
        const before = this.#last.shardBytes.get(shardId) ?? 0
        const share = (shard.kinesisRecordsDataPut - before) / seconds / SHARD_BYTES_PER_SECOND
        const filled = Math.min(BAR_WIDTH, Math.round(share * BAR_WIDTH))
        const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '-')
        const throttled = shard.throttled > 0 ? `, ${shard.throttled} throttled` : ''
        return `  ${shardId} [${bar}] ${String(Math.round(share * 100)).padStart(3)} % of 1 MiB/s${throttled}`
      })
  }

  #erase(): void {
    if (this.#lines > 0) this.#out.write(`\u001b[${this.#lines}A\u001b[J`)
    this.#lines = 0
  }
}

/**
 * The progress of long work: one line on a terminal, a line each 30 s elsewhere, or a JSON line each second.
 * Example: `12,400 records  6,200/s  1.2 MB/s  34 throttled`.
 * Invariant: everything goes to stderr; nothing is drawn after `stop`, and no timer keeps the process alive.
 */
import type { Timer } from '../../index.ts'
import type { GlobalFlags } from '../arguments/global-flags.ts'
import type { Host } from '../ports.ts'
import type { Json } from './json.ts'

/** The state at one moment. Counts are since the start. */
export interface Reading {
  readonly records: number
  readonly bytes: number
  /** Further figures by name, as they are: `throttled`, `behindMs`, `waiting`. */
  readonly figures?: Readonly<Record<string, Json>> | undefined
}

const INTERVAL_MS = { tty: 250, plain: 30_000, json: 1000 } as const
const ERASE = '\r\u001b[2K'

export class Progress {
  readonly #host: Host
  readonly #mode: 'tty' | 'plain' | 'json' | 'none'
  #read: (() => Reading) | undefined
  #timer: Timer | undefined
  #last = { atMs: 0, records: 0, bytes: 0 }
  #isDrawn = false

  constructor(host: Host, { progress, quiet }: Pick<GlobalFlags, 'progress' | 'quiet'>) {
    this.#host = host
    const chosen = progress === 'auto' ? (host.stderr.isTTY ? 'tty' : 'plain') : progress
    this.#mode = quiet === true ? 'none' : chosen
  }

  /** Begins to show what `read` tells. */
  start(read: () => Reading): void {
    this.#read = read
    if (this.#mode === 'none') return
    this.#last = { atMs: this.#host.clock.nowMs(), records: 0, bytes: 0 }
    this.#arm(INTERVAL_MS[this.#mode])
  }

  /** Writes where the work is now as one JSON line, whatever the mode. */
  dump(): void {
    const reading = this.#read?.() ?? { records: 0, bytes: 0 }
    const { records, bytes, figures = {} } = reading
    void this.#host.stderr.write(`${JSON.stringify({ type: 'status', records, bytes, ...figures })}\n`)
  }

  /** Ends it, and clears the line of a terminal. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#read = undefined
    if (this.#isDrawn) void this.#host.stderr.write(ERASE)
    this.#isDrawn = false
  }

  #arm(intervalMs: number): void {
    const { clock } = this.#host
    this.#timer = clock.schedule(clock.nowMs() + intervalMs, () => {
      this.#show()
      this.#arm(intervalMs)
    })
    this.#timer.unref?.()
  }

  #show(): void {
    const reading = this.#read?.()
    if (reading === undefined) return
    const nowMs = this.#host.clock.nowMs()
    const seconds = Math.max(0.001, (nowMs - this.#last.atMs) / 1000)
    const recordsPerSecond = Math.round((reading.records - this.#last.records) / seconds)
    const bytesPerSecond = Math.round((reading.bytes - this.#last.bytes) / seconds)
    this.#last = { atMs: nowMs, records: reading.records, bytes: reading.bytes }
    const { records, bytes, figures = {} } = reading
    if (this.#mode === 'json') {
      const line = { type: 'progress', records, bytes, recordsPerSecond, bytesPerSecond, ...figures }
      void this.#host.stderr.write(`${JSON.stringify(line)}\n`)
      return
    }
    const parts = [
      `${grouped(records)} records`,
      `${grouped(recordsPerSecond)}/s`,
      `${(bytesPerSecond / 1_000_000).toFixed(1)} MB/s`,
      ...Object.entries(figures).map(([name, value]) => `${typeof value === 'number' ? grouped(value) : value} ${name}`)
    ]
    const line = parts.join('  ')
    const isTty = this.#mode === 'tty'
    this.#isDrawn = isTty
    void this.#host.stderr.write(isTty ? `${ERASE}${line.slice(0, this.#host.stderr.columns - 1)}` : `${line}\n`)
  }
}

/** Returns a number with commas: 12,400. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

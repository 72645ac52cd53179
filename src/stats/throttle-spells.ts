/**
 * Spells in which a shard is throttled. Throttled answers enter; a line leaves with the first, and one when there has been none
 * for `CALM_MS`.
 * Example: 400 answers within a minute have throttled records of shard 7 -> "shard throttled" with the first of them, "shard no
 * longer throttled" ten seconds after the last, with 400 answers.
 * Invariant: one line at each end of a spell; at most `MAX_SPELLS` shards are distinguished.
 */
import type { LogLine } from './log-line.ts'

/** Without a throttle for so long, the spell is over. */
export const CALM_MS = 10_000
const MAX_SPELLS = 10_000

interface ThrottleSpell {
  readonly streamName: string
  readonly shardId: string | undefined
  readonly startMs: number
  lastMs: number
  kinesisRecords: number
  answers: number
}

export class ThrottleSpells {
  readonly #spells = new Map<string, ThrottleSpell>()

  get isCalm(): boolean {
    return this.#spells.size === 0
  }

  /** An answer had `kinesisRecords` throttled ones for a lane; `''`: while the shard is unknown. */
  throttled(streamName: string, laneId: string, kinesisRecords: number, nowMs: number): LogLine | undefined {
    const key = `${laneId} ${streamName}`
    const spell = this.#spells.get(key)
    if (spell !== undefined) {
      spell.lastMs = nowMs
      spell.kinesisRecords += kinesisRecords
      spell.answers++
      return undefined
    }
    if (this.#spells.size >= MAX_SPELLS) return undefined
    const shardId = laneId === '' ? undefined : laneId
    this.#spells.set(key, { streamName, shardId, startMs: nowMs, lastMs: nowMs, kinesisRecords, answers: 1 })
    return { message: 'shard throttled', fields: { streamName, shardId, kinesisRecords } }
  }

  /** Ends the spells that are over, or all of them. */
  end(nowMs: number, all: boolean): LogLine[] {
    const lines: LogLine[] = []
    for (const [key, { streamName, shardId, startMs, lastMs, kinesisRecords, answers }] of this.#spells) {
      if (!all && nowMs - lastMs < CALM_MS) continue
      this.#spells.delete(key)
      const fields = { streamName, shardId, throttledMs: lastMs - startMs, kinesisRecords, answers }
      lines.push({ message: 'shard no longer throttled', fields })
    }
    return lines
  }
}

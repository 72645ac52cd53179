/**
 * Puts records at a steady rate, as a service does whose requests come one by one.
 * Invariant: every record that is due is put, and a run ends when each of its records is acknowledged.
 */
import type { LoadRecord } from './load.ts'

/** A service's way to put one record; `put` resolves when that is acknowledged, and rejects when it fails. */
export interface Way {
  put(record: LoadRecord): Promise<unknown>
  close(): Promise<unknown>
}

/** The clock of a run without a put. */
export const LOAD_ALONE: Way = { put: () => Promise.resolve(), close: () => Promise.resolve() }

const TICK_MS = 1

/** Puts the first `count` records of the pool in turn, `ratePerSecond` of them a second. */
export function putAtRate(way: Way, pool: readonly LoadRecord[], count: number, ratePerSecond: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    let put = 0
    let acknowledged = 0
    const settle = () => {
      if (++acknowledged === count) resolve()
    }
    const tick = () => {
      const dueCount = Math.min(count, Math.floor(((performance.now() - startMs) * ratePerSecond) / 1000))
      for (; put < dueCount; put++) way.put(pool[put % pool.length]!).then(settle, reject)
      if (put < count) setTimeout(tick, TICK_MS)
    }
    tick()
  })
}

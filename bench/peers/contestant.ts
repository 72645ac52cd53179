/**
 * The interface of a contestant in the end to end bench.
 * Invariant: `drive` resolves when the service has acknowledged every one of its records.
 */
import type { LoadRecord } from '../harness/load.ts'

export interface Contestant {
  /** Puts `count` records of the pool in turn, as fast as it can. */
  drive(count: number): Promise<void>
  close(): Promise<void>
}

export interface ContestantSetting {
  readonly endpoint: string
  readonly pool: readonly LoadRecord[]
}

export const STREAM_NAME = 'bench'
export const REGION = 'us-east-1'
export const CREDENTIALS = { accessKeyId: 'any', secretAccessKey: 'any' }
/** Requests that peers with concurrency have unanswered at one time: what our producer has by default. */
export const CONCURRENCY = 24
export const REQUEST_RECORDS = 500

/** Calls `work` for 0 to `count` - 1, in order, with at most `CONCURRENCY` unfinished. */
export async function concurrently(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, count) }, worker))
}

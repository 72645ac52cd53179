/**
 * What the two threads say to each other.
 * Invariant: types only; everything in them can be cloned.
 */
import type { CloseResult, ProducerStats } from '../../src/index.ts'
import type { Batch } from './batch.ts'

export type ToWorker =
  | ({ readonly kind: 'batch'; readonly id: number } & Batch)
  | { readonly kind: 'stats' }
  | { readonly kind: 'close'; readonly timeoutMs: number }

export type FromWorker =
  | { readonly kind: 'settled'; readonly id: number; readonly failures: readonly Failure[] }
  | { readonly kind: 'stats'; readonly stats: ProducerStats }
  | { readonly kind: 'closed'; readonly result: CloseResult }

/** A record of a batch that was not acknowledged. */
export interface Failure {
  /** Its place in the batch. */
  readonly index: number
  readonly code: string
  readonly message: string
  readonly retryable: boolean
}

/**
 * The messages between the command and a thread that runs a slice of it.
 * Invariant: data that can be cloned; the only word to a thread is `stop`.
 */
import type { GlobalFlags } from '../arguments/global-flags.ts'
import type { GenFlags } from './gen-flags.ts'
import type { LoadSecond } from './load-seconds.ts'
import type { SliceEnd, SliceProgress } from './run-slice.ts'
import type { Slice } from './slice.ts'

export interface SliceJob {
  readonly globals: GlobalFlags
  readonly flags: GenFlags
  readonly stream: string
  readonly slice: Slice
}

export interface ToldError {
  readonly code: string
  readonly message: string
  readonly fix: string | undefined
}

export type FromSlice =
  | { readonly kind: 'progress'; readonly progress: SliceProgress }
  | { readonly kind: 'second'; readonly second: LoadSecond }
  /** `times`: so many of this code since the last message. */
  | { readonly kind: 'error'; readonly error: ToldError; readonly times: number }
  | { readonly kind: 'end'; readonly end: SliceEnd }
  /** The slice was not done. */
  | { readonly kind: 'fault'; readonly error: ToldError }

export const STOP = 'stop'

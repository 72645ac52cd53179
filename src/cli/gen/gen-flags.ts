/**
 * The flags of `gen` as commander hands them over.
 * Invariant: types only.
 */
import type { Rate } from '../arguments/units.ts'
import type { KeyFlags } from '../input/key-selector.ts'
import type { SchemaFlags } from '../schema/schema-flags.ts'

export interface GenFlags extends KeyFlags, SchemaFlags {
  readonly template: string
  readonly rate?: Rate
  readonly rateProfile?: string
  readonly count?: number
  readonly duration?: number
  readonly seed?: string
  readonly sample?: number
  readonly gzip?: boolean
  readonly newline?: boolean
  readonly kdg?: boolean
  readonly simStart?: string
  readonly simEnd?: string
  readonly simTick: number
  readonly simWait: number
  readonly locale?: string
  readonly report?: string
  /** Threads. */
  readonly workers: number
}

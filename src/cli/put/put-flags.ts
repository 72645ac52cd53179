/**
 * The flags of `put` as commander hands them over.
 * Invariant: types only; defaults are where the flags are declared.
 */
import type { Rate } from '../arguments/units.ts'
import type { KeyFlags } from '../input/key-selector.ts'
import type { SchemaFlags } from '../schema/schema-flags.ts'

export type BadKeyPolicy = 'fail' | 'random' | 'skip'
export type MaxRecordPolicy = 'fail' | 'skip' | 'truncate'

export interface PutFlags extends KeyFlags, SchemaFlags {
  readonly in: 'lines' | 'ndjson' | 'csv' | 'records' | 'file' | 'u32'
  readonly delimiter?: string
  readonly null?: boolean
  readonly keepCr?: boolean
  readonly keepNewline?: boolean
  readonly csvDelimiter: string
  readonly header?: boolean
  readonly badKey: BadKeyPolicy
  readonly hashKey?: string
  readonly maxRecord: MaxRecordPolicy
  readonly maxLine: number
  readonly ordering?: 'none' | 'key'
  readonly dedupe?: boolean
  readonly aggregation: boolean
  readonly rate?: Rate
  readonly count?: number
  readonly skip: number
  readonly onFailure: 'continue' | 'stop'
  readonly deadLetter?: string
  readonly out: 'none' | 'outcomes'
  readonly tee?: boolean
  readonly dryRun?: boolean
  readonly shards: number
  readonly gunzip?: boolean
  readonly follow?: readonly string[]
  readonly state?: string
  readonly from?: 'start' | 'end'
  readonly once?: boolean
}

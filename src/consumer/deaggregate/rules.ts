/**
 * The rules of `DeaggregateOptions`, for every entry point that takes some of them.
 * Invariant: pure data; deaggregate.ts holds that every option has a rule.
 */
import { FLAG, numberFrom, oneOf } from './given-options.ts'
import { SHARD_RANGE } from './range-filter.ts'

export const SHARD_RULES = {
  shardRange: SHARD_RANGE,
  outOfRange: oneOf('filter', 'kcl', 'keep')
} as const

/** For whatever record, from whatever shard. */
export const RECORD_RULES = {
  onCorrupt: oneOf('plain', 'throw', 'skip'),
  maxUserRecords: numberFrom(0),
  copy: FLAG
} as const

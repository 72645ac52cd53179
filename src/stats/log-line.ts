/**
 * One line for the user's logger: its message is one of a table, and what varies is in its fields.
 * Invariant: this is the only list of what spells say; docs/errors.md has a row for each.
 */
import type { Logger } from '../model/ports.ts'

/** Every message, with its level. */
export const LOG_LEVELS = {
  'breaker opened': 'error',
  'breaker closed': 'info',
  'shard throttled': 'warn',
  'shard no longer throttled': 'info',
  'records failed': 'error',
  'records taken back': 'info',
  'ListShards failed': 'warn',
  'ListShards works again': 'info',
  'DescribeStreamSummary failed': 'warn',
  'DescribeStreamSummary works again': 'info'
} as const satisfies Readonly<Record<string, keyof Logger>>

export interface LogLine {
  readonly message: keyof typeof LOG_LEVELS
  /** Never a payload, nor a partition key. */
  readonly fields: Readonly<Record<string, unknown>>
}

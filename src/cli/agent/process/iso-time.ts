/**
 * The time of day as process steps write it.
 * Example: `2026-11-28T00:30:00.007Z`.
 * Invariant: UTC, with milliseconds.
 */
import { dateFormat } from '../../gen/dates.ts'

const format = dateFormat('YYYY-MM-DDTHH:mm:ss.SSS[Z]', 'utc')
/** Many records fall into one millisecond. */
let last = { epochMs: Number.NaN, text: '' }

export function isoTime(epochMs: number): string {
  if (epochMs !== last.epochMs) last = { epochMs, text: format(epochMs) }
  return last.text
}

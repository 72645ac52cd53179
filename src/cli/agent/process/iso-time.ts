/**
 * The time of day as process steps write it.
 * Example: `2026-11-28T00:30:00.007Z`.
 * Invariant: UTC, with milliseconds.
 */
import { dateFormat } from '../../gen/dates.ts'

export const isoTime = dateFormat('YYYY-MM-DDTHH:mm:ss.SSS[Z]', 'utc')

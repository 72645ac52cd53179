/**
 * When Kinesis took a record, from whatever an SDK, an event, a command line or a fake writes for it.
 * Invariant: the answer is whole milliseconds since the epoch or undefined, and nothing is ever thrown for a time: it says
 * something about a record and decides nothing.
 */

/** A date, seconds or milliseconds since the epoch, or ISO 8601 text. */
export type ArrivalTime =
  | {
      /** Returns milliseconds since the epoch, as a Date does. */
      getTime(): number
    }
  | number
  | string

/** 1973 in milliseconds, 5138 in seconds: Kinesis gives no time before the one or after the other. */
const LEAST_MS = 1e11
/** 2001 in seconds. Smaller numbers are those of a clock that began at 0, in the unit of the record's shape. */
const LEAST_SECONDS = 1e9

/** `isMs`: numbers too small to tell are milliseconds, else seconds. */
export function arrivalMs(time: unknown, isMs: boolean): number | undefined {
  const number = typeof time === 'number' ? time : typeof time === 'string' ? numberIn(time) : millisecondsOf(time)
  const isInMs = typeof time === 'object' || number >= LEAST_MS || (isMs && number < LEAST_SECONDS)
  const ms = Math.round(isInMs ? number : number * 1000)
  return Number.isFinite(ms) ? ms : undefined
}

function numberIn(text: string): number {
  return /^[\d.]+$/.test(text) ? Number(text) : Date.parse(text)
}

function millisecondsOf(time: unknown): number {
  try {
    return Number((time as { getTime(): number }).getTime())
  } catch {
    // Not swallowed: it is no date, so there is no time.
    return Number.NaN
  }
}

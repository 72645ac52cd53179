/**
 * Dates in the tokens that moment.js made common.
 * Example: `YYYY-MM-DDTHH:mm:ssZ` is 2026-11-27T21:38:04+00:00.
 * Invariant: compiled once; a token that is not in the table is refused, not printed as it is.
 */

interface Parts {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly ms: number
  readonly offsetMinutes: number
  readonly epochMs: number
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December'
]
const DAY_MS = 86_400_000

const TOKENS: Readonly<Record<string, (parts: Parts) => string>> = {
  YYYY: ({ year }) => padded(year, 4),
  YY: ({ year }) => padded(year % 100, 2),
  MMMM: ({ month }) => MONTHS[month - 1]!,
  MMM: ({ month }) => MONTHS[month - 1]!.slice(0, 3),
  MM: ({ month }) => padded(month, 2),
  M: ({ month }) => String(month),
  DDDD: ({ year, epochMs, offsetMinutes }) =>
    padded(Math.floor((epochMs + offsetMinutes * 60_000 - Date.UTC(year, 0, 1)) / DAY_MS) + 1, 3),
  DD: ({ day }) => padded(day, 2),
  D: ({ day }) => String(day),
  dddd: ({ weekday }) => DAYS[weekday]!,
  ddd: ({ weekday }) => DAYS[weekday]!.slice(0, 3),
  HH: ({ hour }) => padded(hour, 2),
  H: ({ hour }) => String(hour),
  hh: ({ hour }) => padded(hour % 12 || 12, 2),
  h: ({ hour }) => String(hour % 12 || 12),
  mm: ({ minute }) => padded(minute, 2),
  m: ({ minute }) => String(minute),
  ss: ({ second }) => padded(second, 2),
  s: ({ second }) => String(second),
  SSS: ({ ms }) => padded(ms, 3),
  SS: ({ ms }) => padded(Math.floor(ms / 10), 2),
  S: ({ ms }) => String(Math.floor(ms / 100)),
  A: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  a: ({ hour }) => (hour < 12 ? 'am' : 'pm'),
  ZZ: parts => offsetOf(parts, ''),
  Z: parts => offsetOf(parts, ':'),
  X: ({ epochMs }) => String(Math.floor(epochMs / 1000)),
  x: ({ epochMs }) => String(epochMs)
}

export const DEFAULT_FORMAT = 'YYYY-MM-DDTHH:mm:ssZ'

const NEXT =
  /\[([^\]]*)\]|(YYYY|YY|M{1,4}|D{1,4}|d{1,4}|HH?|hh?|mm?|ss?|S{1,3}|A|a|ZZ?|X|x)|(T)|([^A-Za-z[]+)|([A-Za-z])/g

/** Returns what prints epoch milliseconds in a format. Throws TypeError for a token that there is not. */
export function dateFormat(format: string, zone: 'local' | 'utc'): (epochMs: number) => string {
  const parts = [...format.matchAll(NEXT)].map(([text, literal, token, t]) => {
    if (literal !== undefined) return () => literal
    if (token === undefined) {
      const isText = t !== undefined || !/^[A-Za-z]$/.test(text)
      if (!isText) throw new TypeError(`takes no token ${text}; write [${text}] for the letter`)
      return () => text
    }
    const print = Object.hasOwn(TOKENS, token) ? TOKENS[token] : undefined
    if (print === undefined) throw new TypeError(`takes no token ${token}`)
    return print
  })
  const read = zone === 'utc' ? utcParts : localParts
  return epochMs => {
    const date = read(Math.floor(epochMs))
    return parts.map(part => part(date)).join('')
  }
}

function utcParts(epochMs: number): Parts {
  const date = new Date(epochMs)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    ms: date.getUTCMilliseconds(),
    offsetMinutes: 0,
    epochMs
  }
}

function localParts(epochMs: number): Parts {
  const offsetMinutes = -new Date(epochMs).getTimezoneOffset()
  return { ...utcParts(epochMs + offsetMinutes * 60_000), offsetMinutes, epochMs }
}

/** The weekday, 0 for Sunday, and the hour with its fraction. */
export function weekHourOf(
  epochMs: number,
  zone: 'local' | 'utc'
): { readonly weekday: number; readonly hour: number } {
  const { weekday, hour, minute, second, ms } = zone === 'utc' ? utcParts(epochMs) : localParts(epochMs)
  return { weekday, hour: hour + (minute + (second + ms / 1000) / 60) / 60 }
}

function offsetOf({ offsetMinutes }: Parts, separator: string): string {
  const size = Math.abs(offsetMinutes)
  return `${offsetMinutes < 0 ? '-' : '+'}${padded(Math.floor(size / 60), 2)}${separator}${padded(size % 60, 2)}`
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0')
}

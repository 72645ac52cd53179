/**
 * Sizes, times, instants and rates as people write them.
 * Example: `64KiB` is 65,536 bytes, `15m` is 900,000 ms, `-15m` as an instant is a quarter of an hour ago.
 * Invariant: what does not match as a whole is refused with what would; nothing is guessed.
 */
import { CliError } from '../errors.ts'

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1000,
  mb: 1_000_000,
  gb: 1_000_000_000,
  kib: 1024,
  mib: 1_048_576,
  gib: 1_073_741_824
}
const TIME_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}

/** Returns bytes: `512`, `64KiB`, `1MiB`, `5MB`. */
export function sizeBytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? []
  const factor = digits === '' ? undefined : SIZE_UNITS[unit.toLowerCase()]
  const bytes = factor === undefined ? Number.NaN : Math.round(Number(digits) * factor)
  if (!Number.isSafeInteger(bytes)) throw usage(`${shown(text)} is not a size; write 512, 64KiB, 1MiB or 5MB`)
  return bytes
}

/** Returns milliseconds: `250ms`, `30s`, `15m`, `1h`, `7d`. */
export function durationMs(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  const factor = TIME_UNITS[unit]
  if (digits === '' || factor === undefined) {
    throw usage(`${shown(text)} is not a time; write 250ms, 30s, 15m, 1h or 7d`)
  }
  return Number(digits) * factor
}

/** Returns epoch milliseconds: RFC 3339, `YYYY-MM-DD`, 10-digit seconds, 13-digit milliseconds, or a time ago as `-15m`. */
export function instantMs(text: string, nowMs: number): number {
  if (text.startsWith('-')) return Math.round(nowMs - durationMs(text.slice(1)))
  if (/^\d{10}$/.test(text)) return Number(text) * 1000
  if (/^\d{13}$/.test(text)) return Number(text)
  const isDate = /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2}))?$/.test(text)
  const ms = isDate ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    throw usage(`${shown(text)} is not an instant; write 2026-11-27T10:00:00Z, 2026-11-27, epoch s or ms, or -15m`)
  }
  return ms
}

/** Returns a whole number from `min` on, up to `max`. */
export function wholeNumber(text: string, min = 0, max = Number.POSITIVE_INFINITY): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  const end = Number.isFinite(max) ? `to ${max}` : 'on'
  if (!(value >= min && value <= max)) throw usage(`${shown(text)} is not a whole number from ${min} ${end}`)
  return value
}

/** Returns a part of one: `10%` or `0.1`. */
export function fraction(text: string): number {
  const [, digits = '', percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? []
  const value = digits === '' ? Number.NaN : Number(digits) / (percent === '%' ? 100 : 1)
  if (!(value <= 1)) throw usage(`${shown(text)} is not a part of one; write 10% or 0.1`)
  return value
}

/** How much a second. */
export interface Rate {
  readonly per: 'records' | 'bytes'
  readonly perSecond: number
}

/** Returns a rate: `500`, `500/s`, `2MB/s`; `max` is no bound. */
export function rateOf(text: string): Rate {
  if (text === 'max') return { per: 'records', perSecond: Number.POSITIVE_INFINITY }
  const amount = text.replace(/\/s$/, '')
  if (/^\d+(?:\.\d+)?$/.test(amount) && Number(amount) > 0) return { per: 'records', perSecond: Number(amount) }
  if (/[a-z]$/i.test(amount) && text.endsWith('/s')) return { per: 'bytes', perSecond: sizeBytes(amount) }
  throw usage(`${shown(text)} is not a rate; write 500/s, 2MB/s or max`)
}

function usage(message: string): CliError {
  return new CliError('CLI_ERR_USAGE', message)
}

const MAX_SHOWN = 40

function shown(text: string): string {
  return `"${text.slice(0, MAX_SHOWN).replace(/[^\x20-\x7e]/g, '?')}"`
}

/** Returns epoch milliseconds of an HTTP date, undefined for another text. */
export function instantOfHttpDate(text: string): number | undefined {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

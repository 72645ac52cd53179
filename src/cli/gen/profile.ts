/**
 * A rate for each hour of the week, with its spread.
 * Example: `{"default":{"mean":100,"sd":10},"hours":{"mon":[20,20,...]}}`.
 * Invariant: with smoothing the mean moves in a straight line to that of the next hour, across midnight and from Sunday to Monday;
 * a key that is not known is an error with its path.
 */
import { objectOf } from '../config.ts'
import { CliError } from '../errors.ts'
import { weekHourOf } from './dates.ts'

export interface HourRate {
  readonly mean: number
  readonly sd: number
}

export interface Profile {
  readonly zone: 'local' | 'utc'
  readonly isSmooth: boolean
  /** 168 hours from Sunday 00:00. */
  readonly hours: readonly HourRate[]
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const HOURS = 24
const DEFAULT_RATE: HourRate = { mean: 100, sd: 10 }

/** Returns the profile of a parsed file. Throws CLI_ERR_CONFIG. */
export function profileOf(value: unknown, path: string): Profile {
  const file = objectOf(value, path, ['timeZone', 'smoothing', 'default', 'hours'])
  const { timeZone = 'local', smoothing = true } = file
  if (timeZone !== 'local' && timeZone !== 'utc') throw wrong(`${path}: timeZone is "local" or "utc"`)
  if (typeof smoothing !== 'boolean') throw wrong(`${path}: smoothing is true or false`)
  const otherwise =
    file['default'] === undefined ? DEFAULT_RATE : rateOf(file['default'], `${path}: default`, DEFAULT_RATE)
  const days = objectOf(file['hours'] ?? {}, `${path}: hours`, DAYS)
  const hours = DAYS.flatMap(day => {
    const list = days[day] ?? []
    if (!Array.isArray(list) || (list.length !== HOURS && list.length !== 0)) {
      throw wrong(`${path}: hours.${day} must have ${HOURS} entries`)
    }
    return Array.from({ length: HOURS }, (_, hour) =>
      rateOf(list[hour] ?? null, `${path}: hours.${day}[${hour}]`, otherwise)
    )
  })
  return { zone: timeZone, isSmooth: smoothing, hours }
}

/** Returns the rate at a time of day. */
export function rateAt({ hours, zone, isSmooth }: Profile, atMs: number): HourRate {
  const { weekday, hour } = weekHourOf(atMs, zone)
  const place = weekday * HOURS + Math.floor(hour)
  const rate = hours[place]!
  if (!isSmooth) return rate
  const next = hours[(place + 1) % hours.length]!
  const part = hour % 1
  return { mean: rate.mean + (next.mean - rate.mean) * part, sd: rate.sd + (next.sd - rate.sd) * part }
}

function rateOf(value: unknown, path: string, otherwise: HourRate): HourRate {
  if (value === null) return otherwise
  if (typeof value === 'number' && value >= 0) return { mean: value, sd: 0 }
  const { mean = otherwise.mean, sd = otherwise.sd } = objectOf(value, path, ['mean', 'sd'])
  const isRate = typeof mean === 'number' && mean >= 0 && typeof sd === 'number' && sd >= 0
  if (!isRate) throw wrong(`${path}: mean and sd are numbers from 0`)
  return { mean, sd }
}

function wrong(message: string): CliError {
  return new CliError('CLI_ERR_CONFIG', message)
}

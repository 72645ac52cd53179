/**
 * The time flags of `gen`: the schedule, and the simulated time if there is one.
 * Invariant: pure, except that it reads the profile's file; flags that exclude each other are CLI_ERR_USAGE.
 */
import type { Random } from '../../index.ts'
import { seededRandom } from '../../testing/index.ts'
import { instantMs } from '../arguments/units.ts'
import { parseJsonc, readText } from '../config.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { GenFlags } from './gen-flags.ts'
import type { Simulated } from './pace.ts'
import { profileOf } from './profile.ts'
import { constantRate, profileRate, type Schedule } from './schedule.ts'

const DEFAULT_PER_SECOND = 10

export function scheduleOf(session: Session, flags: GenFlags, simStartMs: number | undefined): Schedule | 'max' {
  const { rate, rateProfile: profile, seed } = flags
  if (rate !== undefined && profile !== undefined)
    throw new CliError('CLI_ERR_USAGE', '--rate and --rate-profile exclude each other')
  if (profile !== undefined) {
    const random: Random = seed === undefined ? session.host.random : seededRandom(seed).split('profile')
    return profileRate(
      profileOf(parseJsonc(readText(profile), profile), profile),
      simStartMs ?? session.host.wallMs(),
      random
    )
  }
  if (rate === undefined) return constantRate(DEFAULT_PER_SECOND)
  if (rate.per === 'bytes') throw new CliError('CLI_ERR_USAGE', '--rate of gen counts records: 500/s')
  if (Number.isFinite(rate.perSecond)) return constantRate(rate.perSecond)
  if (simStartMs !== undefined) throw new CliError('CLI_ERR_USAGE', '--rate max has no simulated time')
  return 'max'
}

export function simulationOf({ host }: Session, { simStart, simEnd }: GenFlags): Simulated | undefined {
  if (simStart === undefined && simEnd === undefined) return undefined
  if (simStart === undefined || simEnd === undefined)
    throw new CliError('CLI_ERR_USAGE', '--sim-start and --sim-end belong together')
  const startMs = instantMs(simStart, host.wallMs())
  const endMs = instantMs(simEnd, host.wallMs())
  if (endMs <= startMs) throw new CliError('CLI_ERR_USAGE', '--sim-end must be after --sim-start')
  return { startMs, endMs }
}

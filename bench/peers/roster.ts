/**
 * The contestants of the end to end bench, and the work that each leaves to its user.
 * Invariant: the names are what tables and plots show; the first is what the others are compared with.
 */
import type { Side } from '../harness/report.ts'
import type { Contestant, ContestantSetting } from './contestant.ts'
import { openLifion, openWritable } from './installed.ts'
import { openKinesisAgg } from './kinesis-agg.ts'
import { hasCbor, openOurs } from './ours.ts'
import { openBest, openNaive } from './sdk.ts'

export interface Entrant {
  readonly name: string
  readonly side: Side
  readonly open: (setting: ContestantSetting) => Contestant
  /** The work that is left to its user. */
  readonly lacks: string
  /** Not a dependency of the project: see `installed.ts`. */
  readonly isInstalled?: boolean
}

export const OURS = 'kinesis-producer, tryPut'
export const OURS_PUT = 'kinesis-producer, put'
export const OURS_CBOR = 'kinesis-producer, tryPut, CBOR'
export const SDK_BEST = 'SDK, best way'

const ALL: readonly (Entrant & { readonly isAbsent?: boolean })[] = [
  { name: OURS, side: 'ours', open: openOurs('tryPut'), lacks: '-' },
  { name: OURS_PUT, side: 'ours', open: openOurs('put'), lacks: '-' },
  {
    name: OURS_CBOR,
    side: 'ours',
    open: openOurs('tryPut', { wireFormat: 'cbor' }),
    lacks: '-',
    isAbsent: !hasCbor
  },
  {
    name: 'SDK, naive',
    side: 'SDK',
    open: openNaive,
    lacks: 'aggregation, concurrency, partial failures, back-pressure, rate limit, order after failures'
  },
  {
    name: SDK_BEST,
    side: 'SDK',
    open: openBest,
    lacks: 'aggregation, back-pressure, rate limit, order; partial failures: 12 lines of ours'
  },
  {
    name: 'aws-kinesis-agg and SDK',
    side: 'others',
    open: openKinesisAgg,
    lacks: 'shards (misrouted members are lost to KCL), deadlines, back-pressure, rate limit, order; the rest as above'
  },
  {
    name: 'lifion-kinesis 1.3.3',
    side: 'others',
    open: openLifion,
    lacks:
      'aggregation, batches (a call is a request), back-pressure, rate limit, an end to retries, order after failures',
    isInstalled: true
  },
  {
    name: 'aws-kinesis-writable 4.3.0',
    side: 'others',
    open: openWritable,
    lacks:
      'aggregation, partial failures (lost without a message), back-pressure, acknowledgements, an end, rate limit, order',
    isInstalled: true
  }
]

export const ROSTER: readonly Entrant[] = ALL.filter(({ isAbsent = false }) => !isAbsent)

/**
 * The options of a reader, and their checks.
 * Invariant: all faults come at once, by the names of their options; no value is repeated that could be long.
 */

import {
  FLAG,
  FUNCTION,
  having,
  numberFrom,
  type OptionRules,
  oneOf,
  optionFaults,
  wholeNumberFrom
} from '../consumer/deaggregate/given-options.ts'
import { RECORD_RULES, SHARD_RULES } from '../consumer/deaggregate/rules.ts'
import type { DeaggregateOptions } from '../consumer/deaggregate.ts'
import type { Clock, Random } from '../model/ports.ts'
import { kindOf, streamNameFault } from '../model/records.ts'
import type { OnRetry } from './retry-notice.ts'
import { PLACE, type StreamStart } from './shard-tree.ts'

/** The options of `readStream`. */
export interface ReadStreamOptions extends Omit<DeaggregateOptions, 'shardRange'> {
  /** Where to start. Default: `'TRIM_HORIZON'`, the oldest record kept. */
  readonly from?: StreamStart | undefined
  /** Ends the reading; the iteration then finishes without error. */
  readonly signal?: AbortSignal | undefined
  /** False: finish when every shard was read up to its newest record. Default: true, wait for more. */
  readonly follow?: boolean | undefined
  /** Between two reads of a shard that has nothing new, in milliseconds. Default: 1,000. */
  readonly idleMs?: number | undefined
  /** Kinesis records of one read, at most. Default: the service's 10,000. */
  readonly maxRecordsPerRead?: number | undefined
  /** Time for one call and its answer, in milliseconds; it is made again after that. Default: 10,000. */
  readonly requestTimeoutMs?: number | undefined
  /**
   * The treatment of a saved place that cannot be of the shard, because the stream was deleted and created again. `'throw'`,
   * the default: KPL_ERR_STALE_POSITION. `'restart'`: forget the position, because all of it is of the former stream.
   */
  readonly onStalePosition?: 'throw' | 'restart' | undefined
  /**
   * Called for every call that failed and is repeated. An error that it throws changes nothing, and is a process warning.
   * Default: a process warning (KPL_WARN_READ_RETRY) at the third failure in a row, once until all calls are answered again.
   */
  readonly onRetry?: OnRetry | undefined
  /** Time and timers, for tests. Default: the machine's. */
  readonly clock?: Clock | undefined
  /** Random numbers for pauses, for tests. Default: `Math.random`. */
  readonly random?: Random | undefined
}

const MAX_RECORDS_PER_READ = 10_000
const MAX_SHOWN = 64
/** Fifteen digits, as in a place; a date of JavaScript takes a few more. */
const MAX_TIMESTAMP_MS = 999_999_999_999_999

const RULES: OptionRules<ReadStreamOptions> = {
  ...RECORD_RULES,
  outOfRange: SHARD_RULES.outOfRange,
  // `startFault` says more.
  from: { must: '', isMet: () => true },
  signal: {
    must: 'an AbortSignal',
    isMet: value =>
      typeof Object(value).aborted === 'boolean' && having('addEventListener', 'removeEventListener').isMet(value)
  },
  follow: FLAG,
  idleMs: numberFrom(0, Number.MAX_SAFE_INTEGER),
  maxRecordsPerRead: wholeNumberFrom(1, MAX_RECORDS_PER_READ),
  requestTimeoutMs: numberFrom(1, Number.MAX_SAFE_INTEGER),
  onStalePosition: oneOf('throw', 'restart'),
  onRetry: FUNCTION,
  clock: having('nowMs', 'schedule'),
  random: FUNCTION
}

/** Returns what is wrong with the arguments of `readStream`, one sentence each. */
export function readerFaults(client: unknown, streamName: unknown, options: unknown): readonly string[] {
  const nameFault = streamNameFault(streamName)
  const faults: (string | undefined)[] = [
    typeof Object(client).send === 'function' ? undefined : 'client must have a send method',
    nameFault === undefined ? undefined : `streamName ${nameFault}`,
    startFault(Object(options).from),
    ...optionFaults(options, RULES, 'options')
  ]
  return faults.filter(fault => fault !== undefined)
}

function startFault(from: unknown): string | undefined {
  if (from === undefined || from === 'TRIM_HORIZON' || from === 'LATEST') return undefined
  const kinds = "'TRIM_HORIZON', 'LATEST', { timestampMs } or a position"
  if (typeof from !== 'object' || from === null) return `from must be ${kinds}, got ${kindOf(from)}`
  if ('shards' in from && 'timestampMs' in from) return `from must be one of ${kinds}, got two at once`
  if ('shards' in from) return placesFault(from.shards)
  const { timestampMs } = from as { readonly timestampMs?: unknown }
  const isTime =
    typeof timestampMs === 'number' &&
    Number.isInteger(timestampMs) &&
    timestampMs >= 0 &&
    timestampMs <= MAX_TIMESTAMP_MS
  return isTime
    ? undefined
    : `from must be ${kinds}; timestampMs must be whole milliseconds since the epoch, at most ${MAX_TIMESTAMP_MS}`
}

function placesFault(shards: unknown): string | undefined {
  if (!isPlain(shards)) return `from.shards must be a plain object, got ${kindOf(shards)}`
  const bad = Object.entries(shards).find(([, place]) => typeof place !== 'string' || !PLACE.test(place))
  if (bad === undefined) return undefined
  return `from.shards must hold places as position() returns them; the place of ${bad[0].slice(0, MAX_SHOWN)} is not valid`
}

/** Of this or another realm. The entries of a Map are no properties, so a position in one would be empty. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

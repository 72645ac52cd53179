/**
 * Whether a stream can be read as it was asked for.
 * Invariant: every fault is told at once, by the name of its option; no value is repeated that could be long.
 */
import { kindOf, streamNameFault } from '../model/records.ts'
import { PLACE } from './shard-tree.ts'

const MAX_RECORDS_PER_READ = 10_000
const MAX_SHOWN = 64
/** Fifteen digits, as in a place. */
const MAX_TIMESTAMP_MS = 999_999_999_999_999

/** Returns what is wrong with the arguments of `readStream`, one sentence each. */
export function readerFaults(client: unknown, streamName: unknown, options: unknown): readonly string[] {
  const nameFault = streamNameFault(streamName)
  const faults: (string | undefined)[] = [
    typeof Object(client).send === 'function' ? undefined : 'client must have a send method',
    nameFault === undefined ? undefined : `streamName ${nameFault}`
  ]
  if (typeof options !== 'object' || options === null) faults.push(`options must be an object, got ${kindOf(options)}`)
  else faults.push(...optionFaults(options))
  return faults.filter(fault => fault !== undefined)
}

function optionFaults(options: object): (string | undefined)[] {
  const { from, idleMs, requestTimeoutMs, maxRecordsPerRead, onStalePosition } = options as Record<string, unknown>
  const isStart = from === undefined || from === 'TRIM_HORIZON' || from === 'LATEST'
  const isKnown = onStalePosition === undefined || onStalePosition === 'throw' || onStalePosition === 'restart'
  return [
    isStart ? undefined : startFault(from),
    numberFault('idleMs', idleMs, 0, Number.MAX_SAFE_INTEGER),
    numberFault('requestTimeoutMs', requestTimeoutMs, 1, Number.MAX_SAFE_INTEGER),
    numberFault('maxRecordsPerRead', maxRecordsPerRead, 1, MAX_RECORDS_PER_READ),
    isKnown ? undefined : `onStalePosition must be 'throw' or 'restart', got ${kindOf(onStalePosition)}`
  ]
}

function numberFault(name: string, value: unknown, min: number, max: number): string | undefined {
  if (value === undefined || (typeof value === 'number' && value >= min && value <= max)) return undefined
  return `${name} must be a number from ${min} to ${max}, got ${typeof value === 'number' ? value : kindOf(value)}`
}

function startFault(from: unknown): string | undefined {
  const kinds = "'TRIM_HORIZON', 'LATEST', { timestampMs } or a position"
  if (typeof from !== 'object' || from === null) return `from must be ${kinds}, got ${kindOf(from)}`
  if ('shards' in from) return placesFault(from.shards)
  const { timestampMs } = from as { readonly timestampMs?: unknown }
  const isTime =
    typeof timestampMs === 'number' &&
    Number.isInteger(timestampMs) &&
    timestampMs >= 0 &&
    timestampMs <= MAX_TIMESTAMP_MS
  return isTime ? undefined : `from must be ${kinds}; timestampMs must be whole milliseconds since the epoch`
}

function placesFault(shards: unknown): string | undefined {
  if (!isPlain(shards)) return `from.shards must be a plain object, got ${kindOf(shards)}`
  const bad = Object.entries(shards).find(([, place]) => typeof place !== 'string' || !PLACE.test(place))
  if (bad === undefined) return undefined
  return `from.shards must hold places as position() returns them; that of ${bad[0].slice(0, MAX_SHOWN)} is none`
}

/** Of this or another realm. The entries of a Map are no properties, so a position in one would be empty. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

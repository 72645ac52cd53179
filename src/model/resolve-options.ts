/**
 * Checks options against their table and fills in the defaults.
 * Invariant: what is returned is complete and within every bound; otherwise every fault is reported at once.
 */
import { clientFault, credentialsFault, requestHandlerFault } from './client-options.ts'
import { endpointFault, regionFault } from './endpoint-policy.ts'
import { OptionsError } from './errors.ts'
import { DEFAULT_RECORD_BYTES, RECORD_OVERHEAD_BYTES } from './limits.ts'
import { messageFirst } from './object-first-logger.ts'
import { unknownOption } from './option-hints.ts'
import { OPTIONS, type OptionEntry, type OptionName, type ProducerOptions, type ResolvedOptions } from './options.ts'
import { arnFault, kindOf, streamNameFault } from './records.ts'

const LOGGER_METHODS = ['debug', 'info', 'warn', 'error'] as const
const CHOICE = /^[A-Za-z][\w-]{0,15}$/
/** Room that a partition key of 256 characters may need in UTF-8. */
const KEY_ROOM_BYTES = 1024

/**
 * Returns every option with its value. The argument is copied, never changed.
 * Throws OptionsError (KPL_ERR_INVALID_OPTIONS) naming every fault at once, unknown names included.
 */
export function resolveOptions(given: ProducerOptions): ResolvedOptions {
  if (!isPlainObject(given))
    throw new OptionsError([`options must be an object, got ${kindOf(given)}${streamHint(given)}`])
  const faults: string[] = []
  const faulty = new Set<string>()
  const resolved: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries<OptionEntry>(OPTIONS)) {
    if ('default' in entry) resolved[name] = entry.default
  }
  for (const [name, value] of Object.entries(given)) {
    const entry: OptionEntry | undefined = Object.hasOwn(OPTIONS, name) ? OPTIONS[name as OptionName] : undefined
    if (value === undefined && entry !== undefined) continue
    const fault = entry === undefined ? unknownOption(name) : valueFault(name as OptionName, entry, value)
    if (fault === undefined) resolved[name] = value
    else {
      faults.push(fault)
      faulty.add(name)
    }
  }
  // The decoder of this table: every present value has just been checked against its entry's kind.
  const options = resolved as unknown as ResolvedOptions
  for (const { names, faultsOf } of RELATIONS) {
    if (!names.some(name => faulty.has(name))) faults.push(...faultsOf(options))
  }
  if (faults.length > 0) throw new OptionsError(faults)
  return options.logger === undefined ? options : { ...options, logger: messageFirst(options.logger) }
}

function valueFault(name: OptionName, entry: OptionEntry, value: unknown): string | undefined {
  switch (entry.kind) {
    case 'integer': {
      const isInteger = Number.isInteger(value) || (value === Number.POSITIVE_INFINITY && entry.max === value)
      if (!isInteger) return `${name} must be a whole number of ${entry.unit}, got ${describe(value)}`
      const isInBounds = (value as number) >= entry.min && (value as number) <= entry.max
      return isInBounds
        ? undefined
        : `${name} must be from ${entry.min} to ${entry.max} ${entry.unit}, got ${describe(value)}`
    }
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `${name} must be true or false, got ${describe(value)}`
    case 'choice':
      return entry.choices.some(choice => choice === value)
        ? undefined
        : `${name} must be one of ${entry.choices.join(', ')}, got ${describeChoice(value)}`
    case 'text':
      if (name === 'streamName') return prefixed('streamName', streamNameFault(value))
      if (typeof value !== 'string' || value.length === 0) {
        return `${name} must be a non-empty string, got ${describe(value)}`
      }
      return name === 'region' ? prefixed('region', regionFault(value)) : undefined
    case 'object':
      return objectFault(name, value)
  }
}

function objectFault(name: OptionName, value: unknown): string | undefined {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  if (!isObject) return `${name} must be an object, got ${describe(value)}`
  if (name === 'client') return clientFault(value)
  if (name === 'credentials') return credentialsFault(value)
  if (name === 'requestHandler') return requestHandlerFault(value)
  const missing = LOGGER_METHODS.filter(method => typeof (value as Record<string, unknown>)[method] !== 'function')
  if (missing.length === 0) return undefined
  const hint = typeof value === 'function' ? '; it is a function: call it, and give what it returns' : ''
  return `logger must have the methods ${missing.join(', ')}${hint}`
}

/** What several options have to satisfy together. */
interface Relation {
  /** It is not asked when one of these is faulty by itself: there is nothing to compare then. */
  readonly names: readonly OptionName[]
  readonly faultsOf: (options: ResolvedOptions) => readonly string[]
}

const CLIENTS_OWN = ['region', 'endpoint', 'credentials', 'requestHandler'] as const

/** Faults that no single option shows. */
const RELATIONS: readonly Relation[] = [
  {
    names: ['bufferMaxBytes', 'maxUserRecordBytes'],
    faultsOf: ({ bufferMaxBytes, maxUserRecordBytes }) => {
      const leastBytes = maxUserRecordBytes + KEY_ROOM_BYTES + RECORD_OVERHEAD_BYTES
      const fault = `bufferMaxBytes must hold one record of maxUserRecordBytes, at least ${leastBytes} bytes`
      return bufferMaxBytes < leastBytes ? [`${fault}, got ${bufferMaxBytes}; or lower maxUserRecordBytes`] : []
    }
  },
  {
    names: ['aggregationMaxBytes', 'maxUserRecordBytes'],
    faultsOf: ({ aggregationMaxBytes, maxUserRecordBytes }) => {
      const fault = `aggregationMaxBytes must not exceed maxUserRecordBytes (${maxUserRecordBytes} bytes)`
      const isTooLarge = aggregationMaxBytes > Math.max(maxUserRecordBytes, DEFAULT_RECORD_BYTES)
      return isTooLarge ? [`${fault}, got ${aggregationMaxBytes}`] : []
    }
  },
  {
    names: ['recordMaxBufferedTimeMs', 'recordTtlMs'],
    faultsOf: ({ recordMaxBufferedTimeMs, recordTtlMs }) => {
      const fault = `recordMaxBufferedTimeMs must be less than recordTtlMs (${recordTtlMs} ms)`
      return recordMaxBufferedTimeMs >= recordTtlMs ? [`${fault}, got ${recordMaxBufferedTimeMs}`] : []
    }
  },
  {
    names: ['retryCapMs', 'retryBaseMs'],
    faultsOf: ({ retryCapMs, retryBaseMs }) =>
      retryCapMs < retryBaseMs ? [`retryCapMs must be at least retryBaseMs (${retryBaseMs} ms), got ${retryCapMs}`] : []
  },
  {
    names: ['dedupeTags', 'aggregationEnabled'],
    faultsOf: ({ dedupeTags, aggregationEnabled }) =>
      dedupeTags && !aggregationEnabled
        ? ['dedupeTags needs aggregates to carry the tags: it must be false while aggregationEnabled is, got true']
        : []
  },
  {
    names: [],
    faultsOf: options =>
      options.client === undefined
        ? []
        : CLIENTS_OWN.filter(name => options[name] !== undefined).map(
            name => `${name} belongs to the client: give it there, not beside client`
          )
  },
  {
    names: ['wireFormat'],
    faultsOf: ({ client, wireFormat }) =>
      client === undefined || wireFormat === 'json'
        ? []
        : ["wireFormat belongs to the producer's own client: a client that is given writes JSON"]
  },
  {
    names: ['endpoint', 'allowInsecureEndpoint'],
    faultsOf: ({ endpoint, allowInsecureEndpoint }) => {
      const fault = endpoint && prefixed('endpoint', endpointFault(endpoint, allowInsecureEndpoint))
      return fault === undefined ? [] : [fault]
    }
  },
  {
    names: ['streamName', 'region'],
    faultsOf: ({ streamName = '', region }) => {
      const fault = prefixed('streamName', arnFault(streamName, region))
      return fault === undefined ? [] : [fault]
    }
  }
]

function isPlainObject(given: unknown): boolean {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

function streamHint(given: unknown): string {
  return typeof given === 'string' ? ': write { streamName: ... }' : ''
}

/** Numbers and booleans are said; anything else only by kind, because it may be a secret. */
function describe(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
}

/** A short word was meant to be one of the choices. Anything else may be a secret in the wrong place. */
function describeChoice(value: unknown): string {
  if (typeof value !== 'string') return describe(value)
  return CHOICE.test(value) ? `'${value}'` : `a string of ${value.length} characters`
}

function prefixed(name: string, fault: string | undefined): string | undefined {
  return fault === undefined ? undefined : `${name} ${fault}`
}

/**
 * Checks options against their table and fills in the defaults.
 * Invariant: what is returned is complete and within every bound; otherwise every fault is reported at once.
 */
import { clientFault, credentialsFault, requestHandlerFault } from './client-options.ts'
import { endpointFault, regionFault } from './endpoint-policy.ts'
import { errorText, OptionsError } from './errors.ts'
import { DEFAULT_RECORD_BYTES, RECORD_OVERHEAD_BYTES } from './limits.ts'
import { loggerFault, messageFirst } from './object-first-logger.ts'
import { unknownOption } from './option-hints.ts'
import { OPTIONS, type OptionEntry, type OptionName, type ProducerOptions, type ResolvedOptions } from './options.ts'
import { arnFault, isPlainObject, kindOf, streamNameFault } from './records.ts'

const CHOICE = /^[A-Za-z][\w-]{0,15}$/
/** Room that a partition key of 256 characters may need in UTF-8. */
const KEY_ROOM_BYTES = 1024

/**
 * Returns every option with its value. The argument is copied, never changed.
 * Throws OptionsError (KPL_ERR_INVALID_OPTIONS) naming every fault at once, unknown names included.
 */
export function resolveOptions(given: ProducerOptions): ResolvedOptions {
  const faults = shapeFaults(given)
  if (faults.length > 0) throw new OptionsError(faults)
  const faulty = new Set<string>()
  const resolved: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries<OptionEntry>(OPTIONS)) {
    if ('default' in entry) resolved[name] = entry.default
  }
  for (const name of Object.keys(given)) {
    const { value, fault } = isOption(name) ? optionOf(given, name) : { fault: unknownOption(name) }
    if (fault !== undefined) {
      faults.push(fault)
      faulty.add(name)
    } else if (value !== undefined) resolved[name] = value
  }
  // The decoder of this table: every present value has just been checked against its entry's kind.
  const options = resolved as unknown as ResolvedOptions
  for (const { names, faultsOf } of RELATIONS) {
    if (!names.some(name => faulty.has(name))) faults.push(...faultsOf(options))
  }
  if (faults.length > 0) throw new OptionsError(faults)
  return options.logger === undefined ? options : { ...options, logger: messageFirst(options.logger) }
}

/** The fault of the options as a whole: they are not an object, or have options in a place that is not read. */
function shapeFaults(given: unknown): string[] {
  const kind = kindOf(given)
  const hint = typeof given === 'string' ? ': write { streamName: ... }' : kind === 'Promise' ? ': await it' : ''
  if (typeof given !== 'object' || given === null || kind === 'array') {
    return [`options must be an object, got ${kind}${hint}`]
  }
  try {
    const names = new Set(Object.keys(given))
    const inherited = Object.keys(OPTIONS).filter(name => name in given && !names.has(name))
    // Of a promise, a map or a date nothing is an option, so every option would have its default.
    if (names.size > 0 || inherited.length > 0 || isPlainObject(given)) return inherited.map(inheritedFault)
  } catch {
    // Not swallowed: the error is part of the fault.
  }
  return [`options must be an object with options in it, got ${kind}${hint}`]
}

function inheritedFault(name: string): string {
  return `${name} is inherited or hidden; the constructor reads only enumerable properties of the options object itself`
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name)
}

/** Reads an option once, and checks it. An error during the read is a fault of that option. */
function optionOf(given: ProducerOptions, name: OptionName): { readonly value?: unknown; readonly fault?: string } {
  try {
    const value: unknown = given[name]
    const fault = value === undefined ? undefined : valueFault(name, OPTIONS[name], value)
    return fault === undefined ? { value } : { fault }
  } catch (error) {
    return { fault: `${name} cannot be read: it threw ${errorText(error)}` }
  }
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
  if (isPromise(value) && name !== 'credentials') return `${name} must be an object, got ${PROMISE}`
  if (name === 'client') return clientFault(value)
  if (name === 'credentials') return credentialsFault(value)
  if (name === 'requestHandler') return requestHandlerFault(value)
  return loggerFault(value)
}

const PROMISE = 'a promise: await it'

function isPromise(value: object): boolean {
  return typeof Reflect.get(value, 'then') === 'function'
}

/** The relations between several options. */
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
        : ["wireFormat belongs to the producer's own client: your own client writes JSON"]
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

/**
 * The options of the registry and the decoder, and the request for a schema.
 * Invariant: every fault is named at once; no definition is repeated.
 */
import {
  FLAG,
  having,
  type OptionRules,
  oneOf,
  optionFaults,
  wholeNumberFrom
} from '../consumer/deaggregate/given-options.ts'
import { OptionsError } from '../model/errors.ts'
import type { Clock, Logger } from '../model/ports.ts'
import { isPlainObject } from '../model/records.ts'
import type { GlueClientLike } from './glue-client.ts'
import type { DataFormat, SchemaSerializer } from './schema.ts'

/** The rule for the next version of a schema. */
export type Compatibility =
  | 'NONE'
  | 'DISABLED'
  | 'BACKWARD'
  | 'BACKWARD_ALL'
  | 'FORWARD'
  | 'FORWARD_ALL'
  | 'FULL'
  | 'FULL_ALL'

export const DATA_FORMATS: readonly DataFormat[] = ['AVRO', 'JSON', 'PROTOBUF']
export const COMPATIBILITIES: readonly Compatibility[] = [
  'NONE',
  'DISABLED',
  'BACKWARD',
  'BACKWARD_ALL',
  'FORWARD',
  'FORWARD_ALL',
  'FULL',
  'FULL_ALL'
]

/** The options of every call to Glue. */
export interface GlueCallOptions {
  /** A `GlueClient` of `@aws-sdk/client-glue`. Never destroyed here. */
  readonly client: GlueClientLike
  /** Tries of a call after the first, when it may succeed later. Default: 3. */
  readonly retries?: number | undefined
  /** Time for one try, in milliseconds. Default: 10,000. */
  readonly requestTimeoutMs?: number | undefined
  /** Gets warnings. Default: a process warning (KPL_WARN_SCHEMA), once. */
  readonly logger?: Logger | undefined
  /** Time and timers, for tests. Default: the machine's. */
  readonly clock?: Clock | undefined
}

/** The options of `glueRegistry`. */
export interface GlueRegistryOptions extends GlueCallOptions {
  /** The registry. Default: `'default-registry'`. */
  readonly registryName?: string | undefined
  /** Whether a definition that Glue does not know is registered. Default: false, as in the KPL. */
  readonly autoRegister?: boolean | undefined
  /** The rule of a schema that is created. Default: `'BACKWARD'`. */
  readonly compatibility?: Compatibility | undefined
  /** `'zlib'` compresses data where that makes the record smaller. Default: `'none'`. */
  readonly compression?: 'none' | 'zlib' | undefined
  /** Data shorter than this are not tried with zlib. Default: 256. */
  readonly compressMinBytes?: number | undefined
  /** Schemas kept; the one used least recently goes first. Default: 200. */
  readonly cacheSize?: number | undefined
  /** A kept schema is looked up again after this time, in the background. Default: 86,400,000, a day. */
  readonly cacheTtlMs?: number | undefined
  /** The description of a schema that is created. */
  readonly description?: string | undefined
  /** The tags of a schema that is created. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** The metadata of a version that is registered, at most 10 pairs. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/** A schema to look up, or to register. */
export interface SchemaRequest<Value = never> {
  /** The schema's name. The KPL uses the stream's where none is given. */
  readonly name: string
  /** The format of the definition and the data. */
  readonly dataFormat: DataFormat
  /** The text of the definition, at most 170,000 characters, as it is or will be registered. */
  readonly definition: string
  /** Written into the metadata of a version that is registered, as the KPL does it. */
  readonly streamName?: string | undefined
  /** Turns values into data, for `serialize` of the schema. */
  readonly serializer?: SchemaSerializer<Value> | undefined
}

const MAX_DEFINITION_CHARACTERS = 170_000
const MAX_NAME_CHARACTERS = 255
const MAX_METADATA_PAIRS = 10
const MAX_CACHED = 100_000
const MAX_RETRIES = 10

const NAME = {
  must: `text of 1 to ${MAX_NAME_CHARACTERS} characters`,
  isMet: (value: unknown) => typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_CHARACTERS
}
const TEXT = { must: 'text', isMet: (value: unknown) => typeof value === 'string' }
const DEFINITION = {
  must: `text of 1 to ${MAX_DEFINITION_CHARACTERS} characters`,
  isMet: (value: unknown) => typeof value === 'string' && value.length > 0 && value.length <= MAX_DEFINITION_CHARACTERS
}

function pairs(maxCount?: number): { readonly must: string; readonly isMet: (value: unknown) => boolean } {
  const bound = maxCount === undefined ? '' : `, at most ${maxCount}`
  const isMet = (value: unknown): boolean => {
    if (!isPlainObject(value)) return false
    const values: unknown[] = Object.values(value)
    return values.every(TEXT.isMet) && (maxCount === undefined || values.length <= maxCount)
  }
  return { must: `an object of texts by name${bound}`, isMet }
}

export const CALL_RULES: OptionRules<GlueCallOptions> = {
  client: having('send'),
  retries: wholeNumberFrom(0, MAX_RETRIES),
  requestTimeoutMs: wholeNumberFrom(1),
  logger: having('debug', 'info', 'warn', 'error'),
  clock: having('nowMs', 'schedule')
}

const REGISTRY_RULES: OptionRules<GlueRegistryOptions> = {
  ...CALL_RULES,
  registryName: NAME,
  autoRegister: FLAG,
  compatibility: oneOf(...COMPATIBILITIES),
  compression: oneOf('none', 'zlib'),
  compressMinBytes: wholeNumberFrom(0),
  cacheSize: wholeNumberFrom(1, MAX_CACHED),
  cacheTtlMs: wholeNumberFrom(1),
  description: TEXT,
  tags: pairs(),
  metadata: pairs(MAX_METADATA_PAIRS)
}

const REQUEST_RULES: OptionRules<SchemaRequest> = {
  name: NAME,
  dataFormat: oneOf(...DATA_FORMATS),
  definition: DEFINITION,
  streamName: TEXT,
  serializer: having('serialize')
}

/** Throws OptionsError. */
export function assertRegistryOptions(options: GlueRegistryOptions): void {
  assertRules(options, REGISTRY_RULES, ['client'])
}

/** Throws OptionsError. */
export function assertRequest<Value>(request: SchemaRequest<Value>): void {
  assertRules(request, REQUEST_RULES, ['name', 'dataFormat', 'definition'])
}

/** Throws OptionsError with all faults; an option of `needed` has to be there. */
export function assertRules<Options>(given: unknown, rules: OptionRules<Options>, needed: readonly string[]): void {
  const faults = optionFaults(given, rules, 'the argument')
  const missing = needed.filter(name => Object(given)[name] === undefined).map(name => `${name} is missing`)
  if (faults.length + missing.length > 0) throw new OptionsError([...missing, ...faults])
}

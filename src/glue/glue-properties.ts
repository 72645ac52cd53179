/**
 * Reads the properties file of the Glue Schema Registry's Java library into our options, for users who come from it.
 * Invariant: every property of the file ends up in exactly one of the lists; nothing is dropped.
 * Source: AWSSchemaRegistryConstants and GlueSchemaRegistryConfiguration, aws-glue-schema-registry 2.0.0, read 2026-11.
 */
import { OptionsError } from '../model/errors.ts'
import { parseProperties } from '../model/properties-file.ts'
import { kindOf } from '../model/records.ts'
import type { GlueRegistryOptions } from './registry-options.ts'

/** The content of a properties file of the Java library, sorted. */
export interface GlueProperties {
  /** Options for `glueRegistry`, without a client; values are as in the file and not yet checked. */
  readonly options: Omit<GlueRegistryOptions, 'client'>
  /** For `new GlueClient(client)`. */
  readonly client: {
    /** The region of the registry. */
    readonly region?: string
    /** The URL of Glue. */
    readonly endpoint?: string
  }
  /** For `registry.schema({ ...schema, definition })`. */
  readonly schema: {
    /** The name of the schema. */
    readonly name?: string
    /** `AVRO`, `JSON` or `PROTOBUF`. */
    readonly dataFormat?: string
  }
  /** Properties that have no meaning here, with the reason. */
  readonly notApplicable: readonly {
    /** The property of the file. */
    readonly property: string
    /** Why it has no meaning here. */
    readonly reason: string
  }[]
  /** Names that the Java library does not know either. */
  readonly unknown: readonly string[]
}

const GIVEN_SERIALIZER = 'values are made by the serializer or deserializer that you give'
const SDK = "belongs to the AWS SDK client's configuration"

export const GLUE_NOT_APPLICABLE: Readonly<Record<string, string>> = {
  avroRecordType: GIVEN_SERIALIZER,
  protobufMessageType: GIVEN_SERIALIZER,
  jsonClassName: GIVEN_SERIALIZER,
  jsonClassNameToDeserialize: GIVEN_SERIALIZER,
  jacksonSerializationFeatures: GIVEN_SERIALIZER,
  jacksonDeserializationFeatures: GIVEN_SERIALIZER,
  secondaryDeserializer: 'a record without a frame comes out as it is; decode it yourself',
  schemaNameGenerationClass: 'the name is given with each schema',
  proxyUrl: SDK,
  userAgentApp: SDK,
  assumeRoleArn: SDK,
  assumeRoleSessionName: SDK
}

type Part = 'options' | 'client' | 'schema'
type Place = readonly [part: Part, name: string, read?: (text: string) => unknown]

const PLACES: Readonly<Record<string, Place>> = {
  region: ['client', 'region'],
  endpoint: ['client', 'endpoint'],
  'registry.name': ['options', 'registryName'],
  schemaName: ['schema', 'name'],
  dataFormat: ['schema', 'dataFormat', text => text.toUpperCase()],
  compatibility: ['options', 'compatibility', text => text.toUpperCase()],
  description: ['options', 'description'],
  compression: ['options', 'compression', text => text.toLowerCase()],
  timeToLiveMillis: ['options', 'cacheTtlMs', numberOf],
  cacheSize: ['options', 'cacheSize', numberOf],
  schemaAutoRegistrationEnabled: ['options', 'autoRegister', flagOf],
  tags: ['options', 'tags', pairsOf],
  metadata: ['options', 'metadata', pairsOf]
}

/**
 * Returns the options that a properties file of the Java library asks for. Values that are not what they should be are left as
 * text, so that `glueRegistry` names them. Throws OptionsError for a value that is not text.
 *
 * @example
 * const { options, schema } = fromGlueProperties('registry.name = shop\nschemaName = orders')
 * options // => { registryName: 'shop' }
 * schema // => { name: 'orders' }
 */
export function fromGlueProperties(text: string): GlueProperties {
  if (typeof text !== 'string') {
    throw new OptionsError([`fromGlueProperties takes the file's text, got ${kindOf(text)}`])
  }
  const parts: Record<Part, Record<string, unknown>> = { options: {}, client: {}, schema: {} }
  const notApplicable: { property: string; reason: string }[] = []
  const unknown: string[] = []
  for (const [property, value] of new Map(parseProperties(text))) {
    const place = Object.hasOwn(PLACES, property) ? PLACES[property] : undefined
    if (place !== undefined) {
      const [part, name, read = (asIs: string) => asIs] = place
      parts[part][name] = read(value.replace(/\\(.)/g, '$1'))
    } else if (Object.hasOwn(GLUE_NOT_APPLICABLE, property)) {
      notApplicable.push({ property, reason: GLUE_NOT_APPLICABLE[property]! })
    } else unknown.push(property)
  }
  return { ...parts, notApplicable, unknown }
}

function numberOf(text: string): unknown {
  return /^\d{1,15}$/.test(text) ? Number(text) : text
}

/** Java reads anything but `true` as false. */
function flagOf(text: string): boolean {
  return text.toLowerCase() === 'true'
}

/** `{a=1, b=2}` or `a=1,b=2`, as a map of Java is written. */
function pairsOf(text: string): unknown {
  const inner = text.replace(/^\{|\}$/g, '').trim()
  if (inner === '') return {}
  const entries = inner.split(',').map(pair => /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(pair))
  if (entries.some(entry => entry === null)) return text
  return Object.fromEntries(entries.map(entry => [entry![1], entry![2]]))
}

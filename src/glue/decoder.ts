/**
 * Records with a Glue frame, back to data and their schema: after de-aggregation, before the user's own code.
 * Example: { data: 03 00 id `{"a":1}` } -> { data: `{"a":1}`, schema: { versionId, name: 'orders', ... } }.
 * Invariant: bytes that are not a frame come out as they went in; of one version at most one look-up is under way; no more than
 * `maxInflatedBytes` is inflated. Versions never change, so they are kept until others need the room.
 */
import { invalidInput } from '../consumer/deaggregate/consumer-error.ts'
import { numberFrom, type OptionRules, oneOf, wholeNumberFrom } from '../consumer/deaggregate/given-options.ts'
import { errorText, SchemaError } from '../model/errors.ts'
import type { Clock } from '../model/ports.ts'
import { systemClock } from '../system.ts'
import { isBytes } from '../wire/bytes.ts'
import { type Frame, readFrame } from './frame.ts'
import { GlueCalls } from './glue-calls.ts'
import type { VersionAnswer } from './glue-client.ts'
import { inflated } from './inflate.ts'
import { Recent } from './recent.ts'
import { assertRules, CALL_RULES, DATA_FORMATS, type GlueCallOptions } from './registry-options.ts'
import type { DataFormat } from './schema.ts'
import { isRefusal } from './service-failure.ts'
import { type Warn, warner } from './warner.ts'

/** The schema that a record was written with. */
export interface RecordSchema {
  /** The UUID of the schema version. */
  readonly versionId: string
  /** The format of the data. */
  readonly dataFormat: DataFormat
  /** The text of the schema. */
  readonly definition: string
  /** The name of the schema; undefined when Glue's answer does not name it. */
  readonly name: string | undefined
  /** The name of its registry; undefined when Glue's answer does not name it. */
  readonly registryName: string | undefined
}

/** Makes a value of data, or a promise of one; `schema` is the writer's. An error of it becomes KPL_ERR_SCHEMA_DATA. */
export type Deserializer = (data: Uint8Array, schema: RecordSchema) => unknown

/** The options of `glueDecoder`. */
export interface GlueDecoderOptions extends GlueCallOptions {
  /** A payload that inflates to more is not decoded. Default: 10 MiB, the largest record of Kinesis. */
  readonly maxInflatedBytes?: number | undefined
  /** One function for each format. Without one for a record's format, its `value` is undefined. */
  readonly deserializers?: Readonly<Partial<Record<DataFormat, Deserializer>>> | undefined
  /**
   * The fate of a record with a frame that cannot be decoded. `'pass'`, the default: it comes out unchanged, with a warning, as in
   * the KCL. `'throw'`: SchemaError.
   */
  readonly onUndecodable?: 'pass' | 'throw' | undefined
  /** Versions kept. Default: 200. */
  readonly cacheSize?: number | undefined
}

/** The fields that a decoded record has beside its own. */
export interface DecodedFields {
  /** The data behind the frame, inflated. */
  readonly data: Uint8Array
  /** The schema of the writer; undefined when the record was not decoded. */
  readonly schema?: RecordSchema | undefined
  /** The deserialized data. */
  readonly value?: unknown
}

/** A record with its data behind the frame, and the schema of its writer. */
export type DecodedRecord<Source> = Omit<Source, 'data'> & DecodedFields

/** Takes the frame of a schema off records. */
export interface GlueDecoder {
  /**
   * Returns a copy of the record with the data behind its frame, or the record itself when it has none. Data that were not
   * compressed are a view. Rejects with SchemaError if `onUndecodable` says so, and with KPL_ERR_INVALID_INPUT for a value that is not a record with bytes.
   *
   * @example
   * const decoder = glueDecoder({ client: glue })
   * for (const record of deaggregateAll(kinesisRecords)) {
   *   const { data, schema } = await decoder.decode(record)
   *   console.log(schema?.name, Buffer.from(data).toString())
   * }
   */
  decode<
    Source extends {
      /** The data, with the frame of a schema or without. */
      readonly data: Uint8Array
    }
  >(record: Source): Promise<DecodedRecord<Source>>
}

const DEFAULT_MAX_INFLATED_BYTES = 10_485_760
const DEFAULT_CACHE_SIZE = 200
const DEFAULT_RETRIES = 3
const DEFAULT_TIMEOUT_MS = 10_000
/** A foreign record that looks like a frame would ask Glue each time. */
const NEGATIVE_TTL_MS = 60_000
const REFUSALS_KEPT = 200
const LASTING: readonly string[] = ['KPL_ERR_SCHEMA_NOT_FOUND', 'KPL_ERR_SCHEMA_ACCESS']
/** Larger buffers Node.js does not make. */
const MAX_INFLATED_BYTES = 2 ** 31
const ARN = /^arn:[^:]*:glue:[^:]*:[^:]*:schema\/([^/]+)\/(.+)$/

const RULES: OptionRules<GlueDecoderOptions> = {
  ...CALL_RULES,
  maxInflatedBytes: numberFrom(1, MAX_INFLATED_BYTES),
  deserializers: {
    must: `an object of functions by format (${DATA_FORMATS.join(', ')})`,
    isMet: value =>
      Object.entries(Object(value)).every(
        ([format, made]) =>
          DATA_FORMATS.some(known => known === format) && (made === undefined || typeof made === 'function')
      )
  },
  onUndecodable: oneOf('pass', 'throw'),
  cacheSize: wholeNumberFrom(1)
}

/**
 * Returns a decoder of records that were written with a Glue schema, by this library, the KPL or any serializer of AWS. Throws
 * OptionsError.
 *
 * @example
 * const decoder = glueDecoder({ client: glue })
 * export const handler = kinesisHandler(record => console.log(record.schema?.name, record.data), { decoder })
 */
export function glueDecoder(options: GlueDecoderOptions): GlueDecoder {
  assertRules(options, RULES, ['client'])
  return new CachedDecoder(options)
}

class CachedDecoder implements GlueDecoder {
  readonly #options: GlueDecoderOptions
  readonly #clock: Clock
  readonly #calls: GlueCalls
  readonly #warn: Warn
  readonly #known: Recent<RecordSchema>
  /** Apart from `#known`, so that foreign records that look like frames drive no schema out. */
  readonly #refused: Recent<{ readonly error: SchemaError; readonly expiresMs: number }>
  readonly #underWay = new Map<string, Promise<RecordSchema>>()

  constructor(options: GlueDecoderOptions) {
    const { client, clock = systemClock, retries = DEFAULT_RETRIES, requestTimeoutMs = DEFAULT_TIMEOUT_MS } = options
    this.#options = options
    this.#clock = clock
    this.#calls = new GlueCalls({ client, clock, retries, requestTimeoutMs })
    this.#warn = warner(options.logger, clock)
    this.#known = new Recent(options.cacheSize ?? DEFAULT_CACHE_SIZE)
    this.#refused = new Recent(REFUSALS_KEPT)
  }

  async decode<Source extends { readonly data: Uint8Array }>(record: Source): Promise<DecodedRecord<Source>> {
    const given: unknown = record
    if (!hasBytes(given)) throw invalidInput('record', 'an object whose data are bytes (deaggregate gives such)', given)
    const frame = readFrame(record.data)
    if (frame === undefined) return record
    try {
      return { ...record, ...(await this.#decoded(frame)) }
    } catch (error) {
      if (this.#options.onUndecodable === 'throw') throw error
      this.#warn('a record with a schema was not decoded', { versionId: frame.versionId, error: errorText(error) })
      return record
    }
  }

  async #decoded({ versionId, compression, payload }: Frame): Promise<DecodedFields> {
    const { maxInflatedBytes = DEFAULT_MAX_INFLATED_BYTES, deserializers = {} } = this.#options
    // First what costs nothing: a foreign record is most often found out here.
    const data = compression === 'zlib' ? inflated(payload, maxInflatedBytes) : payload
    const schema = await this.#schemaOf(versionId)
    const deserialize = deserializers[schema.dataFormat]
    if (deserialize === undefined) return { data, schema }
    try {
      return { data, schema, value: await deserialize(data, schema) }
    } catch (cause) {
      const { name: schemaName, registryName } = schema
      const message = `the deserializer of ${schema.dataFormat} threw at data of schema ${schemaName}, version ${versionId}`
      throw new SchemaError('KPL_ERR_SCHEMA_DATA', message, { registryName, schemaName, versionId, cause })
    }
  }

  #schemaOf(versionId: string): RecordSchema | Promise<RecordSchema> {
    const known = this.#known.get(versionId)
    if (known !== undefined) return known
    const refused = this.#refused.get(versionId)
    if (refused !== undefined && this.#clock.nowMs() < refused.expiresMs) throw refused.error
    const before = this.#underWay.get(versionId)
    if (before !== undefined) return before
    const looking = this.#lookUp(versionId)
      .then(
        schema => {
          this.#known.set(versionId, schema)
          return schema
        },
        (error: unknown) => {
          const isLasting = error instanceof SchemaError && LASTING.includes(error.code)
          if (isLasting) this.#refused.set(versionId, { error, expiresMs: this.#clock.nowMs() + NEGATIVE_TTL_MS })
          throw error
        }
      )
      .finally(() => this.#underWay.delete(versionId))
    this.#underWay.set(versionId, looking)
    return looking
  }

  async #lookUp(versionId: string): Promise<RecordSchema> {
    const facts = { versionId }
    const input = { SchemaVersionId: versionId }
    const make = (glue: typeof import('@aws-sdk/client-glue')) => new glue.GetSchemaVersionCommand(input)
    const answer = await this.#calls.version('GetSchemaVersion', make, facts)
    if (isRefusal(answer)) {
      const text =
        'no schema of this account and region has this version; a frame of another account, or no frame at all'
      return this.#calls.fail('KPL_ERR_SCHEMA_NOT_FOUND', text, { ...facts, serviceCode: 'EntityNotFoundException' })
    }
    return recordSchema(versionId, answer) ?? this.#calls.fail('KPL_ERR_SCHEMA_UNAVAILABLE', NO_VERSION, facts)
  }
}

const NO_VERSION = 'the answer of GetSchemaVersion has no definition or no format that is known'

/** Text is not bytes: a frame in it would pass unnoticed. */
function hasBytes(record: unknown): boolean {
  return typeof record === 'object' && record !== null && 'data' in record && isBytes(record.data)
}

function recordSchema(versionId: string, answer: VersionAnswer): RecordSchema | undefined {
  const { definition, schemaArn = '' } = answer
  const dataFormat = DATA_FORMATS.find(format => format === answer.dataFormat)
  if (definition === undefined || dataFormat === undefined) return undefined
  const [, registryName, name] = ARN.exec(schemaArn) ?? []
  return { versionId, dataFormat, definition, name, registryName }
}

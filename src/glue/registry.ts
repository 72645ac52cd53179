/**
 * Schemas of one registry, looked up once and kept.
 * Example: 1,000 calls of `schema()` for one definition at once -> one GetSchemaByDefinition, 1,000 times the same schema.
 * Invariant: of one definition at most one look-up is under way; a refresh that fails keeps the schema that is there; what Glue
 * does not know is not asked again for a minute.
 */
import { createHash } from 'node:crypto'
import { errorText, SchemaError } from '../model/errors.ts'
import { systemClock } from '../system.ts'
import { GlueCalls } from './glue-calls.ts'
import { Recent } from './recent.ts'
import {
  assertRegistryOptions,
  assertRequest,
  type GlueRegistryOptions,
  type SchemaRequest
} from './registry-options.ts'
import { type GlueSchema, schemaOf } from './schema.ts'
import { VersionResolver } from './version-resolver.ts'
import { warner } from './warner.ts'

const DEFAULT_RETRIES = 3
const DEFAULT_TIMEOUT_MS = 10_000
const DEFAULT_CACHE_SIZE = 200
const DEFAULT_TTL_MS = 86_400_000
const DEFAULT_COMPRESS_MIN_BYTES = 256
/** How long an answer that will be the same holds: of what does not exist, and after a refresh that failed. */
const NEGATIVE_TTL_MS = 60_000
const LASTING: readonly string[] = ['KPL_ERR_SCHEMA_NOT_FOUND', 'KPL_ERR_SCHEMA_INCOMPATIBLE']

/** The schemas of one registry, looked up once and kept. */
export interface GlueRegistry {
  /**
   * Returns the schema of a definition, looked up or, with `autoRegister`, registered. Call it before the first put; every later
   * call for the same definition is answered from memory. Rejects with SchemaError, and OptionsError for a value that is not a request.
   *
   * @example
   * const registry = glueRegistry({ client: glue, autoRegister: true })
   * const orders = await registry.schema({ name: 'orders', dataFormat: 'JSON', definition: '{"type":"object"}' })
   * orders.name // => 'orders'
   */
  schema<Value = never>(request: SchemaRequest<Value>): Promise<GlueSchema<Value>>
}

/** The cached answer for a definition, until `expiresMs`: its version, or the reason that there is none. */
type Known =
  | { readonly versionId: string; readonly expiresMs: number }
  | { readonly error: SchemaError; readonly expiresMs: number; readonly versionId?: undefined }

/**
 * Returns the schemas of a registry of the AWS Glue Schema Registry. Nothing is called before the first `schema()`. Throws
 * OptionsError.
 *
 * @example
 * const registry = glueRegistry({ client: glue, autoRegister: true })
 * const orders = await registry.schema({ name: 'orders', dataFormat: 'JSON', definition: '{"type":"object"}' })
 * await producer.put({ partitionKey: 'user-1', data: '{"total":1}', schema: orders })
 */
export function glueRegistry(options: GlueRegistryOptions): GlueRegistry {
  assertRegistryOptions(options)
  return new CachedRegistry(options)
}

class CachedRegistry implements GlueRegistry {
  readonly #options: GlueRegistryOptions
  readonly #clock
  readonly #registryName: string
  readonly #resolver: VersionResolver
  readonly #warn
  readonly #known: Recent<Known>
  readonly #underWay = new Map<string, Promise<string>>()

  constructor(options: GlueRegistryOptions) {
    const { client, clock = systemClock, registryName = 'default-registry', cacheSize = DEFAULT_CACHE_SIZE } = options
    const { retries = DEFAULT_RETRIES, requestTimeoutMs = DEFAULT_TIMEOUT_MS, tags = {}, metadata = {} } = options
    const { autoRegister = false, compatibility = 'BACKWARD', description } = options
    this.#options = options
    this.#clock = clock
    this.#registryName = registryName
    this.#warn = warner(options.logger, clock)
    this.#known = new Recent(cacheSize)
    const calls = new GlueCalls({ client, clock, retries, requestTimeoutMs })
    const rules = { registryName, autoRegister, compatibility, description, tags, metadata, clock, warn: this.#warn }
    this.#resolver = new VersionResolver(calls, rules)
  }

  async schema<Value>(given: SchemaRequest<Value>): Promise<GlueSchema<Value>> {
    assertRequest(given)
    // Kept as it is now: callers may use one object for many requests.
    const { name, dataFormat, definition, streamName, serializer } = given
    const request: SchemaRequest<Value> = { name, dataFormat, definition, streamName, serializer }
    const key = keyOf(request)
    const known = this.#known.get(key)
    const isFresh = known !== undefined && this.#clock.nowMs() < known.expiresMs
    if (isFresh && known.versionId === undefined) throw known.error
    if (known?.versionId === undefined) return this.#made(request, await this.#look(key, request))
    if (!isFresh) this.#refresh(key, known.versionId, request)
    return this.#made(request, known.versionId)
  }

  /** Every call in the meantime gets the same answer. */
  #look<Value>(key: string, request: SchemaRequest<Value>): Promise<string> {
    const before = this.#underWay.get(key)
    if (before !== undefined) return before
    const { name, dataFormat, definition, streamName } = request
    const looking = this.#resolver.resolve({ name, dataFormat, definition, streamName }).then(
      versionId => {
        this.#underWay.delete(key)
        this.#keep(key, versionId, this.#options.cacheTtlMs ?? DEFAULT_TTL_MS)
        return versionId
      },
      (error: unknown) => {
        this.#underWay.delete(key)
        const isLasting = error instanceof SchemaError && LASTING.includes(error.code)
        const isKept = this.#known.get(key)?.versionId !== undefined
        if (isLasting && !isKept) this.#known.set(key, { error, expiresMs: this.#clock.nowMs() + NEGATIVE_TTL_MS })
        throw error
      }
    )
    this.#underWay.set(key, looking)
    return looking
  }

  /** No call waits for it. */
  #refresh<Value>(key: string, versionId: string, request: SchemaRequest<Value>): void {
    if (this.#underWay.has(key)) return
    this.#look(key, request).catch((error: unknown) => {
      this.#keep(key, versionId, NEGATIVE_TTL_MS)
      this.#warn('a schema was not refreshed and is used as it was', { error: errorText(error) })
    })
  }

  #keep(key: string, versionId: string, ttlMs: number): void {
    this.#known.set(key, { versionId, expiresMs: this.#clock.nowMs() + ttlMs })
  }

  #made<Value>({ name, dataFormat, serializer }: SchemaRequest<Value>, versionId: string): GlueSchema<Value> {
    const { compression = 'none', compressMinBytes = DEFAULT_COMPRESS_MIN_BYTES } = this.#options
    const registryName = this.#registryName
    const schema = schemaOf({ registryName, name, dataFormat, versionId, compression, compressMinBytes, serializer })
    if (schema !== undefined) return schema
    const facts = { registryName, schemaName: name }
    throw new SchemaError('KPL_ERR_SCHEMA_UNAVAILABLE', `schema ${name}: the version id of Glue is no UUID`, facts)
  }
}

function keyOf<Value>({ name, dataFormat, definition }: SchemaRequest<Value>): string {
  return `${dataFormat} ${createHash('sha256').update(definition).digest('base64')} ${name}`
}

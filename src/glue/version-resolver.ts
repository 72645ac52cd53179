/**
 * The id of a definition: a wanted schema enters, the id of its available version leaves.
 * Example: an unknown version of a known schema -> RegisterSchemaVersion -> PENDING -> GetSchemaVersion each 3 s -> AVAILABLE.
 * Invariant: nothing is registered unless `autoRegister` says so. A producer that loses a race looks up again, and every loop has a bound.
 * Source: aws-glue-schema-registry 2.0.0, SchemaByDefinitionFetcher and AWSSchemaRegistryClient, read 2026-11.
 */
import { createHash } from 'node:crypto'
import { errorText, safeText } from '../model/errors.ts'
import type { Clock } from '../model/ports.ts'
import type { GlueCalls } from './glue-calls.ts'
import type { VersionAnswer } from './glue-client.ts'
import type { Compatibility } from './registry-options.ts'
import type { DataFormat } from './schema.ts'
import { isRefusal, type MissingEntity, type Refusal } from './service-failure.ts'

/** Look-ups of one definition: two producers that register at once need two. */
const MAX_ROUNDS = 3
const PENDING_POLL_MS = 3000
const MAX_PENDING_POLLS = 10
const TRANSPORT_KEY = 'x-amz-meta-transport'
const HASH_DIGITS = 12

export interface WantedSchema {
  readonly name: string
  readonly dataFormat: DataFormat
  readonly definition: string
  /** Written as metadata of a version that is registered. */
  readonly streamName: string | undefined
}

export interface ResolverOptions {
  readonly registryName: string
  readonly autoRegister: boolean
  readonly compatibility: Compatibility
  readonly description: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

export class VersionResolver {
  readonly #calls: GlueCalls
  readonly #options: ResolverOptions

  constructor(calls: GlueCalls, options: ResolverOptions) {
    this.#calls = calls
    this.#options = options
  }

  /** Returns the id of the available version. Rejects with SchemaError. */
  async resolve(wanted: WantedSchema): Promise<string> {
    for (let round = 1; ; round++) {
      const found = await this.#lookUp(wanted)
      if (!isRefusal(found)) return this.#available(found, wanted)
      const isLast = !this.#options.autoRegister || round === MAX_ROUNDS
      if (isLast || found.refusal === 'exists' || found.what === 'registry') return this.#notFound(wanted, found)
      const registered = await this.#register(wanted, found.what)
      // Somebody else was quicker, or took the schema away.
      if (isRefusal(registered)) continue
      const versionId = await this.#available(registered, wanted)
      await this.#describe(versionId, wanted)
      return versionId
    }
  }

  #lookUp(wanted: WantedSchema): Promise<VersionAnswer | Refusal> {
    const input = { SchemaId: this.#idOf(wanted), SchemaDefinition: wanted.definition }
    const make = (glue: Glue) => new glue.GetSchemaByDefinitionCommand(input)
    return this.#calls.version('GetSchemaByDefinition', make, this.#factsOf(wanted))
  }

  #register(wanted: WantedSchema, missing: MissingEntity['what']): Promise<VersionAnswer | Refusal> {
    const { registryName, compatibility, description, tags } = this.#options
    const facts = this.#factsOf(wanted)
    const own = { SchemaDefinition: wanted.definition }
    if (missing === 'version') {
      const input = { ...own, SchemaId: this.#idOf(wanted) }
      return this.#calls.version('RegisterSchemaVersion', glue => new glue.RegisterSchemaVersionCommand(input), facts)
    }
    const input = {
      ...own,
      RegistryId: { RegistryName: registryName },
      SchemaName: wanted.name,
      DataFormat: wanted.dataFormat,
      Compatibility: compatibility,
      ...(description === undefined ? {} : { Description: description }),
      ...(Object.keys(tags).length === 0 ? {} : { Tags: { ...tags } })
    }
    return this.#calls.version('CreateSchema', glue => new glue.CreateSchemaCommand(input), facts)
  }

  /** Waits for the version; its id once it is available. */
  async #available(found: VersionAnswer, wanted: WantedSchema): Promise<string> {
    const { versionId } = found
    const facts = { ...this.#factsOf(wanted), versionId }
    let { status } = found
    for (let poll = 0; status === 'PENDING' && poll < MAX_PENDING_POLLS; poll++) {
      await this.#sleep(PENDING_POLL_MS)
      const make = (glue: Glue) => new glue.GetSchemaVersionCommand({ SchemaVersionId: versionId })
      const version = await this.#calls.version('GetSchemaVersion', make, facts)
      status = isRefusal(version) ? 'DELETED' : version.status
    }
    if (status === 'AVAILABLE') return versionId
    if (status === 'PENDING') {
      const text = `the version was still PENDING after ${(MAX_PENDING_POLLS * PENDING_POLL_MS) / 1000} s`
      return this.#calls.fail('KPL_ERR_SCHEMA_PENDING', text, facts)
    }
    const text =
      status === 'FAILURE'
        ? `the definition (${digestOf(wanted)}) breaks the compatibility rule of its schema, or is malformed: status FAILURE`
        : `the version of the definition (${digestOf(wanted)}) cannot be used: status ${safeText(status)}`
    return this.#calls.fail('KPL_ERR_SCHEMA_INCOMPATIBLE', text, facts)
  }

  /** Best effort: a schema without its metadata is a schema. */
  async #describe(versionId: string, wanted: WantedSchema): Promise<void> {
    const { streamName } = wanted
    const transport = streamName === undefined ? [] : [[TRANSPORT_KEY, streamName] as const]
    const facts = { ...this.#factsOf(wanted), versionId }
    for (const [MetadataKey, MetadataValue] of [...transport, ...Object.entries(this.#options.metadata)]) {
      const input = { SchemaVersionId: versionId, MetadataKeyValue: { MetadataKey, MetadataValue } }
      try {
        const make = (glue: Glue) => new glue.PutSchemaVersionMetadataCommand(input)
        const answer = await this.#calls.call('PutSchemaVersionMetadata', make, facts)
        // A pair that exists is written; a version that is missing has no metadata.
        if (isRefusal(answer) && answer.refusal === 'missing') {
          await this.#calls.fail('KPL_ERR_SCHEMA_NOT_FOUND', 'the version does not exist any more', facts)
        }
      } catch (error) {
        this.#options.warn('the metadata of a schema version were not written', { error: errorText(error) })
        return
      }
    }
  }

  #notFound(wanted: WantedSchema, refusal: Refusal): Promise<never> {
    const what = refusal.refusal === 'missing' ? refusal.what : 'version'
    const hint = this.#options.autoRegister || what === 'registry' ? '' : '; auto-registration is off (autoRegister)'
    const text = `${NOT_FOUND[what]} (definition ${digestOf(wanted)})${hint}`
    const facts = { ...this.#factsOf(wanted), serviceCode: 'EntityNotFoundException' }
    return this.#calls.fail('KPL_ERR_SCHEMA_NOT_FOUND', text, facts)
  }

  #idOf({ name }: WantedSchema): { readonly SchemaName: string; readonly RegistryName: string } {
    return { SchemaName: name, RegistryName: this.#options.registryName }
  }

  #factsOf({ name }: WantedSchema): { readonly registryName: string; readonly schemaName: string } {
    return { registryName: this.#options.registryName, schemaName: name }
  }

  #sleep(ms: number): Promise<void> {
    const { clock } = this.#options
    return new Promise(resolve => void clock.schedule(clock.nowMs() + ms, resolve))
  }
}

type Glue = typeof import('@aws-sdk/client-glue')

const NOT_FOUND = {
  registry: 'the registry does not exist in this account and region',
  schema: 'the schema does not exist in this registry and region',
  version: 'the schema has no version with this definition'
} as const

/** Names a definition in a message without showing it. */
export function digestOf({ definition }: { readonly definition: string }): string {
  return `sha256 ${createHash('sha256').update(definition).digest('hex').slice(0, HASH_DIGITS)}`
}

/**
 * A Glue Schema Registry in memory: the five operations that producers and consumers of records use.
 * Example: CreateSchema -> a version that is PENDING for so many GetSchemaVersion, then AVAILABLE.
 * Invariant: the same calls in the same order give the same answers, version ids included; messages hold no definition, except that
 * of a malformed one, which the service quotes as well.
 */
import type { OptionRules } from '../consumer/deaggregate/given-options.ts'
import { assertGiven, DURATION, FUNCTION, TEXT } from './given.ts'
import { FakeServiceError, required } from './service-error.ts'

/** The options of `FakeGlue`. */
export interface FakeGlueOptions {
  /** Shown in ARNs. Default: `'us-east-1'`. */
  readonly region?: string | undefined
  /** GetSchemaVersion calls for which a registered version stays PENDING. Default: 0, it is available at once. */
  readonly pendingPolls?: number | undefined
  /** Whether a definition breaks the compatibility rule: its version gets the status FAILURE. Default: none does. */
  readonly isIncompatible?: ((definition: string) => boolean) | undefined
}

export const FAKE_GLUE_RULES: OptionRules<FakeGlueOptions> = {
  region: TEXT,
  pendingPolls: DURATION,
  isIncompatible: FUNCTION
}

/** A fault of the next calls. */
export interface FakeGlueFault {
  /** Default: any operation. */
  readonly operation?: string | undefined
  /** How many calls meet it. Default: 1. */
  readonly times?: number | undefined
  /** `'error'`: answers with `code`; `'reset'`: cuts the connection; `'silence'`: never answers. */
  readonly kind: 'error' | 'reset' | 'silence'
  /** Default: `'ThrottlingException'`. */
  readonly code?: string | undefined
  /** The text of the error. Default: `'Rate exceeded'` for ThrottlingException, otherwise one with the code. */
  readonly message?: string | undefined
  /** The HTTP status. Default: the service's own for the code. */
  readonly statusCode?: number | undefined
}

/** A version as `addVersion` takes it. */
export interface FakeGlueVersion {
  /** The registry. Default: `'default-registry'`. */
  readonly registryName?: string | undefined
  /** The schema; it is made as needed. */
  readonly schemaName: string
  /** `AVRO`, `JSON` or `PROTOBUF`. */
  readonly dataFormat: string
  /** The text of the schema. */
  readonly definition: string
  /** The UUID of the version. Default: the next id. */
  readonly versionId?: string | undefined
  /** The status of the version. Default: `'AVAILABLE'`. */
  readonly status?: string | undefined
}

interface Version {
  readonly versionId: string
  readonly definition: string
  readonly number: number
  readonly schema: Schema
  readonly metadata: Map<string, string>
  status: string
  pendingPolls: number
}

interface Schema {
  readonly registryName: string
  readonly name: string
  readonly dataFormat: string
  readonly versions: Version[]
}

type Fields = Readonly<Record<string, unknown>>

const ID_DIGITS = 12

/**
 * A Glue Schema Registry in memory. `startFakeGlue` serves one on a port.
 *
 * @example
 * const glue = new FakeGlue()
 * const versionId = glue.addVersion({ schemaName: 'orders', dataFormat: 'JSON', definition: '{}' })
 * const server = await startFakeGlue({ glue })
 * await server.close()
 */
export class FakeGlue {
  readonly #options: FakeGlueOptions
  readonly #registries = new Map<string, Map<string, Schema>>([['default-registry', new Map()]])
  readonly #versions = new Map<string, Version>()
  readonly #counts = new Map<string, number>()
  #faults: { readonly fault: FakeGlueFault; left: number }[] = []
  #lastId = 0

  /** The registry `default-registry` is there, without schemas. Throws OptionsError. */
  constructor(options: FakeGlueOptions = {}) {
    assertGiven('FakeGlue', options, FAKE_GLUE_RULES)
    this.#options = options
  }

  /**
   * Creates a registry, if it is not there.
   *
   * @example
   * const glue = new FakeGlue()
   * glue.createRegistry('shop')
   */
  createRegistry(name: string): void {
    if (!this.#registries.has(name)) this.#registries.set(name, new Map())
  }

  /**
   * Puts a version there without a call; its schema and registry are made as needed. Returns the version id.
   *
   * @example
   * const glue = new FakeGlue()
   * const versionId = glue.addVersion({ schemaName: 'orders', dataFormat: 'JSON', definition: '{}' })
   */
  addVersion(version: FakeGlueVersion): string {
    const { registryName = 'default-registry', schemaName, dataFormat, definition, status = 'AVAILABLE' } = version
    this.createRegistry(registryName)
    const schemas = this.#registries.get(registryName)!
    const schema = schemas.get(schemaName) ?? { registryName, name: schemaName, dataFormat, versions: [] }
    schemas.set(schemaName, schema)
    return this.#add(schema, definition, status, 0, version.versionId).versionId
  }

  /**
   * The next matching calls fail.
   *
   * @example
   * const glue = new FakeGlue()
   * glue.addFault({ operation: 'GetSchemaVersion', kind: 'error', code: 'ThrottlingException', times: 2 })
   */
  addFault(fault: FakeGlueFault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 })
  }

  /**
   * Calls of an operation so far, those that failed too; without a name: of all.
   *
   * @example
   * const glue = new FakeGlue()
   * glue.callCount('GetSchemaVersion') // => 0
   */
  callCount(operation?: string): number {
    if (operation !== undefined) return this.#counts.get(operation) ?? 0
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /**
   * Returns the metadata that PutSchemaVersionMetadata wrote.
   *
   * @example
   * const glue = new FakeGlue()
   * glue.metadataOf(glue.addVersion({ schemaName: 'orders', dataFormat: 'JSON', definition: '{}' })) // => {}
   */
  metadataOf(versionId: string): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#versions.get(versionId)?.metadata ?? [])
  }

  /**
   * Counts a call, and returns the fault that it meets.
   *
   * @example
   * const glue = new FakeGlue()
   * glue.addFault({ kind: 'reset' })
   * glue.takeFault('CreateSchema') // => { kind: 'reset' }
   * glue.takeFault('CreateSchema') // => undefined
   */
  takeFault(operation: string): FakeGlueFault | undefined {
    this.#counts.set(operation, this.callCount(operation) + 1)
    const met = this.#faults.find(({ fault }) => fault.operation === undefined || fault.operation === operation)
    if (met === undefined) return undefined
    met.left--
    if (met.left <= 0) this.#faults = this.#faults.filter(other => other !== met)
    return met.fault
  }

  /**
   * Answers a call. Throws FakeServiceError.
   *
   * @example
   * const glue = new FakeGlue()
   * const SchemaVersionId = glue.addVersion({ schemaName: 'orders', dataFormat: 'JSON', definition: '{}' })
   * const version = glue.answer('GetSchemaVersion', { SchemaVersionId })
   */
  answer(operation: string, input: Fields): object {
    switch (operation) {
      case 'GetSchemaByDefinition':
        return this.#getSchemaByDefinition(input)
      case 'GetSchemaVersion':
        return this.#getSchemaVersion(input)
      case 'CreateSchema':
        return this.#createSchema(input)
      case 'RegisterSchemaVersion':
        return this.#registerSchemaVersion(input)
      case 'PutSchemaVersionMetadata':
        return this.#putSchemaVersionMetadata(input)
      default:
        throw new FakeServiceError('UnknownOperationException', `The fake Glue does not know ${operation}.`)
    }
  }

  #getSchemaByDefinition(input: Fields): object {
    const { schema } = this.#schemaOf(fieldsOf(input, 'SchemaId'))
    const found = versionOf(schema, textOf(input, 'SchemaDefinition'))
    if (found === undefined) throw notFound('Schema version is not found.')
    const { dataFormat: DataFormat } = schema
    const { versionId: SchemaVersionId, status: Status } = found
    return { SchemaVersionId, SchemaArn: this.#arnOf(schema), DataFormat, Status, CreatedTime: CREATED }
  }

  #getSchemaVersion(input: Fields): object {
    const version = this.#versions.get(textOf(input, 'SchemaVersionId'))
    if (version === undefined) throw notFound('Schema version is not found.')
    if (version.status === 'PENDING' && --version.pendingPolls < 0) version.status = this.#statusOf(version.definition)
    const { schema, versionId, definition, number, status } = version
    return {
      SchemaVersionId: versionId,
      SchemaDefinition: definition,
      DataFormat: schema.dataFormat,
      SchemaArn: this.#arnOf(schema),
      VersionNumber: number,
      Status: status,
      CreatedTime: CREATED
    }
  }

  #createSchema(input: Fields): object {
    const registryId = fieldsOf(input, 'RegistryId')
    const registryName = 'RegistryName' in registryId ? textOf(registryId, 'RegistryName') : 'default-registry'
    const schemas = this.#registries.get(registryName)
    if (schemas === undefined) throw notFound(`Registry is not found. RegistryName: ${registryName}`)
    const name = textOf(input, 'SchemaName')
    const dataFormat = textOf(input, 'DataFormat')
    if (schemas.has(name)) {
      throw new FakeServiceError('AlreadyExistsException', `Schema already exists. SchemaName: ${name}`)
    }
    const definition = checked(dataFormat, textOf(input, 'SchemaDefinition'))
    const schema: Schema = { registryName, name, dataFormat, versions: [] }
    schemas.set(name, schema)
    const { versionId, status } = this.#register(schema, definition)
    return {
      RegistryName: registryName,
      SchemaName: name,
      SchemaArn: this.#arnOf(schema),
      DataFormat: dataFormat,
      SchemaStatus: 'AVAILABLE',
      SchemaVersionId: versionId,
      SchemaVersionStatus: status
    }
  }

  #registerSchemaVersion(input: Fields): object {
    const { schema } = this.#schemaOf(fieldsOf(input, 'SchemaId'))
    const definition = checked(schema.dataFormat, textOf(input, 'SchemaDefinition'))
    const { versionId, number, status } = versionOf(schema, definition) ?? this.#register(schema, definition)
    return { SchemaVersionId: versionId, VersionNumber: number, Status: status }
  }

  #putSchemaVersionMetadata(input: Fields): object {
    const version = this.#versions.get(textOf(input, 'SchemaVersionId'))
    if (version === undefined) throw notFound('Schema version is not found.')
    const pair = fieldsOf(input, 'MetadataKeyValue')
    const key = textOf(pair, 'MetadataKey')
    const value = textOf(pair, 'MetadataValue')
    version.metadata.set(key, value)
    return { SchemaVersionId: version.versionId, MetadataKey: key, MetadataValue: value }
  }

  #schemaOf(schemaId: Fields): { readonly schema: Schema } {
    const registryName = 'RegistryName' in schemaId ? textOf(schemaId, 'RegistryName') : 'default-registry'
    const schemas = this.#registries.get(registryName)
    if (schemas === undefined) throw notFound(`Registry is not found. RegistryName: ${registryName}`)
    const schema = schemas.get(textOf(schemaId, 'SchemaName'))
    if (schema === undefined) throw notFound('Schema is not found.')
    return { schema }
  }

  #register(schema: Schema, definition: string): Version {
    const { pendingPolls = 0 } = this.#options
    const status = pendingPolls > 0 ? 'PENDING' : this.#statusOf(definition)
    return this.#add(schema, definition, status, pendingPolls)
  }

  #add(schema: Schema, definition: string, status: string, pendingPolls: number, given?: string): Version {
    const versionId = (given ?? this.#nextId()).toLowerCase()
    const number = schema.versions.length + 1
    const version: Version = { versionId, definition, number, schema, metadata: new Map(), status, pendingPolls }
    schema.versions.push(version)
    this.#versions.set(versionId, version)
    return version
  }

  #statusOf(definition: string): string {
    return this.#options.isIncompatible?.(definition) ? 'FAILURE' : 'AVAILABLE'
  }

  #arnOf({ registryName, name }: Schema): string {
    return `arn:aws:glue:${this.#options.region ?? 'us-east-1'}:000000000000:schema/${registryName}/${name}`
  }

  #nextId(): string {
    return `00000000-0000-4000-8000-${String(++this.#lastId).padStart(ID_DIGITS, '0')}`
  }
}

const CREATED = '2026-01-01T00:00:00Z'

/** Glue compares definitions, not texts: white space in JSON makes no version. */
function versionOf({ dataFormat, versions }: Schema, definition: string): Version | undefined {
  const wanted = canonical(dataFormat, definition)
  return versions.find(version => canonical(dataFormat, version.definition) === wanted)
}

function canonical(dataFormat: string, definition: string): string {
  if (dataFormat === 'PROTOBUF') return definition.replaceAll('\r\n', '\n').trim()
  try {
    return JSON.stringify(JSON.parse(definition))
  } catch {
    // Not swallowed: text that is not JSON is compared as it is, and registration refuses it.
    return definition
  }
}

function checked(dataFormat: string, definition: string): string {
  if (dataFormat === 'PROTOBUF') return definition
  try {
    JSON.parse(definition)
    return definition
  } catch {
    const message = `Schema definition of ${dataFormat} data format is invalid: ${definition}`
    throw new FakeServiceError('InvalidInputException', message)
  }
}

function notFound(message: string): FakeServiceError {
  return new FakeServiceError('EntityNotFoundException', message)
}

function fieldsOf(input: Fields, name: string): Fields {
  const value = input[name]
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function textOf(input: Fields, name: string): string {
  const value = input[name]
  return required(typeof value === 'string' ? value : undefined, name)
}

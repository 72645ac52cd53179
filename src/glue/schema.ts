/**
 * A resolved schema: the id of a version in bytes, and what turns a value into data. `put` takes it as it is.
 * Invariant: it never changes, and nothing in it waits.
 */
import { deflateSync } from 'node:zlib'
import { OptionsError } from '../model/errors.ts'
import type { RecordFrame } from '../model/records.ts'
import { FRAME_BYTES, type FrameCompression, framePrefix } from './frame.ts'

/** The formats of the Glue Schema Registry. */
export type DataFormat = 'AVRO' | 'JSON' | 'PROTOBUF'

/** Turns values into data. The library has none of its own: examples with avsc are in docs/schemas.md. */
export interface SchemaSerializer<Value> {
  /** Returns the payload without its frame. */
  serialize(value: Value): Uint8Array
}

/** A schema with its version id: `put` takes it as `schema`. */
export interface GlueSchema<Value = never> extends RecordFrame {
  /** The registry it is in. */
  readonly registryName: string
  /** The name of the schema. */
  readonly name: string
  /** The format of its data. */
  readonly dataFormat: DataFormat
  /** The schema version's UUID, in lower case. */
  readonly versionId: string
  /**
   * Returns the data of a value, without the frame: what goes into `UserRecord.data`. Throws OptionsError without a
   * serializer.
   *
   * @example
   * const registry = glueRegistry({ client: glue, autoRegister: true })
   * const serializer = { serialize: (value: object) => Buffer.from(JSON.stringify(value)) }
   * const orders = await registry.schema({ name: 'orders', dataFormat: 'JSON', definition: '{}', serializer })
   * orders.serialize({ total: 1 }) // => Buffer.from('{"total":1}')
   */
  serialize(value: Value): Uint8Array
}

export interface SchemaFactsOf<Value> {
  readonly registryName: string
  readonly name: string
  readonly dataFormat: DataFormat
  readonly versionId: string
  readonly compression: FrameCompression
  readonly compressMinBytes: number
  readonly serializer: SchemaSerializer<Value> | undefined
}

/** Returns the schema of a version; undefined when its id is no UUID. */
export function schemaOf<Value>(facts: SchemaFactsOf<Value>): GlueSchema<Value> | undefined {
  const { registryName, name, dataFormat, serializer } = facts
  const versionId = facts.versionId.toLowerCase()
  const prefix = framePrefix(versionId, 'none')
  const zlibPrefix = framePrefix(versionId, 'zlib')
  if (prefix === undefined || zlibPrefix === undefined) return undefined
  const encode =
    facts.compression === 'zlib' ? (data: Uint8Array) => deflated(zlibPrefix, data, facts.compressMinBytes) : undefined
  const serialize = (value: Value): Uint8Array => {
    if (serializer === undefined) throw new OptionsError([`schema ${name} was asked for without a serializer`])
    return serializer.serialize(value)
  }
  const schema = { registryName, name, dataFormat, versionId, prefix, serialize }
  return Object.freeze(encode === undefined ? schema : { ...schema, encode })
}

/** The compressed frame where it is smaller. Readers take both, because the frame says which it is. */
function deflated(prefix: Uint8Array, data: Uint8Array, minBytes: number): Uint8Array | undefined {
  if (data.length < minBytes) return undefined
  const payload = deflateSync(data)
  if (payload.length >= data.length) return undefined
  const framed = new Uint8Array(FRAME_BYTES + payload.length)
  framed.set(prefix)
  framed.set(payload, FRAME_BYTES)
  return framed
}

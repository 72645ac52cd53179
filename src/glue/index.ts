/**
 * Entry point `kinesis-producer/glue`: schemas of the AWS Glue Schema Registry, for producers and for consumers.
 * Invariant: the SDK's package for Glue is loaded at the first call and not before; `readFrame` never calls anything.
 */
export { SchemaError, type SchemaErrorCode, type SchemaFacts } from '../model/errors.ts'
export type { RecordFrame } from '../model/records.ts'
export {
  type DecodedFields,
  type DecodedRecord,
  type Deserializer,
  type GlueDecoder,
  type GlueDecoderOptions,
  glueDecoder,
  type RecordSchema
} from './decoder.ts'
export { type Frame, type FrameCompression, readFrame } from './frame.ts'
export type { GlueClientLike } from './glue-client.ts'
export { fromGlueProperties, type GlueProperties } from './glue-properties.ts'
export { type ProtobufPayload, protobufIndex, readProtobufIndex } from './protobuf-index.ts'
export { type GlueRegistry, glueRegistry } from './registry.ts'
export type { Compatibility, GlueCallOptions, GlueRegistryOptions, SchemaRequest } from './registry-options.ts'
export type { DataFormat, GlueSchema, SchemaSerializer } from './schema.ts'

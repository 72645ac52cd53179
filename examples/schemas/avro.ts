/**
 * Avro with avsc: values of one schema into bare binary, and binary of any version of it back into values.
 * Invariant: data are decoded with the definition of their writer, and resolved to the reader's; each pair is resolved once.
 */
import avro from 'avsc'
import type { Deserializer, SchemaSerializer } from '../../src/glue/index.ts'

/** Returns the serializer of a definition. `serialize` throws for a value that does not fit. */
export function avroSerializer<Value>(definition: string): SchemaSerializer<Value> {
  const type = avro.Type.forSchema(JSON.parse(definition))
  return { serialize: value => type.toBuffer(value) }
}

/** Returns a deserializer that gives values of `definition`, the reader's own version. */
export function avroDeserializer(definition: string): Deserializer {
  const own = avro.Type.forSchema(JSON.parse(definition))
  const resolvers = new Map<string, ReturnType<typeof own.createResolver>>()
  return (data, writer) => {
    let resolver = resolvers.get(writer.versionId)
    if (resolver === undefined) {
      resolver = own.createResolver(avro.Type.forSchema(JSON.parse(writer.definition)))
      resolvers.set(writer.versionId, resolver)
    }
    return own.fromBuffer(Buffer.from(data), resolver)
  }
}

/**
 * Protobuf with protobufjs: messages of one file, with the index of their type in front.
 * Invariant: the types of a file are counted by full name, nested ones included; a reader finds the type by the index.
 */
import protobuf from 'protobufjs'
import { type Deserializer, protobufIndex, readProtobufIndex, type SchemaSerializer } from '../../src/glue/index.ts'

/** Returns the serializer of one type of a file: `shop.Order`. Throws for what does not fit it. */
export function protobufSerializer<Value extends object>(
  definition: string,
  typeName: string
): SchemaSerializer<Value> {
  const { root } = protobuf.parse(definition)
  const type = root.lookupType(typeName)
  const index = protobufIndex(typesOf(root), typeName)
  return {
    serialize(value) {
      const fault = type.verify(value as Record<string, unknown>)
      if (fault !== null) throw new TypeError(`the value does not fit ${typeName}: ${fault}`)
      return Buffer.concat([index, type.encode(type.fromObject(value as Record<string, unknown>)).finish()])
    }
  }
}

/** Returns a deserializer; it parses each definition once. */
export function protobufDeserializer(): Deserializer {
  const files = new Map<string, { readonly root: protobuf.Root; readonly types: readonly string[] }>()
  return (data, { versionId, definition }) => {
    let file = files.get(versionId)
    if (file === undefined) {
      const { root } = protobuf.parse(definition)
      file = { root, types: typesOf(root) }
      files.set(versionId, file)
    }
    const { typeName, message } = readProtobufIndex(file.types, data)
    return file.root.lookupType(typeName).decode(message).toJSON()
  }
}

function typesOf(space: protobuf.NamespaceBase): string[] {
  return space.nestedArray.flatMap(nested => [
    ...(nested instanceof protobuf.Type ? [nested.fullName.slice(1)] : []),
    ...(nested instanceof protobuf.Namespace ? typesOf(nested) : [])
  ])
}

/**
 * JSON with ajv: values that fit their definition into UTF-8 text.
 * Invariant: what does not fit throws before it is put, and the error names the place in the value and not what is there.
 */
import { Ajv } from 'ajv'
import type { Deserializer, SchemaSerializer } from '../../src/glue/index.ts'

/** Returns the serializer of a definition of draft 6 or 7. */
export function jsonSerializer<Value>(definition: string): SchemaSerializer<Value> {
  const validate = new Ajv({ strict: false }).compile(JSON.parse(definition))
  return {
    serialize(value) {
      if (validate(value)) return Buffer.from(JSON.stringify(value))
      const [fault] = validate.errors ?? []
      throw new TypeError(`the value does not fit its schema: ${fault?.instancePath} ${fault?.message}`)
    }
  }
}

export const jsonDeserializer: Deserializer = data => JSON.parse(Buffer.from(data).toString())

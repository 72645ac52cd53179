import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { avroDeserializer, avroSerializer } from '../../examples/schemas/avro.ts'
import { jsonDeserializer, jsonSerializer } from '../../examples/schemas/json.ts'
import { protobufDeserializer, protobufSerializer } from '../../examples/schemas/protobuf.ts'
import { type DataFormat, glueDecoder, glueRegistry, type SchemaSerializer } from '../../src/glue/index.ts'
import { thrownBy } from '../support/thrown-by.ts'
import { AVRO_DEFINITION, fakeClient } from './fixture.ts'
import { framed, hex } from './vectors.ts'

const OWN_VERSION =
  '{"type":"record","name":"Customer","fields":[{"name":"name","type":"string"},{"name":"city","type":"string","default":"?"}]}'
const JSON_DEFINITION = '{"type":"object","required":["a"],"properties":{"a":{"type":"number"}}}'
const PROTO = 'syntax = "proto3"; package t; message B { string name = 1; message A { string name = 1; } }'

/** Puts a value through a serializer, a frame, the decoder and a deserializer. */
async function there<Value>(
  dataFormat: DataFormat,
  definition: string,
  serializer: SchemaSerializer<Value>,
  value: Value
) {
  const { client } = fakeClient()
  const schema = await glueRegistry({ client, autoRegister: true }).schema({
    name: 's',
    dataFormat,
    definition,
    serializer
  })
  const deserializers = {
    AVRO: avroDeserializer(OWN_VERSION),
    JSON: jsonDeserializer,
    PROTOBUF: protobufDeserializer()
  }
  const decoder = glueDecoder({ client, onUndecodable: 'throw', deserializers })
  return decoder.decode({ data: framed(schema, schema.serialize(value)) })
}

describe('the serializers of the examples', () => {
  test('read Avro as the own version of its schema, whatever it was written with', async () => {
    const { value, data } = await there('AVRO', AVRO_DEFINITION, avroSerializer(AVRO_DEFINITION), { name: 'Bob' })

    expect([{ ...(value as object) }, hex(data)]).toEqual([{ name: 'Bob', city: '?' }, '06426f62'])
  })

  test('put no JSON that does not fit its definition', async () => {
    const serializer = jsonSerializer<{ readonly a: unknown }>(JSON_DEFINITION)

    const { value } = await there('JSON', JSON_DEFINITION, serializer, { a: 1 })
    const error = thrownBy(() => serializer.serialize({ a: 'canary' }))

    expect([value, (error as Error).message]).toEqual([
      { a: 1 },
      'the value does not fit its schema: /a must be number'
    ])
  })

  test('write the index of a Protobuf type as the Java library does', async () => {
    const serializer = protobufSerializer<{ readonly name: string }>(PROTO, 't.B.A')

    const { value, data } = await there('PROTOBUF', PROTO, serializer, { name: 'Bob' })

    expect([value, hex(data)]).toEqual([{ name: 'Bob' }, '010a03426f62'])
    expect(thrownBy(() => serializer.serialize({ name: 7 } as never))).toBeInstanceOf(TypeError)
  })
})

test('the page on schemas says where they are', () => {
  const page = readFileSync(new URL('../../docs/schemas.md', import.meta.url), 'utf8')

  expect(page).toContain('`examples/schemas`')
})

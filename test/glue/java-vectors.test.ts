/**
 * What the Java library of the Glue Schema Registry, which the KPL and the KCL use, made of our frames and wrote by itself, against
 * what we make of the same. `test/referee/glue/run.mjs` wrote the file with the library itself.
 */
import { readFileSync } from 'node:fs'
import avro from 'avsc'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { glueDecoder } from '../../src/glue/decoder.ts'
import { readFrame } from '../../src/glue/frame.ts'
import { protobufIndex, readProtobufIndex } from '../../src/glue/protobuf-index.ts'
import { schemaOf } from '../../src/glue/schema.ts'
import { FakeGlue } from '../../src/testing/index.ts'
import { SILENT } from '../support/silent.ts'
import { bytes, FRAMES, framed, hex, VERSION_ID } from './vectors.ts'

interface Vector {
  readonly what: string
  readonly format: 'AVRO' | 'JSON' | 'PROTOBUF'
  readonly definition: string
}

interface Vectors {
  readonly library: string
  readonly decoded: readonly (Vector & {
    readonly frame: string
    readonly java: {
      readonly canDeserialize: boolean
      readonly data?: string
      readonly value?: string
      readonly error?: string
    }
  })[]
  readonly encoded: readonly (Vector & {
    readonly data: string
    readonly compression: 'NONE' | 'ZLIB'
    readonly java: { readonly frame: string }
  })[]
  readonly serialized: readonly (Vector & {
    readonly value: string
    readonly message?: string
    readonly java: { readonly frame: string }
  })[]
}

const { library, decoded, encoded, serialized }: Vectors = JSON.parse(
  readFileSync(new URL('java-vectors.json', import.meta.url), 'utf8')
)
/** Bytes behind the end of zlib: the library drops them in silence, and we do not take such a payload. */
const STRICTER = 'bytes behind the end of zlib'

async function dataOf(frame: string, { format, definition }: Vector): Promise<string | undefined> {
  const glue = new FakeGlue()
  const versionId = readFrame(bytes(frame))?.versionId
  glue.addVersion({ schemaName: 's', dataFormat: format, definition, versionId })
  const client = {
    send: async (command: object) => {
      return glue.answer(command.constructor.name.replace(/Command$/, ''), Reflect.get(command, 'input') as never)
    }
  }
  const { data, schema } = await glueDecoder({ client, logger: SILENT }).decode({ data: bytes(frame) })
  return schema === undefined ? undefined : hex(data)
}

describe(`with ${library}`, () => {
  test('every golden frame was given to the library', () => {
    const asked = new Set(decoded.map(({ frame }) => frame))

    expect(FRAMES.filter(({ frame }) => !asked.has(frame)).map(({ what }) => what)).toEqual([])
  })

  test.each(decoded)('a frame is one, or none, for both: $what', ({ frame, java }) => {
    expect(readFrame(bytes(frame)) !== undefined).toBe(java.canDeserialize)
  })

  test.each(decoded.filter(({ what }) => what !== STRICTER))(
    'has the same data in it for both: $what',
    async vector => {
      const { frame, java } = vector

      const data = await dataOf(frame, vector)

      expect(data).toBe(java.data)
    }
  )

  test('the one frame that we refuse and the library takes is compressed and goes on behind its end', async () => {
    const vector = decoded.find(({ what }) => what === STRICTER)!

    const data = await dataOf(vector.frame, vector)

    expect([data, vector.java.data]).toEqual([undefined, hex(Buffer.from('{"a":1}'))])
  })

  test('values of every format were made of our frames', () => {
    const values = decoded.flatMap(({ format, java }) => (java.value === undefined ? [] : [`${format} ${java.value}`]))

    expect(new Set(values)).toEqual(
      new Set([
        'JSON {"a":1}',
        'AVRO {"name": "Bob"}',
        'PROTOBUF t.Customer name: "Bob"',
        'PROTOBUF t.B.A.D name: "Bob"',
        'PROTOBUF t.M300'
      ])
    )
  })

  test.each(encoded)('what the KPL would put is what we put, and we read it: $what', async vector => {
    const { data, compression, java } = vector
    const { versionId } = readFrame(bytes(java.frame))!
    const facts = { registryName: 'r', name: 's', dataFormat: vector.format, versionId, serializer: undefined }
    const schema = schemaOf({ ...facts, compression: compression === 'ZLIB' ? 'zlib' : 'none', compressMinBytes: 0 })

    const ours = framed(schema!, bytes(data))
    const read = await Promise.all([dataOf(java.frame, vector), dataOf(hex(ours), vector)])

    expect([hex(ours.subarray(0, 18)), read]).toEqual([java.frame.slice(0, 36), [data, data]])
    if (compression === 'NONE') expect(hex(ours)).toBe(java.frame)
  })

  test.each(serialized.filter(({ format }) => format === 'AVRO'))(
    'a value of Avro is avsc a value: $what',
    async vector => {
      const type = avro.Type.forSchema(JSON.parse(vector.definition))

      const data = await dataOf(vector.java.frame, vector)

      expect({ ...type.fromBuffer(Buffer.from(data!, 'hex')) }).toEqual({ name: vector.value })
      expect(type.toBuffer({ name: vector.value }).toString('hex')).toBe(data)
    }
  )

  test.each(serialized.filter(({ format }) => format === 'JSON'))(
    'a value of JSON is its text: $what',
    async vector => {
      const data = await dataOf(vector.java.frame, vector)

      expect(Buffer.from(data!, 'hex').toString()).toBe(vector.value)
    }
  )

  test.each(serialized.filter(({ format }) => format === 'PROTOBUF'))(
    'a message has the index that we give it, and protobufjs reads it: $what',
    async vector => {
      const { root } = protobuf.parse(vector.definition)
      const types = typesIn(root)
      const name = `t.${vector.message}`

      const data = bytes((await dataOf(vector.java.frame, vector))!)
      const { typeName, message } = readProtobufIndex(types, data)

      const read = root.lookupType(typeName).decode(message).toJSON()
      expect([typeName, read]).toEqual([name, vector.value === '' ? {} : { name: vector.value }])
      expect(hex(protobufIndex(types, name))).toBe(hex(data.subarray(0, data.length - message.length)))
    }
  )

  test('all three formats went both ways', () => {
    const formats = (vectors: readonly Vector[]) => new Set(vectors.map(({ format }) => format))

    const all = new Set(['AVRO', 'JSON', 'PROTOBUF'])
    expect([formats(decoded), formats(encoded), formats(serialized)]).toEqual([all, all, all])
    expect(decoded[0]?.frame.startsWith(`0300${VERSION_ID.replaceAll('-', '')}`)).toBe(true)
  })
})

function typesIn(space: protobuf.NamespaceBase): string[] {
  return space.nestedArray.flatMap(nested => [
    ...(nested instanceof protobuf.Type ? [nested.fullName.slice(1)] : []),
    ...(nested instanceof protobuf.Namespace ? typesIn(nested) : [])
  ])
}

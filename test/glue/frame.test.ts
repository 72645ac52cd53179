import { describe, expect, test } from 'vitest'
import { readFrame } from '../../src/glue/frame.ts'
import { protobufIndex, readProtobufIndex } from '../../src/glue/protobuf-index.ts'
import { schemaOf } from '../../src/glue/schema.ts'
import { OptionsError, type SchemaError } from '../../src/model/errors.ts'
import { thrownBy } from '../support/thrown-by.ts'
import { bytes, FRAMES, framed, hex, NO_FRAMES, VERSION_ID } from './vectors.ts'

describe('a frame', () => {
  test.each(FRAMES)('is read byte for byte: $what', ({ frame, compression, payload }) => {
    const read = readFrame(bytes(frame))

    expect(read).toEqual({ versionId: VERSION_ID, compression, payload: bytes(payload) })
  })

  test.each(FRAMES.filter(({ compression }) => compression === 'none'))(
    'is written byte for byte, whatever the case of the id: $what',
    ({ frame, data }) => {
      const schema = schemaOf({
        registryName: 'default-registry',
        name: 'orders',
        dataFormat: 'JSON',
        versionId: VERSION_ID.toUpperCase(),
        compression: 'none',
        compressMinBytes: 0,
        serializer: undefined
      })

      const written = framed(schema!, bytes(data))

      expect(hex(written)).toBe(frame)
    }
  )

  test('shares the memory of the bytes that it was read from, wherever they lie', () => {
    const memory = Buffer.alloc(100)
    memory.set(bytes(FRAMES[0]!.frame), 7)

    const frame = readFrame(memory.subarray(7, 7 + 25))
    memory[7 + 18] = 0x5b

    expect([frame?.versionId, hex(frame!.payload)]).toEqual([VERSION_ID, '5b2261223a317d'])
  })

  test.each(NO_FRAMES)('is not read from %s', (_, text) => {
    expect(readFrame(bytes(text))).toBeUndefined()
  })
})

describe('a version id', () => {
  test.each(['', 'b7b4a7f0', 'b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c6g', `${VERSION_ID} `])(
    'that is no UUID makes no schema: "%s"',
    versionId => {
      const facts = { registryName: 'r', name: 's', compressMinBytes: 0, serializer: undefined }

      expect(schemaOf({ ...facts, dataFormat: 'JSON', compression: 'none', versionId })).toBeUndefined()
    }
  )
})

describe('the index of a Protobuf message', () => {
  const FILE = ['B', 'B.C', 'B.A', 'B.A.D']

  test('is its place among all types of the file by full name, nested ones included', () => {
    const indexes = ['B', 'B.A', 'B.A.D', 'B.C'].map(name => hex(protobufIndex(FILE, name)))

    expect(indexes).toEqual(['00', '01', '02', '03'])
  })

  test('is an unsigned varint without zig-zag', () => {
    const types = Array.from({ length: 20_000 }, (_, i) => `t${String(i).padStart(5, '0')}`)

    const indexes = [1, 127, 128, 300, 16_383, 16_384].map(i => hex(protobufIndex(types, types[i]!)))

    expect(indexes).toEqual(['01', '7f', '8001', 'ac02', 'ff7f', '808001'])
  })

  test('is read back with the message behind it', () => {
    const types = Array.from({ length: 400 }, (_, i) => `t${String(i).padStart(3, '0')}`)

    const read = [readProtobufIndex(FILE, bytes('020a03426f62')), readProtobufIndex(types, bytes('ac02'))]

    expect(read).toEqual([
      { typeName: 'B.A.D', message: bytes('0a03426f62') },
      { typeName: 't300', message: bytes('') }
    ])
  })

  test.each([
    ['nothing', '', 'the payload does not begin with the message index of a Protobuf type'],
    ['a varint without an end', 'ffffffffffff', 'the payload does not begin with the message index of a Protobuf type'],
    ['a type that the file does not have', '04', 'the payload is of message type 4 of a file of 4']
  ])('is an error for %s', (_, text, message) => {
    const error = thrownBy(() => readProtobufIndex(FILE, bytes(text))) as SchemaError

    expect([error.name, error.code, error.message]).toEqual(['SchemaError', 'KPL_ERR_SCHEMA_DATA', message])
  })

  test('of a type that is not in the file is a wrong option', () => {
    expect(thrownBy(() => protobufIndex(FILE, 'B.X'))).toBeInstanceOf(OptionsError)
  })
})

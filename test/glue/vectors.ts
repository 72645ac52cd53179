import { RecordValidator } from '../../src/core/record-validator.ts'
import type { RecordFrame } from '../../src/model/records.ts'
import { framedCopyOf } from '../../src/wire/bytes.ts'

/** Frames as the Glue Schema Registry's format has them, byte for byte; `VERSION_ID` is the version of all of them. */
export const VERSION_ID = 'b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63'
const ID = 'b7b4a7f09c964e4aa687fb5de9ef0c63'

export interface FrameVector {
  readonly what: string
  readonly frame: string
  readonly compression: 'none' | 'zlib'
  /** Behind the prefix. */
  readonly payload: string
  /** Inflated, when it is compressed. */
  readonly data: string
}

export const FRAMES: readonly FrameVector[] = [
  plain('JSON {"a":1}', '7b2261223a317d'),
  {
    what: 'JSON {"a":1}, zlib as one stored block',
    frame: `0305${ID}7801010700f8ff7b2261223a317d082a0209`,
    compression: 'zlib',
    payload: '7801010700f8ff7b2261223a317d082a0209',
    data: '7b2261223a317d'
  },
  plain('Avro record { name: string } with Bob', '06426f62'),
  plain('Protobuf message type 0, field 1 string Bob', '000a03426f62'),
  plain('Protobuf message type 300, empty message', 'ac02'),
  plain('an empty payload', '')
]

/** What is no frame at all. */
export const NO_FRAMES: readonly (readonly [what: string, bytes: string])[] = [
  ['17 bytes', `0300${ID}`.slice(0, -2)],
  ['another header version', `0200${ID}00`],
  ['another compression', `0301${ID}00`],
  ['nothing', '']
]

/** What has the form of a frame and no data in it. */
export const UNDECODABLE: readonly (readonly [what: string, bytes: string, message: string])[] = [
  ['no zlib', `0305${ID}00ff00ff`, 'the payload is marked as zlib and its 4 bytes are none (Z_DATA_ERROR)'],
  [
    'bytes behind the end of zlib',
    `0305${ID}7801010700f8ff7b2261223a317d082a0209ffff`,
    'the compressed payload goes on 2 bytes behind its end'
  ],
  [
    'zlib that is cut',
    `0305${ID}7801010700f8ff7b2261`,
    'the payload is marked as zlib and its 10 bytes are none (Z_BUF_ERROR)'
  ],
  ['zlib that is empty', `0305${ID}`, 'the payload is marked as zlib and its 0 bytes are none (Z_BUF_ERROR)']
]

function plain(what: string, payload: string): FrameVector {
  return { what, frame: `0300${ID}${payload}`, compression: 'none', payload, data: payload }
}

/** The bytes that a put with this schema sends. */
export function framed(schema: RecordFrame, data: Uint8Array): Uint8Array {
  const record = new RecordValidator(100_000).examine({ partitionKey: 'k', data, schema })
  return framedCopyOf(record.prefix, record.data, record.dataBytes)
}

export function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function hex(of: Uint8Array): string {
  return Buffer.from(of).toString('hex')
}

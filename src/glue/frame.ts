/**
 * The bytes that the Glue Schema Registry puts before a record's data. Pure: no AWS, no inflating.
 * Example: 03 00, the sixteen bytes of a version id, `{"a":1}` -> that id, 'none', the payload.
 * Invariant: `readFrame` reads what `framePrefix` writes, and whatever is no frame is undefined, not an error.
 *
 *   frame      = 0x03 compression versionId payload
 *   compression = 0x00 (none) / 0x05 (payload is zlib, RFC 1950)
 *   versionId  = 16 octets, as the text of the UUID shows them
 *
 * Source: aws-glue-schema-registry 2.0.0, AWSSchemaRegistryConstants and GlueSchemaRegistryDeserializerDataParser, read 2026-11.
 */

import { invalidInput } from '../consumer/deaggregate/consumer-error.ts'
import { isBytes } from '../wire/bytes.ts'

const HEADER_VERSION = 0x03
const NOT_COMPRESSED = 0x00
const ZLIB = 0x05
const ID_AT = 2
/** Bytes before the payload. */
export const FRAME_BYTES = 18
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** Where the text of a UUID has its hyphens, in hex digits. */
const GROUPS = [0, 8, 12, 16, 20, 32] as const

/** The compression of a payload. */
export type FrameCompression = 'none' | 'zlib'

/** The frame that the Glue Schema Registry puts before the data of a record. */
export interface Frame {
  /** The schema version's UUID, in lower case. */
  readonly versionId: string
  /** How the payload is compressed. */
  readonly compression: FrameCompression
  /** Everything behind the prefix, still compressed. A view: it shares the memory of the bytes that were read. */
  readonly payload: Uint8Array
}

/**
 * Returns the frame that `bytes` begin with, or undefined when they are too short or begin otherwise. O(1). Throws
 * KPL_ERR_INVALID_INPUT for a value that is not bytes.
 *
 * @example
 * const frame = readFrame(Buffer.from('0300111111112222333344445555555555557b7d', 'hex'))
 * frame?.versionId // => '11111111-2222-3333-4444-555555555555'
 * readFrame(Buffer.from('{}')) // => undefined
 */
export function readFrame(bytes: Uint8Array): Frame | undefined {
  if (!isBytes(bytes)) throw invalidInput('bytes', 'a Uint8Array', bytes)
  if (bytes.length < FRAME_BYTES || bytes[0] !== HEADER_VERSION) return undefined
  const compression = bytes[1] === NOT_COMPRESSED ? 'none' : bytes[1] === ZLIB ? 'zlib' : undefined
  if (compression === undefined) return undefined
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + ID_AT, FRAME_BYTES - ID_AT).toString('hex')
  const versionId = GROUPS.slice(1)
    .map((end, i) => hex.slice(GROUPS[i], end))
    .join('-')
  return { versionId, compression, payload: bytes.subarray(FRAME_BYTES) }
}

export function isVersionId(text: string): boolean {
  return UUID.test(text)
}

/** Returns the 18 bytes that go before a payload; undefined for a text that is not a UUID. */
export function framePrefix(versionId: string, compression: FrameCompression): Uint8Array | undefined {
  if (!isVersionId(versionId)) return undefined
  const prefix = new Uint8Array(FRAME_BYTES)
  prefix[0] = HEADER_VERSION
  prefix[1] = compression === 'zlib' ? ZLIB : NOT_COMPRESSED
  prefix.set(Buffer.from(versionId.replaceAll('-', ''), 'hex'), ID_AT)
  return prefix
}

/**
 * The two codecs a request may choose by its content type; the answer comes in the same.
 * Invariant: both give the model the same fields for the same request, and the same limits are checked after either.
 */
import { decodeCborItem } from './cbor-decoder.ts'
import { encodeCborItem } from './cbor-encoder.ts'
import { InputFields } from './input-fields.ts'
import { decodeJson, encodeJson, encodeJsonError, JSON_CONTENT_TYPE } from './json-codec.ts'
import type { FakeServiceError } from './service-error.ts'

export interface WireCodec {
  readonly contentType: string
  /** Throws SerializationException for a body that is not a structure. An empty body is an empty one. */
  readonly decode: (body: Buffer) => InputFields
  readonly encode: (output: object) => string | Buffer
  readonly encodeError: (error: FakeServiceError) => string | Buffer
}

export const JSON_CODEC: WireCodec = {
  contentType: JSON_CONTENT_TYPE,
  decode: decodeJson,
  encode: encodeJson,
  encodeError: encodeJsonError
}

export const CBOR_CODEC: WireCodec = {
  contentType: 'application/x-amz-cbor-1.1',
  decode: body => new InputFields(body.length === 0 ? {} : decodeCborItem(body), readBytes),
  encode: encodeCborItem,
  encodeError: ({ code, message }) => encodeCborItem({ __type: code, message })
}

/** Returns the codec of a content type, or undefined when there is none. */
export function codecOf(contentType: string): WireCodec | undefined {
  return [JSON_CODEC, CBOR_CODEC].find(codec => contentType.startsWith(codec.contentType))
}

function readBytes(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined
}
